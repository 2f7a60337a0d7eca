import { ApiProblem } from './problems.ts';

/** Runs at most so many pieces of work at a time; further ones are refused, not queued. */
export class Bounded {
  readonly #what: string;
  readonly #max: number;
  #running = 0;

  /** @param what - for people: `audits`. */
  constructor(what: string, max: number) {
    this.#what = what;
    this.#max = max;
  }

  /**
   * @param work - holds its place until it ends, even where nobody waits for it any more.
   * @throws ApiProblem BUSY
   */
  async run<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.#running >= this.#max) {
      throw new ApiProblem(
        'BUSY',
        `${this.#max} ${this.#what} are under way, as many as this server does at a time: ask again in some seconds.`,
      );
    }
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
    }
  }
}

/** A value that many ask for: computed once at a time, and kept for a while. A failure is not kept. */
export class Shared<Value> {
  readonly #keptMs: number;
  readonly #compute: () => Promise<Value>;
  readonly #nowMs: () => number;
  #computing: Promise<Value> | undefined;
  #kept: { readonly value: Value; readonly untilMs: number } | undefined;

  constructor(keptMs: number, compute: () => Promise<Value>, nowMs = () => performance.now()) {
    this.#keptMs = keptMs;
    this.#compute = compute;
    this.#nowMs = nowMs;
  }

  get(): Promise<Value> {
    if (this.#kept !== undefined && this.#nowMs() < this.#kept.untilMs) return Promise.resolve(this.#kept.value);
    this.#computing ??= this.#compute()
      .then((value) => {
        this.#kept = { value, untilMs: this.#nowMs() + this.#keptMs };
        return value;
      })
      .finally(() => {
        this.#computing = undefined;
      });
    return this.#computing;
  }
}

/** Values of the same kind, each {@link Shared}. */
export class SharedByKey<Value> {
  readonly #keptMs: number;
  readonly #max: number;
  readonly #byKey = new Map<string, Shared<Value>>();

  /** @param max - keys that are kept; the oldest is dropped first. */
  constructor(keptMs: number, max: number) {
    this.#keptMs = keptMs;
    this.#max = max;
  }

  get(key: string, compute: () => Promise<Value>): Promise<Value> {
    let shared = this.#byKey.get(key);
    if (shared === undefined) {
      const [oldest] = this.#byKey.keys();
      if (this.#byKey.size >= this.#max && oldest !== undefined) this.#byKey.delete(oldest);
      this.#byKey.set(key, (shared = new Shared(this.#keptMs, compute)));
    }
    return shared.get();
  }
}
