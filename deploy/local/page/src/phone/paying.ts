/** What follows a confirmed payment: the provider tells billing by a webhook, and billing the streak by an event. */
import type { Member } from "../lib/member.svelte.js";
import { Refusal } from "../lib/problem.js";

const FINAL = ["PAYMENT_STATUS_APPLIED", "PAYMENT_STATUS_CREDITED", "PAYMENT_STATUS_FAILED"];
const TRIES = 60;
const BETWEEN = 250;

/** Return when the payment has its final state. Raises Refusal if the money was not taken. */
export async function untilPaid(member: Member, payment_id: string): Promise<void> {
  const { signal } = member;
  const params = { path: { payment_id } };
  for (let at = 0; at < TRIES && !signal.aborted; at += 1) {
    const { payment } = await member.read(member.api.GET("/v1/payments/{payment_id}", { params }));
    if (payment?.status === "PAYMENT_STATUS_FAILED") throw failed("The payment was declined. Nothing was charged.");
    if (FINAL.includes(payment?.status ?? "")) return;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN));
  }
  throw failed("The payment is still under way. Look again in a moment.");
}

function failed(message: string): Refusal {
  return new Refusal(402, { code: "FAILED_PRECONDITION", reason: "", message, metadata: {}, violations: [] });
}
