/** Opening a reveal, which gives the same content each time (RE-09). */
import type { Member } from "../lib/member.svelte.js";
import type { Schemas } from "../lib/problem.js";

export function openReveal(
  member: Member,
  streak_id: string,
  reveal_number: number,
): Promise<Schemas["reveal.OpenRevealResponse"]> {
  const path = { streak_id, reveal_number };
  return member.write(["open", streak_id, reveal_number], (request_id) =>
    member.api.POST("/v1/streaks/{streak_id}/reveals/{reveal_number}:open", { params: { path }, body: { request_id } }),
  );
}
