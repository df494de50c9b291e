import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// The bridge serves what is built here, under /local/ of the gateway. Nothing is inlined: the page's policy allows only
// scripts and styles that are files of its own.
export default defineConfig({
  base: "/local/",
  plugins: [svelte()],
  build: {
    outDir: "../unora_local/page/built",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
