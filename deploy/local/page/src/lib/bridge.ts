/** The small server beside the gateway that exists on this machine only: the clock, sent codes, pictures, the sandbox. */
import { bridgeError, refusal } from "./problem.js";

const ROOT = "/local/api";

/** The rule clock: its time, and how far it is ahead of the real one. */
export interface RuleClock {
  now: string;
  ahead_seconds: number;
}

export const readClock = (): Promise<RuleClock> => ask("/clock");

/** Move the rule clock to a moment, in milliseconds since 1970; answers when all that fell due is done. If the clock is
 * there already, nothing moves: after a lost answer the same call is made once more without harm. */
export const moveClock = (to: number): Promise<RuleClock> => ask("/clock", { move: new Date(to).toISOString() });

/** Wait until all that is due is done. */
export const settle = (): Promise<RuleClock> => ask("/clock", { move: "now" });

/** The newest code that was sent to a number. */
export const readCode = (number: string, signal: AbortSignal): Promise<{ code: string }> =>
  ask(`/inbox?phone=${encodeURIComponent(number)}`, undefined, signal);

/** Make members who wait in the partner server; no time passes. */
export const addMembers = (count: number): Promise<{ members: number }> => ask("/seed", { count });

/** A moderator, signed in with a second factor. */
export const becomeModerator = (signal?: AbortSignal): Promise<{ access_token: string; user_id: string }> =>
  ask("/moderator", {}, signal);

export const listPictures = (): Promise<{ pictures: string[] }> => ask("/pictures");

export const pictureAddress = (picture: string): string => `${ROOT}/pictures/${picture}`;

/** Post a sample picture to the object store, with the form that identity gave. */
export const upload = (
  url: string,
  form_fields: Record<string, string>,
  picture: string,
  signal: AbortSignal,
): Promise<{ status: number }> => ask("/uploads", { url, form_fields, picture }, signal);

/** Confirm a payment in the sandbox, as the provider's form would on a real phone. No card is charged. */
export const confirmPayment = (id: string, client_secret: string, signal: AbortSignal): Promise<{ status: string }> =>
  ask(`/payments/${encodeURIComponent(id)}`, { client_secret, payment_method: "pm_card_visa" }, signal);

async function ask<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const options = body === undefined ? {} : { method: "POST", headers: JSON_BODY, body: JSON.stringify(body) };
  const answer = await fetch(ROOT + path, { ...options, signal: signal ?? null }).catch((error: unknown) => {
    throw bridgeError(error);
  });
  const content: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok) throw refusal(answer.status, content);
  return content as T;
}

const JSON_BODY = { "content-type": "application/json" };
