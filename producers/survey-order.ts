/** A decision is made at the first on-time trade of each second, unless another cadence is configured. */
const CADENCE_US = 1_000_000;
/** A row this far behind its instrument's clock is capture jitter, and silences nothing that matters. */
export const JITTER_US_MAX = 1_000_000;
/**
 * A row further ahead of its instrument's clock waits until others confirm that time advanced: the engine's default.
 */
export const STEP_US_MAX = 3_600_000_000;
/**
 * The number of rows beyond that step that confirm it, the engine's default; the same number of first rows settles the
 * clock.
 */
export const CONFIRMING_ROWS = 3;
/** The most rows that wait at the same time; beyond it the oldest counts as stray. */
const WAITING_ROWS_MAX = 64;
/** Share of an instrument's seconds that may be left without a decision by the order of its rows. */
export const SILENCED_SHARE_MAX = 0.01;
/** From this share of late rows on, the file is not ordered by time, however short the steps back. */
export const LATE_SHARE_MAX = 0.5;
/** One stray stamp is an accident in a file of any length; more are judged by their share. */
export const STRAYS_MAX = 1;
/** The most rows named for each kind. */
export const EXAMPLES_MAX = 5;

/** Seconds with a decision are remembered this far back: 86,400 bits. A delay of more than a day is not jitter. */
const REMEMBERED_SECONDS = 86_400;
const BITS_PER_WORD = 32;
/** The line number of a row that is not in the file. */
const ON_THE_TAPE = 0;

/** The seconds of the last day that have a decision, or were counted as having none. */
class RecentSeconds {
  private readonly words: Uint32Array;
  private latest: number | undefined;

  constructor(before?: RecentSeconds) {
    this.words = before?.words.slice() ?? new Uint32Array(REMEMBERED_SECONDS / BITS_PER_WORD);
    this.latest = before?.latest;
  }

  /** Marks a second; false where it was already marked. One too far back to know counts as new. */
  add(second: number): boolean {
    this.moveTo(second);
    if (this.isForgotten(second)) return true;
    const slot = second % REMEMBERED_SECONDS;
    const word = Math.floor(slot / BITS_PER_WORD);
    const bit = 1 << (slot % BITS_PER_WORD);
    const before = this.words[word] ?? 0;
    this.words[word] = before | bit;
    return (before & bit) === 0;
  }

  isForgotten(second: number): boolean {
    return this.latest !== undefined && second <= this.latest - REMEMBERED_SECONDS;
  }

  private moveTo(second: number): void {
    if (this.latest !== undefined && second <= this.latest) return;
    const from = this.latest === undefined ? second : Math.max(this.latest + 1, second - REMEMBERED_SECONDS + 1);
    if (second - from + 1 >= REMEMBERED_SECONDS) this.words.fill(0);
    else for (let next = from; next <= second; next += 1) this.clear(next % REMEMBERED_SECONDS);
    this.latest = second;
  }

  private clear(slot: number): void {
    const word = Math.floor(slot / BITS_PER_WORD);
    this.words[word] = (this.words[word] ?? 0) & ~(1 << (slot % BITS_PER_WORD));
  }
}

/** A row that is not where its time belongs. */
export interface MisplacedRow {
  readonly line: number;
  /** How far from the instrument's clock, behind or ahead, microseconds. */
  readonly stepUs: number;
}

/** The order of one instrument's rows. */
export interface OrderCounts {
  readonly rows: number;
  /** Rows earlier than a row before them: they count into their session and decide nothing. */
  readonly late: number;
  readonly firstLate: readonly MisplacedRow[];
  readonly largestStepBackUs: number;
  /** Rows stamped far ahead of all around them. */
  readonly stray: number;
  readonly firstStray: readonly MisplacedRow[];
  /** Seconds that have rows. */
  readonly seconds: number;
  /** Those of them without a decision: all their rows are late. */
  readonly silencedSeconds: number;
}

export interface OrderClockStart {
  /** Continues from the end of the tape, with the tape's known seconds, and restarts the counts. */
  readonly after?: OrderClock | undefined;
  /** The rows are sorted before they are appended: only those before its start are late. */
  readonly isSorted?: boolean;
}

/** A row that is not yet proven to be where its time belongs. */
interface UnprovenRow {
  readonly eventTimeUs: number;
  /** {@link ON_THE_TAPE} where it was on the tape before the file. */
  readonly line: number;
}

/**
 * One instrument's clock, as in the engine: the latest event time. It finds the rows whose order silences decisions.
 * As in the engine, a row far ahead waits until {@link CONFIRMING_ROWS} confirm that time advanced, and is stray if a
 * row on time comes first. Until that many first rows have settled the clock, one far before them proves them stray.
 */
export class OrderClock {
  private readonly recent: RecentSeconds;
  private readonly isSorted: boolean;
  private clockUs: number | undefined;
  private waiting: readonly UnprovenRow[];
  private first: readonly UnprovenRow[];
  private isSettled: boolean;
  private readonly firstLate: MisplacedRow[] = [];
  private readonly firstStray: MisplacedRow[] = [];
  private rows = 0;
  private late = 0;
  private stray = 0;
  private largestStepBackUs = 0;
  private seconds = 0;
  private silencedSeconds = 0;
  private lastForgotten: number | undefined;

