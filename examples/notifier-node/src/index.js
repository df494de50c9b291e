// Prints each event that this subscriber may consume, as a line of JSON, until SIGINT or SIGTERM.
import { fileURLToPath } from "node:url";
import { connect } from "@nats-io/transport-node";
import { consume } from "./consumer.js";
import { readContract } from "./contract.js";
import { readSettings } from "./settings.js";

const CONTRACT = fileURLToPath(new URL("../../../docs/asyncapi.json", import.meta.url));

async function main() {
  const settings = readSettings(process.env);
  const decode = await readContract(CONTRACT);
  const client = await connect(settings.connection);
  let stopped = false;
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      stopped = true;
      client.close(); // requests that wait end; what is not acknowledged comes again
    });
  }
  // An event may come twice: who acts on it notes its id in the same transaction (docs/interfaces.md).
  // An event that is published again has another subject, so `ce-type` says what it is.
  const print = ({ headers, data }) => {
    const [id, type] = ["ce-id", "ce-type"].map((name) => headers?.get(name));
    console.log(JSON.stringify({ id, type, message: decode(type, data) }));
  };
  await Promise.all(settings.consumers.map((each) => consume(client, each, print, () => stopped)));
}

main().catch((error) => {
  console.error(`notifier-node: ${error.message}`);
  process.exitCode = 1;
});
