import type { Trade } from '../contracts/generated/events.ts';
import type { Holdings, KeptRow } from './ingest.ts';
import { MetTrades } from './survey-identities.ts';
import { OrderClock, type MisplacedRow, type OrderCounts } from './survey-order.ts';
import type { Survey } from './survey.ts';

/** The counts of one instrument's trades, by what happened to them. */
export interface InstrumentReport {
  /** Trades read: `appended` + `alreadyThere` + `repeated`. */
  readonly rows: number;
  readonly appended: number;
  readonly alreadyThere: number;
  readonly repeated: number;
  /** Lines of the first repeated rows. */
  readonly firstRepeated: readonly number[];
  /** Appended trades that come after newer ones: they count into their session and decide nothing. */
  readonly late: number;
  readonly firstLate: readonly MisplacedRow[];
  readonly largestStepBackUs: number;
  /** Appended trades stamped far ahead of all around them. */
  readonly stray: number;
  readonly firstStray: readonly MisplacedRow[];
  /** Seconds that have only late trades, and so no decision. */
  readonly silencedSeconds: number;
}

/** Separates the rows to append from those already on the tape and those repeated in the file. */
class RowFilter {
  private readonly holdings: Holdings;
  private readonly met: MetTrades | undefined;

  constructor(survey: Survey, holdings: Holdings) {
    this.holdings = holdings;
    // Nothing needs to be remembered of a file in which no row is repeated.
    const hasRepeated = [...survey.instruments.values()].some(({ repeated }) => repeated > 0);
    this.met = hasRepeated ? new MetTrades() : undefined;
  }

  /** Feed it every row once. */
  kindOf(row: KeptRow): 'new' | 'there' | 'repeated' {
    if (row.kind === 'trade' && this.met?.add(row.trade) === false) return 'repeated';
    return this.holdings.has(row) ? 'there' : 'new';
  }
}

/** The order of the rows that are not yet on the tape, and how they follow its end. Feed it the file once. */
export class MissingRows {
  private readonly filter: RowFilter;
  private readonly holdings: Holdings;
  private readonly inFile = new Map<string, OrderClock>();
  private readonly behindTape = new Map<string, OrderClock>();

  constructor(survey: Survey, holdings: Holdings) {
    this.filter = new RowFilter(survey, holdings);
    this.holdings = holdings;
  }

  accept(trade: Trade, line: number): void {
    if (this.filter.kindOf({ kind: 'trade', trade }) !== 'new') return;
    const { instrument, eventTime } = trade;
    const after = this.holdings.clockOf(instrument);
    clockIn(this.inFile, instrument, () => new OrderClock()).accept(eventTime, line);
    clockIn(this.behindTape, instrument, () => new OrderClock({ after, isSorted: true })).accept(eventTime, line);
  }

  /** Late by other rows of the file. */
  ordersInFile(): Map<string, OrderCounts> {
    return countsOf(this.inFile);
  }

  /** Late by the tape, in whatever order they are appended. */
  ordersBehindTape(): Map<string, OrderCounts> {
    return countsOf(this.behindTape);
  }
}

/** Counts the rows of a file by result and instrument. */
export class FileCounts {
  private readonly filter: RowFilter;
  private readonly survey: Survey;
  private readonly holdings: Holdings;
  private readonly instruments = new Map<string, InstrumentCounts>();
  appended = 0;
  alreadyThere = 0;
  deadLetters = 0;
  deadLettersAppended = 0;
  notTrades = 0;

  constructor(survey: Survey, holdings: Holdings) {
    this.filter = new RowFilter(survey, holdings);
    this.survey = survey;
    this.holdings = holdings;
  }

  /**
   * Whether the row need not be appended; it is then counted as such. Feed it every row once, in the order of
   * appending.
   */
  passesOver(row: KeptRow): boolean {
    const kind = this.filter.kindOf(row);
    if (kind === 'new') return false;
    if (row.kind === 'dead-letter') this.deadLetters += 1;
    else if (kind === 'there') {
      this.of(row.trade.instrument).alreadyThere += 1;
      this.alreadyThere += 1;
    } else this.of(row.trade.instrument).repeated += 1;
    return true;
  }

  /** Counts a row that will be appended. */
  take(row: KeptRow, line: number): void {
    if (row.kind === 'dead-letter') this.deadLetters += 1;
    else this.of(row.trade.instrument).clock.accept(row.trade.eventTime, line);
  }

  /** Counts a trade that all replicas have. */
  appendedTrade(instrument: string): void {
    this.of(instrument).appended += 1;
    this.appended += 1;
  }

  byInstrument(): Record<string, InstrumentReport> {
    const names = [...this.instruments.keys()].sort();
    return Object.fromEntries(names.map((name) => [name, this.reportOf(name)]));
  }

  private reportOf(name: string): InstrumentReport {
    const { appended, alreadyThere, repeated, clock } = this.of(name);
    const { late, firstLate, largestStepBackUs, stray, firstStray, silencedSeconds } = clock.counts();
    return {
      rows: appended + alreadyThere + repeated,
      ...{ appended, alreadyThere, repeated, firstRepeated: this.survey.instruments.get(name)?.firstRepeated ?? [] },
      ...{ late, firstLate, largestStepBackUs, stray, firstStray, silencedSeconds },
    };
  }

  private of(instrument: string): InstrumentCounts {
    let counts = this.instruments.get(instrument);
    if (counts === undefined) {
      const clock = new OrderClock({ after: this.holdings.clockOf(instrument) });
      this.instruments.set(instrument, (counts = { appended: 0, alreadyThere: 0, repeated: 0, clock }));
    }
    return counts;
  }
}

interface InstrumentCounts {
  appended: number;
  alreadyThere: number;
  repeated: number;
  /** The order in which the rows are appended, after the end of the tape. */
  readonly clock: OrderClock;
}

function clockIn(clocks: Map<string, OrderClock>, instrument: string, create: () => OrderClock): OrderClock {
  let clock = clocks.get(instrument);
  if (clock === undefined) clocks.set(instrument, (clock = create()));
  return clock;
}

function countsOf(clocks: ReadonlyMap<string, OrderClock>): Map<string, OrderCounts> {
  return new Map([...clocks].map(([name, clock]) => [name, clock.counts()]));
}
