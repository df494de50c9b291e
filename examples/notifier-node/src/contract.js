// What each event holds, from the AsyncAPI document: it has a .proto of each message that stands alone.
import { readFile } from "node:fs/promises";
import protobuf from "protobufjs";

// The two types of others that the messages use; protobuf.js has the first.
const TIMESTAMP = protobuf.common.get("google/protobuf/timestamp.proto").nested;
const DATE = `syntax = "proto3"; package google.type;
  message Date { int32 year = 1; int32 month = 2; int32 day = 3; }`;

const AS_JSON = { longs: String, enums: String, bytes: String, defaults: true };

/** Reads the document; returns a function that decodes a payload by its type (`ce-type`). Numbers of 64 bits become texts. */
export async function readContract(file) {
  const { channels, components } = JSON.parse(await readFile(file, "utf8"));
  const types = new Map();
  const find = (name) => {
    if (!name) throw new Error("a message without the header ce-type is no event");
    if (!channels[name]) throw new Error(`${name} is not in ${file}`);
    const [{ $ref }] = Object.values(channels[name].messages);
    return typeOf(components.messages[$ref.split("/").at(-1)]);
  };
  return (name, payload) => {
    if (!types.has(name)) types.set(name, find(name));
    const type = types.get(name);
    return type.toObject(type.decode(payload), AS_JSON);
  };
}

function typeOf({ name, payload }) {
  const root = new protobuf.Root();
  root.addJSON(TIMESTAMP);
  protobuf.parse(DATE, root);
  protobuf.parse(payload.schema, root, { keepCase: true });
  return root.lookupType(name);
}
