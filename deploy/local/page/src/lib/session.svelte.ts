/** The session of one phone: its tokens, its calls, and the ids of requests that have no answer yet. */
import createFetchClient, { type Client } from "openapi-fetch";

import type { paths } from "../schema.js";
import { Refusal, refusal, type Schemas } from "./problem.js";

export type Tokens = Pick<Schemas["identity.SessionTokens"], "access_token" | "refresh_token">;
export type Answer<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

const ANSWER_WITHIN = 60_000;
export const RENEWAL = "new tokens";

/** What outlives a reload of the page. */
interface Kept {
  number: string;
  userId: string;
  tokens?: Tokens;
  unanswered: Record<string, string>;
  purchases: Record<string, Purchase<unknown>>;
}

/** What several calls carry out together, such as a payment. */
interface Purchase<T> {
  requestId: string;
  order: T;
}

const NOBODY: Kept = { number: "", userId: "", unanswered: {}, purchases: {} };

export class Session {
  readonly api: Client<paths> = createFetchClient<paths>({ fetch: (request) => this.send(request) });
  /** Why this is not the newest, or why the member was signed out; empty when all is well. */
  away = $state("");
  private kept = $state<Kept>(structuredClone(NOBODY));
  private leaving = new AbortController();
  private renewal: Promise<boolean> | undefined;

  /** `name` is under which the tab remembers it; nothing leaves the tab. */
  constructor(private readonly name: string) {
    const text = sessionStorage.getItem(name);
    if (text) this.kept = { ...this.kept, ...(JSON.parse(text) as Kept) };
  }

  get signedIn(): boolean {
    return this.kept.tokens !== undefined;
  }

  get number(): string {
    return this.kept.number;
  }

  get userId(): string {
    return this.kept.userId;
  }

  /** Ends when this member leaves the phone; whatever is under way then is given up. */
  get signal(): AbortSignal {
    return this.leaving.signal;
  }

  begin(number: string, userId: string, tokens: Tokens): void {
    this.kept = { ...this.kept, number, userId, tokens };
    this.keep();
  }

  /** Forget the member. `why` says it, if it is not the member's own wish. */
  leave(why = ""): void {
    this.away = why;
    this.leaving.abort();
    this.leaving = new AbortController();
    this.renewal = undefined;
    this.kept = structuredClone(NOBODY);
    this.keep();
  }

  /** The answer of a call that changes nothing. Raises Refusal. */
  async read<T>(call: Answer<T>): Promise<T> {
    const { data, error, response } = await call;
    if (!response.ok) throw refusal(response.status, error);
    return data as T;
  }

  /**
   * The answer of a call that changes something. `what` names it with all that its body says: until it is answered,
   * the same call carries the same request_id, after a reload of the page too. Raises Refusal.
   */
  async write<T>(what: unknown[], call: (requestId: string) => Answer<T>): Promise<T> {
    const key = JSON.stringify(what);
    const requestId = (this.kept.unanswered[key] ??= crypto.randomUUID());
    this.keep();
    try {
      const answer = await this.read(call(requestId));
      this.answered(key);
      return answer;
    } catch (error) {
      if (error instanceof Refusal && !error.mayComeAgain) this.answered(key);
      throw error;
    }
  }

  /**
   * Several calls that make one purchase. `what` names it. Until `work` has returned, or is refused for good, it is
   * begun again with the same request_id and the same order, after a reload of the page too.
   */
  async purchase<T>(what: unknown[], order: () => Promise<T>, work: (bought: Purchase<T>) => Promise<void>): Promise<void> {
    const key = JSON.stringify(what);
    const bought = (this.kept.purchases[key] ??= { requestId: crypto.randomUUID(), order: await order() }) as Purchase<T>;
    this.keep();
    try {
      await work(bought);
      this.bought(key);
    } catch (error) {
      if (error instanceof Refusal && !error.mayComeAgain) this.bought(key);
      throw error;
    }
  }

  /** Whether a purchase is begun and not at its end. */
  hasBegun(what: unknown[]): boolean {
    return JSON.stringify(what) in this.kept.purchases;
  }

  /** A request that is answered at once, as `stream`, or given up after a minute. */
  private send(request: Request): Promise<Response> {
    return this.stream(request, AbortSignal.timeout(ANSWER_WITHIN));
  }

  /** A request with the token of the moment; once more with a new one if that was over. */
  async stream(request: Request, ...ends: AbortSignal[]): Promise<Response> {
    const again = request.clone();
    const signal = AbortSignal.any([request.signal, this.signal, ...ends]);
    const token = this.kept.tokens?.access_token;
    const answer = await fetch(request, { headers: this.headers(request), signal });
    if (answer.status !== 401 || !token) return answer;
    const isNew = await this.renewed(token);
    signal.throwIfAborted();
    if (!isNew) return answer;
    return fetch(again, { headers: this.headers(again), signal });
  }

  /** New tokens for the old ones, until `signal` ends. Raises Refusal if there are none to be had. */
  protected async renew(signal: AbortSignal): Promise<Tokens> {
    const refresh_token = this.kept.tokens?.refresh_token ?? "";
    const client = createFetchClient<paths>();
    const answer = await this.write([RENEWAL, refresh_token], (request_id) =>
      client.POST("/v1/sessions:refresh", { body: { request_id, refresh_token }, signal }),
    );
    if (!answer.tokens) throw refusal(500, undefined);
    return answer.tokens;
  }

  /** Whether there are newer tokens than this one. Only one refresh is under way at a time: each token is good once. */
  private async renewed(old: string): Promise<boolean> {
    if (this.kept.tokens && this.kept.tokens.access_token !== old) return true;
    return (this.renewal ??= this.begunRenewal());
  }

  private begunRenewal(): Promise<boolean> {
    const mine = this.tryToRenew().finally(() => {
      if (this.renewal === mine) this.renewal = undefined;
    });
    return mine;
  }

  private async tryToRenew(): Promise<boolean> {
    const { signal } = this;
    try {
      const tokens = await this.renew(AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN)]));
      if (signal.aborted) return false;
      this.begin(this.kept.number, this.kept.userId, tokens);
      return true;
    } catch (error) {
      if (error instanceof Refusal && !error.mayComeAgain && !signal.aborted) this.leave(error.message);
      return false;
    }
  }

  private headers(request: Request): Headers {
    const headers = new Headers(request.headers);
    if (this.kept.tokens) headers.set("authorization", `Bearer ${this.kept.tokens.access_token}`);
    return headers;
  }

  private answered(key: string): void {
    delete this.kept.unanswered[key];
    this.keep();
  }

  private bought(key: string): void {
    delete this.kept.purchases[key];
    this.keep();
  }

  private keep(): void {
    sessionStorage.setItem(this.name, JSON.stringify(this.kept));
  }
}
