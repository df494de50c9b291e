/** What follows a confirmed payment: the provider tells billing by a webhook, and billing the streak by an event. */
import type { Member } from "../lib/member.svelte.js";
import { Refusal } from "../lib/problem.js";

/** As if no answer had come: the same payment can be continued. */
const STILL_UNDER_WAY = 0;
const TRIES = 60;
const BETWEEN = 250;

/** Return when the payment has its final state. Raises Refusal if the money was not taken. */
export async function untilPaid(member: Member, payment_id: string): Promise<void> {
  const { signal } = member;
  const params = { path: { payment_id } };
  for (let at = 0; at < TRIES && !signal.aborted; at += 1) {
    const { payment } = await member.read(member.api.GET("/v1/payments/{payment_id}", { params }));
    if (payment?.status === "PAYMENT_STATUS_FAILED") throw failed(402, "The payment was not taken. Nothing was charged.");
    if (payment?.status === "PAYMENT_STATUS_CREDITED") throw failed(402, "It came too late: the amount is yours as credits.");
    if (payment?.status === "PAYMENT_STATUS_APPLIED") return;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN));
  }
  throw failed(STILL_UNDER_WAY, "The payment is still under way. Look again in a moment.");
}

function failed(status: number, message: string): Refusal {
  return new Refusal(status, { code: "FAILED_PRECONDITION", reason: "", message, metadata: {}, violations: [] });
}
