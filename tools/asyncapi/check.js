// Reads an AsyncAPI document with the parser of AsyncAPI, and its messages with the parser of protobuf. Prints what it
// found as JSON. The exit status is 1 if there is an error or a warning, with a sentence for each on the error output.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";
import { ProtoBuffSchemaParser } from "@asyncapi/protobuf-schema-parser";

const WARNING = 1; // errors are 0, hints are more

const file = process.argv[2];
if (!file) {
  console.error("check: name the document: node check.js FILE");
  process.exit(2);
}
const parser = new Parser();
parser.registerSchemaParser(ProtoBuffSchemaParser());
const { document, diagnostics } = await parser.parse(readFileSync(file, "utf8"));
const faults = diagnostics.filter((each) => each.severity <= WARNING);
for (const each of faults) {
  const [says] = each.message.split(", stack:"); // what the parser of protobuf says comes with the parser's own lines
  console.error(`check: ${each.path.join("/") || "a message"}: ${says}`);
}
if (document && faults.length === 0) {
  const messages = document.components().messages().all();
  console.log(
    JSON.stringify({
      operations: document.operations().all().map((each) => each.id()),
      fields: Object.fromEntries(messages.map((each) => [each.name(), Object.keys(each.payload().properties())])),
    }),
  );
}
process.exitCode = faults.length === 0 ? 0 : 1;
