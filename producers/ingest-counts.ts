import type { Trade } from '../contracts/generated/events.ts';
import type { Holdings, KeptRow } from './ingest.ts';
import { MetTrades } from './survey-identities.ts';
import { OrderClock, type MisplacedRow, type OrderCounts } from './survey-order.ts';
import type { Survey } from './survey.ts';

/** What became of the trades of one instrument. */
export interface InstrumentReport {
  /** Trades read: `appended` + `alreadyThere` + `repeated`. */
  readonly rows: number;
  readonly appended: number;
  readonly alreadyThere: number;
  readonly repeated: number;
  /** Lines of the first repeated rows. */
  readonly firstRepeated: readonly number[];
  /** Of those appended, the ones after newer ones: they count into their session and decide nothing. */
  readonly late: number;
  readonly firstLate: readonly MisplacedRow[];
  readonly largestStepBackUs: number;
  /** Of those appended, the ones stamped far ahead of all around them. */
  readonly stray: number;
  readonly firstStray: readonly MisplacedRow[];
  /** Seconds whose only trades come late, so that there is no decision in them. */
  readonly silencedSeconds: number;
}

/** Tells the rows to append from those that are there, and from those that stand in the file a second time. */
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

/** How the rows that are not there yet follow each other, and the end of the tape. Feed it the file once. */
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

  /** By other rows of the file. */
  ordersInFile(): Map<string, OrderCounts> {
    return countsOf(this.inFile);
  }

  /** By the tape, in whatever order they are appended. */
  ordersBehindTape(): Map<string, OrderCounts> {
    return countsOf(this.behindTape);
  }
}

/** Counts what becomes of the rows of a file, by instrument. */
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

  /** Whether the row needs not be appended; it is counted as that. Feed it every row once, in the order of appending. */
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

  /** Counts a row that is to be appended. */
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
  /** As the rows are appended, after the end of the tape. */
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
