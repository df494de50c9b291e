// Reads custom resources as a JSON array on the input, and checks each by the published model of its kind: values by the
// model's validator, and names of fields by its TypeScript types, which the validator does not look at. Prints one JSON
// object: "checked" (kinds by package), "faults" (sentences), and "unknown" (kinds that no model here has).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const MODELS = {
  "cert-manager.io": "cert-manager",
  "external-secrets.io": "external-secrets",
  "gateway.networking.k8s.io": "gateway-api",
  "keda.sh": "keda",
  "monitoring.coreos.com": "prometheus-operator",
};
const folder = import.meta.dirname ?? new URL(".", import.meta.url).pathname;

// The class of an object's kind, and where its types are; nothing if no model has it.
async function modelOf(item) {
  const name = MODELS[item.apiVersion.split("/")[0]];
  if (!name) return undefined;
  const path = `@kubernetes-models/${name}/${item.apiVersion}/${item.kind}`;
  try {
    return { path, name, kind: (await import(path))[item.kind] };
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND" && error.code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") throw error;
    return undefined;
  }
}

function faultsOfValues(Kind, item) {
  try {
    new Kind(item).validate();
    return [];
  } catch (error) {
    return error.errors?.map((each) => `${each.instancePath || "/"} ${each.message}`) ?? [error.message];
  }
}

// A literal of the type with a field that the type lacks is an error of the compiler.
function faultsOfNames(items) {
  const lines = items.map(({ item, model }, at) => {
    const type = `I${item.kind}`;
    return `import type { ${type} as T${at} } from "${model.path}"; export const c${at}: T${at} = ${JSON.stringify(item)};`;
  });
  const file = join(folder, "objects.ts"); // in memory only
  const options = { noEmit: true, strict: true, skipLibCheck: true, module: ts.ModuleKind.ESNext, types: [] };
  options.moduleResolution = ts.ModuleResolutionKind.Bundler;
  options.target = ts.ScriptTarget.ES2022;
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  const text = lines.join("\n");
  host.fileExists = (name) => name === file || fileExists(name);
  host.readFile = (name) => (name === file ? text : readFile(name));
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, text, rest[0]) : getSourceFile.call(host, name, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map((each) => {
    const at = each.file?.fileName === file ? each.file.getLineAndCharacterOfPosition(each.start).line : undefined;
    const says = ts.flattenDiagnosticMessageText(each.messageText, " ").split("\n")[0];
    const what = at === undefined ? "" : `${items[at].item.kind} ${items[at].item.metadata.name}: `;
    return what + says;
  });
}

const objects = JSON.parse(readFileSync(0, "utf8"));
const answer = { checked: {}, faults: [], unknown: {} };
const known = [];
for (const item of objects) {
  const model = await modelOf(item);
  if (!model?.kind) {
    answer.unknown[item.kind] = (answer.unknown[item.kind] ?? 0) + 1;
    continue;
  }
  answer.checked[model.name] = (answer.checked[model.name] ?? 0) + 1;
  known.push({ item, model });
  for (const fault of faultsOfValues(model.kind, item)) {
    answer.faults.push(`${item.kind} ${item.metadata.name}: ${fault}`);
  }
}
answer.faults.push(...faultsOfNames(known));
console.log(JSON.stringify(answer));