  constructor({ after, isSorted = false }: OrderClockStart = {}) {
    this.recent = new RecentSeconds(after?.recent);
    this.isSorted = isSorted;
    this.clockUs = after?.clockUs;
    this.waiting = (after?.waiting ?? []).map((row) => ({ ...row, line: ON_THE_TAPE }));
    this.first = (after?.first ?? []).map((row) => ({ ...row, line: ON_THE_TAPE }));
    this.isSettled = after?.isSettled ?? false;
  }

  /** Latest event time, microseconds, whether others confirm it or not; undefined before the first row. */
  get latestUs(): number | undefined {
    return this.waiting.reduce((latest, row) => Math.max(latest ?? 0, row.eventTimeUs), this.clockUs);
  }

  accept(eventTimeUs: number, line: number): void {
    this.rows += 1;
    const clockUs = this.clockUs ?? eventTimeUs;
    if (eventTimeUs < clockUs) this.acceptBehind(eventTimeUs, line, clockUs);
    // Rows that are sorted before they are appended confirm each other.
    else if (this.isSorted) this.decide(eventTimeUs);
    else if (eventTimeUs <= clockUs + STEP_US_MAX || this.isConfirmed(eventTimeUs)) this.moveTo(eventTimeUs, line);
    else this.wait({ eventTimeUs, line }, clockUs);
  }

  /** The counts so far. Rows that still wait are not misplaced: the file may end with them. */
  counts(): OrderCounts {
    const { rows, late, firstLate, largestStepBackUs, stray, firstStray, silencedSeconds } = this;
    const seconds = this.seconds + silencedSeconds;
    return { rows, late, firstLate, largestStepBackUs, stray, firstStray, seconds, silencedSeconds };
  }

  private acceptBehind(eventTimeUs: number, line: number, clockUs: number): void {
    const isContested = !this.isSettled && !this.isSorted && eventTimeUs < clockUs - STEP_US_MAX;
    if (!isContested) {
      this.placeLate(eventTimeUs, line, clockUs - eventTimeUs);
      return;
    }
    const limitUs = eventTimeUs + STEP_US_MAX;
    for (const row of this.first) if (row.eventTimeUs > limitUs) this.noteStray(row, eventTimeUs);
    this.first = this.first.filter((row) => row.eventTimeUs <= limitUs);
    this.clockUs = this.first.reduce((latestUs, row) => Math.max(latestUs, row.eventTimeUs), eventTimeUs);
    this.settleBy({ eventTimeUs, line });
    this.decide(eventTimeUs);
  }

  private isConfirmed(eventTimeUs: number): boolean {
    const before = this.waiting.filter((row) => row.eventTimeUs <= eventTimeUs);
    return before.length + 1 >= CONFIRMING_ROWS;
  }

  private moveTo(eventTimeUs: number, line: number): void {
    this.clockUs = eventTimeUs;
    if (this.waiting.length > 0) {
      for (const row of this.waiting) if (row.eventTimeUs > eventTimeUs + STEP_US_MAX) this.noteStray(row, eventTimeUs);
      this.waiting = [];
    }
    this.settleBy({ eventTimeUs, line });
    this.decide(eventTimeUs);
  }

  private wait(row: UnprovenRow, clockUs: number): void {
    const [oldest] = this.waiting;
    const isFull = this.waiting.length >= WAITING_ROWS_MAX;
    this.waiting = [...(isFull ? this.waiting.slice(1) : this.waiting), row];
    if (isFull && oldest !== undefined) this.noteStray(oldest, clockUs);
  }

  private settleBy(row: UnprovenRow): void {
    if (this.isSettled) return;
    const first = [...this.first, row];
    this.isSettled = first.length >= CONFIRMING_ROWS;
    this.first = first.length >= CONFIRMING_ROWS ? [] : first;
  }

  private noteStray({ eventTimeUs, line }: UnprovenRow, clockUs: number): void {
    if (line === ON_THE_TAPE) return;
    this.stray += 1;
    note(this.firstStray, { line, stepUs: eventTimeUs - clockUs });
  }

  private decide(eventTimeUs: number): void {
    if (this.recent.add(Math.floor(eventTimeUs / CADENCE_US))) this.seconds += 1;
  }

  private placeLate(eventTimeUs: number, line: number, behindUs: number): void {
    this.late += 1;
    this.largestStepBackUs = Math.max(this.largestStepBackUs, behindUs);
    note(this.firstLate, { line, stepUs: behindUs });
    if (behindUs <= JITTER_US_MAX) return;
    const second = Math.floor(eventTimeUs / CADENCE_US);
    if (this.recent.isForgotten(second)) {
      if (second === this.lastForgotten) return;
      this.lastForgotten = second;
      this.silencedSeconds += 1;
    } else if (this.recent.add(second)) this.silencedSeconds += 1;
  }
}

/**
 * Whether rows in this order would silence decisions: more than {@link SILENCED_SHARE_MAX} of the instrument's seconds
 * would be without one, or most rows come late, or more than a few are stamped far ahead of those around them.
 *
 * @param of the rows and seconds to take the share of, where the counts cover only a part of the file
 */
export function isOutOfOrder(
  { late, stray, silencedSeconds, ...counts }: OrderCounts,
  of: Pick<OrderCounts, 'rows' | 'seconds'> = counts,
): boolean {
  if (silencedSeconds > SILENCED_SHARE_MAX * of.seconds) return true;
  if (late > 0 && late >= LATE_SHARE_MAX * of.rows) return true;
  return stray > Math.max(STRAYS_MAX, SILENCED_SHARE_MAX * of.rows);
}

function note(examples: MisplacedRow[], row: MisplacedRow): void {
  if (examples.length < EXAMPLES_MAX) examples.push(row);
}
