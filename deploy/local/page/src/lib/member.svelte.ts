/** One member as their phone shows them: the session, and what the screen of the moment is drawn from. */
import { clock } from "./clock.svelte.js";
import { Refusal, type Schemas } from "./problem.js";
import { RENEWAL, Session, type Answer } from "./session.svelte.js";

export type Streak = Schemas["streak.Streak"];
export type Hobby = Schemas["identity.HobbyInput"];
export type CardContent = Schemas["discovery.CardContent"];

/** The screens of a phone; each is drawn from at most three calls. */
export type View =
  | { kind: "signing-in" }
  | { kind: "loading" }
  | { kind: "suspended"; message: string }
  | { kind: "onboarding"; missing: string[] }
  | { kind: "questions" }
  | { kind: "servers"; servers: Schemas["discovery.Server"][] }
  | { kind: "discovery"; screen: Schemas["discovery.Screen"] }
  | { kind: "streak" } & StreakView;

/** A connection's streak, and what stands around it. */
export interface StreakView {
  streak: Streak;
  card?: CardContent | undefined;
  reveals: Schemas["reveal.Reveal"][];
  /** Of the day that is at risk. */
  nudges: Schemas["streak.Nudge"][];
  chatUnlockedAt?: string | undefined;
}

export const PARTNER = "SERVER_TYPE_PARTNER";
const AT_RISK = "STREAK_STATE_AT_RISK";
const COMPLETED = "STREAK_STATE_COMPLETED";
const SUSPENDED = "ACCOUNT_SUSPENDED";

export class Member extends Session {
  view = $state.raw<View>({ kind: this.signedIn ? "loading" : "signing-in" });
  /** The member's own hobbies, by which the page tells whose card it is. */
  hobbies = $state.raw<Hobby[]>([]);
  skipsQuestions = $state(false);
  private reading?: Promise<void>;
  private stale = false;
  /** How many calls of `together` are under way. */
  private steps = 0;

  /** `side` names the phone; `changed` is told after each write, since it may concern the other phone. */
  constructor(
    readonly side: "Left" | "Right",
    private readonly changed: () => Promise<void>,
  ) {
    super(`phone-${side.toLowerCase()}`);
  }

  override leave(why = ""): void {
    super.leave(why);
    this.reading = undefined; // that of the member who left is given up
    this.view = { kind: "signing-in" };
    this.hobbies = [];
    this.skipsQuestions = false;
  }

  override async write<T>(what: unknown[], call: (requestId: string) => Answer<T>): Promise<T> {
    const answer = await super.write(what, call);
    if (this.signedIn && what[0] !== RENEWAL && !this.steps) await this.changed();
    return answer;
  }

  /** Several writes of which only the end is shown. */
  async together(work: () => Promise<void>): Promise<void> {
    this.steps += 1;
    try {
      await work();
    } finally {
      this.steps -= 1;
      await this.changed();
    }
  }

  /** Read the screen again. Calls that come meanwhile make one more reading, not one each. */
  async refresh(): Promise<void> {
    if (this.steps) return;
    this.stale = true;
    await (this.reading ??= this.begun());
  }

  private begun(): Promise<void> {
    const mine = this.readWhileStale().finally(() => {
      if (this.reading === mine) this.reading = undefined;
    });
    return mine;
  }

  private async readWhileStale(): Promise<void> {
    while (this.stale) {
      this.stale = false;
      const { signal } = this;
      if (!this.signedIn) return;
      const view = await this.look().catch(suspended);
      if (signal.aborted) return;
      this.view = view;
      this.away = "";
    }
  }

  private async look(): Promise<View> {
    const { api } = this;
    const onboarding = await this.read(api.GET("/v1/onboarding"));
    if (!onboarding.discovery_ready) return { kind: "onboarding", missing: onboarding.missing_fields };
    if (!this.hobbies.length) this.hobbies = (await this.read(api.GET("/v1/hobbies"))).hobbies;
    const dashboard = await this.read(api.GET("/v1/dashboard"));
    clock.set(dashboard.server_time);
    const [streak] = dashboard.streaks;
    return streak ? this.lookAtStreak(streak) : this.lookAtDiscovery();
  }

  private async lookAtStreak(streak: Streak): Promise<View> {
    const { api } = this;
    const { streak_id, connection_id, state } = streak;
    const params = { path: { streak_id } };
    const [{ cards }, { reveals }, { nudges }, connected] = await Promise.all([
      this.read(api.GET("/v1/partners")),
      this.read(api.GET("/v1/streaks/{streak_id}/reveals", { params })),
      state === AT_RISK ? this.read(api.GET("/v1/streaks/{streak_id}/nudges", { params })) : { nudges: [] },
      state === COMPLETED
        ? this.read(api.GET("/v1/connections/{connection_id}", { params: { path: { connection_id } } }))
        : undefined,
    ]);
    return {
      kind: "streak",
      streak,
      card: cards.find((each) => each.connection_id === connection_id)?.card,
      reveals,
      // Not by its number: a day that was recovered keeps it, and has a new date (ST-08).
      nudges: nudges.filter((each) => isSame(each.check_in_date, streak.check_in_date)),
      chatUnlockedAt: connected?.connection?.chat_unlocked_at,
    };
  }

  private async lookAtDiscovery(): Promise<View> {
    const { servers } = await this.read(this.api.GET("/v1/servers"));
    if (!servers.some((each) => each.server_type === PARTNER && each.joined)) {
      const { answers } = await this.read(this.api.GET("/v1/personality/answers"));
      return answers.length || this.skipsQuestions ? { kind: "servers", servers } : { kind: "questions" };
    }
    const params = { path: { server_type: PARTNER } as const };
    const answer = await this.read(this.api.GET("/v1/servers/{server_type}/screen", { params }));
    clock.set(answer.server_time);
    if (!answer.screen) throw new TypeError("the screen is missing in the answer");
    return { kind: "discovery", screen: answer.screen };
  }
}

/** The screen of a member who is suspended, whom every call but an appeal refuses (SA-06). */
function suspended(error: unknown): View {
  if (error instanceof Refusal && error.problem.reason === SUSPENDED) return { kind: "suspended", message: error.message };
  throw error;
}

function isSame(one: Schemas["Date"] | undefined, other: Schemas["Date"] | undefined): boolean {
  return one?.year === other?.year && one?.month === other?.month && one?.day === other?.day;
}
