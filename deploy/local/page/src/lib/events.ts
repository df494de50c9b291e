/** The member's own events, as the bridge streams them (server-sent events, read by fetch because of the token). */
import type { Session } from "./session.svelte.js";

/** An event of the services: its type such as `streak.checked_in`, and its fields by their names in the contract. */
export interface Told {
  id: string;
  type: string;
  time: string;
  aggregate_id: string;
  event: Record<string, unknown>;
}

const AGAIN_AFTER = 2_000;

/**
 * Follow the stream until `signal` ends it; when it breaks, or its token is over, it is opened again. `opened` is told
 * each time that events begin to come: what happened before is told by nobody.
 */
export async function follow(
  session: Session,
  signal: AbortSignal,
  opened: () => void,
  tell: (told: Told) => void,
): Promise<void> {
  while (!signal.aborted && session.signedIn) {
    try {
      const request = new Request("/local/api/events", { headers: { accept: "text/event-stream" }, signal });
      await read(await session.stream(request), opened, tell);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
    }
    await pause(AGAIN_AFTER, signal);
  }
}

async function read(answer: Response, opened: () => void, tell: (told: Told) => void): Promise<void> {
  if (!answer.ok || !answer.body) return;
  opened();
  let rest = "";
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const blocks = (rest + part.value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const told = data(block);
      if (told) tell(told);
    }
  }
}

/** What a block of the stream tells; undefined for a heartbeat and for the end. */
function data(block: string): Told | undefined {
  const lines = block.split("\n").filter((line) => line.startsWith("data:"));
  const content: unknown = lines.length ? JSON.parse(lines.map((line) => line.slice(5)).join("\n")) : undefined;
  return typeof content === "object" && content !== null && "event" in content ? (content as Told) : undefined;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
