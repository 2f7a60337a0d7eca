import type { ContextSignal } from '../../contracts/generated/events.ts';
import type { Refusal } from '../../contracts/trade-rules.ts';
import { contentOf, StatePart, type Part } from '../state-pages.ts';
import { SignalBook, type BookFate } from './signal-book.ts';
import { signalOf, type Signal } from './signal.ts';

/** The fate of a well-formed signal: `EXPIRED` when it is over at the clock of every instrument that it is about. */
export type SignalFate = BookFate | 'EXPIRED';

/** Numbers of signals of a partition by fate, since the beginning of the tape; refused ones are dead letters. */
export interface SignalCounts {
  readonly taken: number;
  readonly repeated: number;
  readonly expired: number;
  readonly crowdedOut: number;
}

const COUNTED_AS = {
  TAKEN: 'taken',
  REPEATED: 'repeated',
  EXPIRED: 'expired',
  CROWDED_OUT: 'crowdedOut',
} as const satisfies Readonly<Record<SignalFate, keyof SignalCounts>>;

/** Why a signal has no effect, for people. */
export const SIGNAL_SET_ASIDE_WORDS: Readonly<Record<Exclude<SignalFate, 'TAKEN'>, string>> = {
  REPEATED: 'repeated: it is held already',
  EXPIRED: 'expired: its validity ends before the market time of every instrument that it is about',
  CROWDED_OUT: 'crowded out: as many of its kind are held that are valid for longer',
};

const NONE_HEARD: SignalCounts = { taken: 0, repeated: 0, expired: 0, crowdedOut: 0 };

interface SignalsOfInstrument {
  readonly name: string;
  readonly signals: readonly Signal[];
}

/** State of a {@link PartitionContext}, plain except for the parts in it. */
export interface ContextState {
  readonly counts: SignalCounts;
  /** About the whole market. */
  readonly market: readonly Signal[];
  /** Those that have any, by name. */
  readonly instruments: readonly Part<SignalsOfInstrument>[];
}

/** The instruments of a partition, by name, each with its market time. */
type Instruments = ReadonlyMap<string, { readonly timeUs: number }>;

/** The signals of one partition. It has a state from its first signal on: other tapes have the states that they had. */
export class PartitionContext {
  private counted: SignalCounts;
  private readonly market: SignalBook;
  private readonly books = new Map<string, SignalBook>();
  /** As last written; a part is absent once a signal has changed its book. */
  private readonly writtenParts = new Map<string, StatePart<SignalsOfInstrument>>();

  constructor(state?: ContextState) {
    this.counted = state?.counts ?? NONE_HEARD;
    this.market = new SignalBook(state?.market);
    for (const { name, signals } of state?.instruments.map(contentOf) ?? []) {
      this.books.set(name, new SignalBook(signals));
    }
  }

  get counts(): SignalCounts {
    return this.counted;
  }

  /**
   * Takes in a well-formed signal.
   *
   * @param instruments - those that the partition has had trades of.
   * @returns its fate, or why it is refused: then nothing has changed.
   */
  hear(event: ContextSignal, offset: number, instruments: Instruments): SignalFate | Refusal {
    const { instrument, validUntil } = event;
    if (instrument !== null && !instruments.has(instrument)) {
      const detail = `no trade of the instrument ${instrument} is before this signal in its partition of the tape`;
      return { reason: 'INSTRUMENT_NOT_ALLOWED', detail };
    }
    const fate = isOver(instrument, validUntil, instruments)
      ? 'EXPIRED'
      : this.bookOf(instrument).add(signalOf(event, offset));
    if (fate === 'TAKEN' && instrument !== null) this.writtenParts.delete(instrument);
    const count = COUNTED_AS[fate];
    this.counted = { ...this.counted, [count]: this.counted[count] + 1 };
    return fate;
  }

  /** The signals in force for an instrument at its market time, microseconds: its own, then those about the market. */
  inForce(instrument: string, timeUs: number): readonly Signal[] {
    const ofMarket = this.market.inForceAt(timeUs);
    const own = this.books.get(instrument)?.inForceAt(timeUs);
    return own === undefined ? ofMarket : [...own, ...ofMarket];
  }

  /** Undefined before the first signal. */
  toState(): ContextState | undefined {
    if (this.counted === NONE_HEARD) return undefined;
    const names = [...this.books.keys()].sort();
    return {
      counts: this.counted,
      market: this.market.toState(),
      instruments: names.map((name) => this.partOf(name)),
    };
  }

  private bookOf(instrument: string | null): SignalBook {
    if (instrument === null) return this.market;
    let book = this.books.get(instrument);
    if (book === undefined) this.books.set(instrument, (book = new SignalBook()));
    return book;
  }

  private partOf(name: string): StatePart<SignalsOfInstrument> {
    let part = this.writtenParts.get(name);
    if (part === undefined) {
      const content = { name, signals: this.bookOf(name).toState() };
      this.writtenParts.set(name, (part = new StatePart(() => content)));
    }
    return part;
  }
}

function isOver(instrument: string | null, validUntil: number, instruments: Instruments): boolean {
  if (instrument !== null) return (instruments.get(instrument)?.timeUs ?? 0) >= validUntil;
  return instruments.size > 0 && [...instruments.values()].every(({ timeUs }) => timeUs >= validUntil);
}
