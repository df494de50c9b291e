// Takes events from a durable consumer, one by one.

const WAIT = 5_000; // milliseconds that the server waits for an event
const MARGIN = 2_000; // and that its answer may take beyond
const PAUSE = 1_000; // after a failure
const NOTHING = new Set([404, 408, 409]); // the statuses by which the server says that there is no event, or not now

/**
 * Calls `handle` with each event, and acknowledges it afterwards; one that fails is delivered again. It ends when
 * `stopping()` is true, which it looks at after each answer of the server.
 */
export async function consume(client, { stream, name }, handle, stopping) {
  while (!stopping()) {
    try {
      const message = await take(client, stream, name);
      if (!message) continue;
      try {
        await handle(message);
        message.respond("+ACK");
      } catch (error) {
        console.error(`${name}: ${error.message}; the event comes again`);
        message.respond(`-NAK {"delay": ${PAUSE * 1_000_000}}`);
      }
    } catch (error) {
      if (stopping()) return;
      console.error(`${name}: ${error.message}; trying again`);
      await new Promise((resume) => setTimeout(resume, PAUSE));
    }
  }
}

/** One event, or nothing. Each request has one answer: a subscriber reaches the streams by an import of one answer. */
async function take(client, stream, name) {
  const request = JSON.stringify({ batch: 1, expires: WAIT * 1_000_000 });
  const options = { timeout: WAIT + MARGIN, noMux: true };
  const message = await client.request(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`, request, options);
  // An event has its own subject, and a publisher may write any header: so the subject decides whether it is one.
  if (message.subject.startsWith("unora.")) return message;
  if (NOTHING.has(message.headers?.code)) return undefined;
  throw new Error(`${message.headers?.code} ${message.headers?.description}`);
}
