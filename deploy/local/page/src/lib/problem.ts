/** What went wrong with a call, in the one shape that the gateway and the bridge give. */
import type { components } from "../schema.js";

export type Schemas = components["schemas"];

const AWAY = "No answer came. Nothing is lost: try again, and the same request is sent once more.";
/** The bridge's calls have no request_id. */
const BRIDGE_AWAY = "No answer came. It may have been done all the same: look at what is shown before you press again.";

/** A refused call. `message` can be shown to people; `violations` belong beside their fields. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly problem: Schemas["Error"],
  ) {
    super(problem.message);
  }

  /** Whether the same call, with the same request_id, may succeed later: the first may even have been carried out. */
  get mayComeAgain(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** A refusal from what a server answered, even where this is not JSON. */
export function refusal(status: number, body: unknown): Refusal {
  const known = typeof body === "object" && body !== null && "message" in body;
  return new Refusal(status, known ? (body as Schemas["Error"]) : problem("UNAVAILABLE", `No good answer (${status}).`));
}

/** An error of a call of the bridge, which is not sent once more by itself. */
export function bridgeError(error: unknown): unknown {
  const gaveUp = error instanceof DOMException && error.name === "AbortError";
  return gaveUp ? error : new Refusal(0, problem("UNAVAILABLE", BRIDGE_AWAY));
}

/** Any error as a Refusal; undefined if the call was given up because its member left the phone. */
export function asRefusal(error: unknown): Refusal | undefined {
  if (error instanceof Refusal) return error;
  if (error instanceof DOMException && error.name === "AbortError") return undefined;
  if (error instanceof TypeError || error instanceof DOMException) return new Refusal(0, problem("UNAVAILABLE", AWAY));
  throw error;
}

function problem(reason: string, message: string): Schemas["Error"] {
  return { code: "UNAVAILABLE", reason, message, metadata: {}, violations: [] };
}
