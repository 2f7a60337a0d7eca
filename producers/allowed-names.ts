import { nearestOf } from '../contracts/nearest-name.ts';

/** An instrument that was to be read but that no row of the file names. */
export interface AbsentName {
  readonly instrument: string;
  /** The file's own name that was probably meant. */
  readonly nearest: string | undefined;
}

/** Names of a file that are kept to suggest from. */
const NAMES_KEPT_MAX = 4_096;

/** Compares the requested instruments with those that a file has. */
export class AllowedNames {
  readonly #allowed: ReadonlySet<string>;
  readonly #unseen: Set<string>;
  readonly #others = new Set<string>();

  constructor(allowed: ReadonlySet<string>) {
    this.#allowed = allowed;
    this.#unseen = new Set(allowed);
  }

  see(instrument: string): void {
    this.#unseen.delete(instrument);
    if (!this.#allowed.has(instrument) && this.#others.size < NAMES_KEPT_MAX) this.#others.add(instrument);
  }

  /** Whether each was seen: reading further can then change nothing. */
  get areAllSeen(): boolean {
    return this.#unseen.size === 0;
  }

  /** Whether the file has instruments, but none that may be read. */
  get isNoneSeen(): boolean {
    return this.#unseen.size === this.#allowed.size && this.#others.size > 0;
  }

  absent(): readonly AbsentName[] {
    const others = [...this.#others];
    return [...this.#unseen].map((instrument) => ({ instrument, nearest: nearestOf(instrument, others) }));
  }
}

/** For people: `no row is of BTC-USTD@binance (did you mean BTC-USDT@binance?)`. */
export function absenceOf({ instrument, nearest }: AbsentName): string {
  return `no row is of ${instrument}${nearest === undefined ? '' : ` (did you mean ${nearest}?)`}`;
}
