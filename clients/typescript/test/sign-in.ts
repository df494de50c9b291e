/**
 * Signs in over a running gateway, as an app does, and prints the account as JSON.
 * The environment says where: UNORA_GATEWAY_URL, and UNORA_SMS_SANDBOX, the file of the codes that were "sent".
 */
import { readFileSync } from "node:fs";

import { createClient, newRequestId, type UnoraError } from "../src/index.js";

const [, , phone_number] = process.argv;
const { UNORA_GATEWAY_URL: baseUrl, UNORA_SMS_SANDBOX: sandbox } = process.env;
if (!phone_number || !baseUrl || !sandbox) throw new Error("usage: sign-in NUMBER, with both variables set");

let token: string | undefined;
const client = createClient({ baseUrl, accessToken: () => token });

function answered<T>(call: { data?: T; error?: UnoraError }): T {
  if (call.data === undefined) throw new Error(`refused: ${JSON.stringify(call.error)}`);
  return call.data;
}

const signedOut = await client.GET("/v1/account");
if (signedOut.error?.reason !== "TOKEN_MISSING") throw new Error(`expected a refusal: ${JSON.stringify(signedOut)}`);

const { challenge_id } = answered(
  await client.POST("/v1/phone-verifications", { body: { request_id: newRequestId(), phone_number } }),
);
const code: string = JSON.parse(readFileSync(sandbox, "utf8").trim().split("\n").at(-1) ?? "{}").code;
const wrong = await client.POST("/v1/phone-verifications/{challenge_id}:verify", {
  params: { path: { challenge_id } },
  body: { request_id: newRequestId(), code: code === "000000" ? "000001" : "000000" },
});
if (wrong.error?.reason !== "CODE_WRONG") throw new Error(`expected CODE_WRONG: ${JSON.stringify(wrong)}`);
const verified = answered(
  await client.POST("/v1/phone-verifications/{challenge_id}:verify", {
    params: { path: { challenge_id } },
    body: { request_id: newRequestId(), code },
  }),
);
token = verified.tokens?.access_token;
const { account } = answered(await client.GET("/v1/account"));
const { servers } = answered(await client.GET("/v1/servers"));
console.log(JSON.stringify({ user_id: verified.user_id, account, servers, retries: wrong.error.metadata }));
