import { mount } from "svelte";

import App from "./App.svelte";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/layout.css";
import "./styles/phone.css";
import "./styles/streak.css";
import "./styles/desk.css";

const target = document.getElementById("app");
if (target) mount(App, { target });
