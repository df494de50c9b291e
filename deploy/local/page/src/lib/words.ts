/** Names of the contract in words. */

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;
const ENUM = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/;
/** Fields that say nothing to a person, or what stands beside the event already. */
const UNTOLD = ["version", "occurred_at", "recorded_at", "user_a_id", "user_b_id"];
/** What stands before the value in the contract's enums. */
const PREFIX =
  /^(STREAK_STATE|EFFORT_SIGNAL|SERVER_TYPE|REVEAL_STATUS|PAYMENT_PURPOSE|PAYMENT_STATUS|PAYMENT_METHOD|CASE_ORIGIN|CASE_STATUS|FLAG_PATTERN|REPORT_CATEGORY|REPORT_STATE|DECISION|INTEREST_STATUS|CONNECTION_STATUS|GENDER|TIER|AGE_BAND|[A-Z]+_REASON)_/;

/** `payment_window`, `PaymentWindow` and `STREAK_STATE_PAYMENT_WINDOW` are all "payment window". */
export function words(name: string): string {
  return name
    .replace(PREFIX, "")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase();
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The age band of a card, such as "30–34". */
export function ageBand(name: string | undefined): string {
  const [, from, until] = /(\d+)_(?:TO_)?(\d+)/.exec(name ?? "") ?? [];
  return from ? `${from}–${until}` : capital(words(name ?? ""));
}

/** A price in minor units, such as "$2.99". */
export function price(amount: string, currency: string): string {
  return new Intl.NumberFormat("en", { style: "currency", currency }).format(Number(amount) / 100);
}

/** The fields of an event in words. `names` says who the members are; other ids are left out, as is what says nothing. */
export function fields(event: Record<string, unknown>, names: Record<string, string>): [string, string][] {
  return Object.entries(event).flatMap(([key, content]) => {
    const shown = UNTOLD.includes(key) ? "" : value(content, names);
    return shown ? [[words(key.replace(/_id$/, "")), shown] as [string, string]] : [];
  });
}

function value(content: unknown, names: Record<string, string>): string {
  if (Array.isArray(content)) return content.map((each) => value(each, names)).filter(Boolean).join(", ");
  if (typeof content === "object" && content !== null) return date(content as Record<string, unknown>);
  const text = String(content ?? "");
  if (names[text]) return names[text];
  if (ID.test(text)) return "";
  if (TIME.test(text)) return text.slice(0, 16).replace("T", " ");
  return ENUM.test(text) ? words(text) : text;
}

function date(content: Record<string, unknown>): string {
  if (!("year" in content)) return Object.values(content).map(String).join(" ");
  return [content.year, content.month, content.day].map((each) => String(each).padStart(2, "0")).join("-");
}
