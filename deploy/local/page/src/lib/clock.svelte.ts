/** The rule clock as the page shows it: it ticks here, from the last time that a server told. */

class Ticking {
  private told = $state({ time: Date.now(), at: performance.now() });
  private ticks = $state(performance.now());

  constructor() {
    setInterval(() => (this.ticks = performance.now()), 1000);
  }

  /** Take over the time of an answer, RFC 3339. The rule clock never goes back: an earlier time came late. */
  set(serverTime: string | undefined): void {
    const time = Date.parse(serverTime ?? "");
    if (!(time >= this.told.time)) return;
    const at = performance.now();
    this.told = { time, at };
    this.ticks = at;
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return this.told.time + Math.max(0, this.ticks - this.told.at);
  }
}

export const clock = new Ticking();

/** The time that is left until then, such as "5 h 03 min" or "42 s". */
export function left(until: string | undefined): string {
  if (!until) return "";
  const seconds = Math.max(0, Math.ceil((Date.parse(until) - clock.now) / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (hours) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  return minutes ? `${minutes} min ${String(seconds % 60).padStart(2, "0")} s` : `${seconds} s`;
}

/** A time in a zone, such as "Tue 3 Jun, 18:04". */
export function moment(time: string | number, zone = "UTC"): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    timeZone: zone,
  });
  return parts.format(new Date(time));
}
