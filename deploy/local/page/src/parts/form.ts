/** What a Form shares with the fields inside it. */
import { getContext, setContext } from "svelte";

import type { Refusal } from "../lib/problem.js";

export interface FormState {
  readonly refusal: Refusal | undefined;
  /** The paths of the fields that show their own violations, as the gateway names them. */
  readonly fields: Set<string>;
}

const KEY = Symbol("form");

export const provideForm = (state: FormState): FormState => setContext(KEY, state);
export const form = (): FormState => getContext(KEY);
