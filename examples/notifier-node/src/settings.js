// The variables that a subscriber gets from the platform's operator: .run/subscribers/NAME.env on a stack of one machine.

const NAMES = ["NATS_URL", "NATS_INBOX", "NATS_CONSUMERS", "TLS_CA", "TLS_CERT", "TLS_KEY"];

/** What is in the environment; ends with a sentence that names a variable that is missing. */
export function readSettings(environment) {
  const values = NAMES.map((name) => environment[`UNORA_${name}`]);
  const missing = NAMES.filter((_, at) => !values[at]).map((name) => `UNORA_${name}`);
  if (missing.length) throw new Error(`not set: ${missing.join(", ")}; see docs/tutorial-subscriber.md`);
  const [urls, inboxPrefix, consumers, caFile, certFile, keyFile] = values;
  const addresses = urls.split(",").map((url) => new URL(url));
  return {
    consumers: consumers.split(/\s+/).map(consumerOf),
    connection: {
      servers: addresses.map(({ host }) => host),
      user: decodeURIComponent(addresses[0].username),
      pass: decodeURIComponent(addresses[0].password),
      inboxPrefix,
      maxReconnectAttempts: -1,
      waitOnFirstConnect: true,
      // The server speaks TLS from the first byte, and is known by the name in its certificate.
      tls: { handshakeFirst: true, servername: "nats.unora", caFile, certFile, keyFile },
    },
  };
}

function consumerOf(word) {
  const [stream, name, ...more] = word.split("/");
  if (!stream || !name || more.length) throw new Error(`UNORA_NATS_CONSUMERS: ${word} is not stream/consumer`);
  return { stream, name };
}
