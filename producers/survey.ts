import type { DeadLetter, DeadLetterReason, Trade } from '../contracts/generated/events.ts';
import { EXAMPLES_MAX, OrderClock, type OrderCounts } from './survey-order.ts';
import { MetTrades } from './survey-identities.ts';
import type { FileRow } from './rows.ts';

/** A file with more instruments than this is not market data; the memory per instrument stays bounded. */
export const INSTRUMENTS_MAX = 10_000;
/** The share of rows that may be refused without consent, percent. */
export const REFUSED_PERCENT_MAX = 1;
/** Bytes shown of a refused row. */
const EXCERPT_BYTES_MAX = 80;

/** The survey of one instrument in a file. */
export interface InstrumentSurvey {
  /** Trades, the repeated ones included. */
  readonly rows: number;
  readonly firstEventTimeUs: number;
  readonly lastEventTimeUs: number;
  /** Rows with the id and the event time of a row before them. */
  readonly repeated: number;
  /** Lines of the first of them. */
  readonly firstRepeated: readonly number[];
  /** The order of the others. */
  readonly order: OrderCounts;
}

/** A row that was refused, for people. */
export interface RefusedRow {
  readonly line: number;
  readonly detail: string;
  /** Beginning of the row. */
  readonly text: string;
}

/** The rows refused for one reason. */
export interface RefusedRows {
  readonly count: number;
  readonly first: readonly RefusedRow[];
}

export type RefusedByReason = Readonly<Partial<Record<DeadLetterReason, RefusedRows>>>;

/** The survey of a file, before anything is done with it. */
export interface Survey {
  readonly trades: number;
  readonly refused: number;
  /** Lines that are legitimately not trades. */
  readonly notTrades: number;
  readonly instruments: ReadonlyMap<string, InstrumentSurvey>;
  readonly refusedByReason: RefusedByReason;
}

/**
 * Counts rows as they pass. Memory is bounded, whatever the file: see {@link MetTrades} and the constants named there.
 */
export class Surveyor {
  private readonly met = new MetTrades();
  private readonly instruments = new Map<string, InstrumentCounts>();
  private readonly refusals = new RefusalCounts();
  private trades = 0;
  private notTrades = 0;

  /** @throws RangeError beyond {@link INSTRUMENTS_MAX}, in words that follow "the file has" */
  accept(row: FileRow): void {
    if (row.kind === 'trade') this.acceptTrade(row.trade, row.line);
    else if (row.kind === 'dead-letter') this.refusals.add(row.deadLetter);
    else if (row.kind === 'not-a-trade') this.notTrades += 1;
  }

  survey(): Survey {
    return {
      trades: this.trades,
      refused: this.refusals.count,
      notTrades: this.notTrades,
      instruments: new Map([...this.instruments].sort(byName).map(([name, counts]) => [name, counts.survey()])),
      refusedByReason: this.refusals.byReason(),
    };
  }

  private acceptTrade(trade: Trade, line: number): void {
    this.trades += 1;
    let counts = this.instruments.get(trade.instrument);
    if (counts === undefined) {
      if (this.instruments.size >= INSTRUMENTS_MAX) throw new RangeError(`more than ${INSTRUMENTS_MAX} instruments`);
      this.instruments.set(trade.instrument, (counts = new InstrumentCounts()));
    }
    counts.add(trade.eventTime, line, this.met.add(trade));
  }
}

class InstrumentCounts {
  private readonly clock = new OrderClock();
  private readonly firstRepeated: number[] = [];
  private rows = 0;
  private repeated = 0;
  private firstEventTimeUs = Number.POSITIVE_INFINITY;
  private lastEventTimeUs = Number.NEGATIVE_INFINITY;

  add(eventTimeUs: number, line: number, isNew: boolean): void {
    this.rows += 1;
    if (isNew) {
      this.clock.accept(eventTimeUs, line);
      if (eventTimeUs < this.firstEventTimeUs) this.firstEventTimeUs = eventTimeUs;
      if (eventTimeUs > this.lastEventTimeUs) this.lastEventTimeUs = eventTimeUs;
    } else {
      this.repeated += 1;
      if (this.firstRepeated.length < EXAMPLES_MAX) this.firstRepeated.push(line);
    }
  }

  survey(): InstrumentSurvey {
    const { rows, firstEventTimeUs, lastEventTimeUs, repeated, firstRepeated } = this;
    return { rows, firstEventTimeUs, lastEventTimeUs, repeated, firstRepeated, order: this.clock.counts() };
  }
}

/** Refused rows by reason, the first of each kept. The reasons are a closed catalogue, so the memory is bounded. */
class RefusalCounts {
  private readonly reasons = new Map<DeadLetterReason, { count: number; first: RefusedRow[] }>();
  count = 0;

  add({ reason, detail, payload, source }: DeadLetter): void {
    this.count += 1;
    let refused = this.reasons.get(reason);
    if (refused === undefined) this.reasons.set(reason, (refused = { count: 0, first: [] }));
    refused.count += 1;
    if (refused.first.length >= EXAMPLES_MAX) return;
    const text = payload.subarray(0, EXCERPT_BYTES_MAX).toString('utf8');
    refused.first.push({ line: source.position, detail, text });
  }

  byReason(): RefusedByReason {
    return Object.fromEntries([...this.reasons].sort((left, right) => right[1].count - left[1].count));
  }
}

function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}
