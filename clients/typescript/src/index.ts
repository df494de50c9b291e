/** Unora's REST API, with types that `npm run generate` writes from docs/openapi.json. */
import createFetchClient, { type Client, type Middleware } from "openapi-fetch";

import type { components, paths } from "./schema.js";

export type { components, paths } from "./schema.js";

/** Why a request was refused. Act on `reason`, which is stable; `message` is for people. */
export type UnoraError = components["schemas"]["Error"];

/** The tokens of a session. */
export type SessionTokens = components["schemas"]["identity.SessionTokens"];

export interface Options {
  /** The address of the gateway, such as https://api.example.com. */
  baseUrl: string;
  /** Gives the access token of the moment; undefined before sign-in. */
  accessToken?: () => string | undefined;
}

/** A client: `client.GET("/v1/account")`, `client.POST("/v1/phone-verifications", { body: … })`. */
export function createClient(options: Options): Client<paths> {
  const client = createFetchClient<paths>({ baseUrl: options.baseUrl });
  const signIn: Middleware = {
    onRequest({ request }) {
      const token = options.accessToken?.();
      if (token) request.headers.set("authorization", `Bearer ${token}`);
      return request;
    },
  };
  client.use(signIn);
  return client;
}

/** A fresh id for an operation that changes something: send the same one again with each try. */
export function newRequestId(): string {
  return crypto.randomUUID();
}
