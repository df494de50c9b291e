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
}

export class Session {
  readonly api: Client<paths> = createFetchClient<paths>({ fetch: (request) => this.send(request) });
  private kept = $state<Kept>({ number: "", userId: "", unanswered: {} });
  private leaving = new AbortController();
  private renewal?: Promise<boolean>;

  /** `name` is under which the tab remembers it; nothing leaves the tab. */
  constructor(private readonly name: string) {
    const text = sessionStorage.getItem(name);
    if (text) this.kept = JSON.parse(text) as Kept;
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

  /** Forget the member. */
  leave(): void {
    this.leaving.abort();
    this.leaving = new AbortController();
    this.kept = { number: "", userId: "", unanswered: {} };
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
    if (answer.status !== 401 || !token || !(await this.renewed(token))) return answer;
    return fetch(again, { headers: this.headers(again), signal });
  }

  /** New tokens for the old ones. Raises Refusal if there are none to be had. */
  protected async renew(): Promise<Tokens> {
    const refresh_token = this.kept.tokens?.refresh_token ?? "";
    const client = createFetchClient<paths>();
    const answer = await this.write([RENEWAL, refresh_token], (request_id) =>
      client.POST("/v1/sessions:refresh", { body: { request_id, refresh_token } }),
    );
    if (!answer.tokens) throw refusal(500, undefined);
    return answer.tokens;
  }

  /** Whether there are newer tokens than this one. Only one refresh is under way at a time: each token is good once. */
  private async renewed(old: string): Promise<boolean> {
    if (this.kept.tokens && this.kept.tokens.access_token !== old) return true;
    this.renewal ??= this.tryToRenew().finally(() => (this.renewal = undefined));
    return this.renewal;
  }

  private async tryToRenew(): Promise<boolean> {
    const { signal } = this;
    try {
      const tokens = await this.renew();
      if (signal.aborted) return false;
      this.begin(this.kept.number, this.kept.userId, tokens);
      return true;
    } catch (error) {
      if (error instanceof Refusal && !error.mayComeAgain && !signal.aborted) this.leave();
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

  private keep(): void {
    sessionStorage.setItem(this.name, JSON.stringify(this.kept));
  }
}
