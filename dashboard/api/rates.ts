/** Beyond this, a look is too old to be compared with. */
const WINDOW_MS = 60_000;
/** A look a second for the whole window; the answers that need them are made less often. */
const LOOKS_MAX = 60;
const MS_PER_SECOND = 1_000;

interface Look {
  readonly atMs: number;
  readonly counters: ReadonlyMap<string, number>;
}

/** Rates of counters that only grow, from looking at them now and then: positions in logs. */
export class Rates {
  #looks: Look[] = [];

  /**
   * Takes the counters as they are now.
   *
   * @returns per second since the oldest look within the last minute; null for a counter that it did not have, or that is
   *   smaller now: a log that was recreated.
   */
  look(counters: ReadonlyMap<string, number>, nowMs: number): (name: string) => number | null {
    this.#looks = this.#looks.filter(({ atMs }) => atMs < nowMs && nowMs - atMs <= WINDOW_MS).slice(1 - LOOKS_MAX);
    const [oldest] = this.#looks;
    this.#looks.push({ atMs: nowMs, counters });
    return (name) => {
      const [before, now] = [oldest?.counters.get(name), counters.get(name)];
      if (oldest === undefined || before === undefined || now === undefined || now < before) return null;
      return ((now - before) / (nowMs - oldest.atMs)) * MS_PER_SECOND;
    };
  }
}
