import type { ConfidenceLevel, Direction, Outcome, Verdict } from '../../contracts/generated/events.ts';
import { overlapWeight } from '../../evaluators/calibration/reference-rate.ts';

const FIRST_CAPACITY = 1_024;
const VERDICTS: readonly Verdict[] = ['HIT', 'MISS', 'VOID'];
const DIRECTIONS: readonly Direction[] = ['LONG', 'SHORT', 'NEUTRAL'];
const LEVELS: readonly ConfidenceLevel[] = ['LOW', 'MEDIUM', 'HIGH'];

/** The stored part of an outcome. Times in microseconds. */
export interface KeptOutcome {
  /** Time of the trade or watermark that settled it. */
  readonly eventTime: number;
  readonly forecastTime: number;
  readonly verdict: Verdict;
  readonly direction: Direction;
  /** Undefined in events of engine versions 1 to 3. */
  readonly level: ConfidenceLevel | undefined;
  /** Its weight beside those it overlaps; 0 for a VOID, and for one that no series of the engine counted. */
  readonly weight: number;
  readonly published: number;
  /** NaN when an engine version before 4 made the forecast; the same holds for the two below. */
  readonly reference: number;
  readonly raw: number;
  readonly calibrated: number;
}

/**
 * The outcomes of a group in recorded order, one column for each field: about 60 bytes for each outcome.
 *
 * The overlap weight is the event's. If an engine version before 4 made the forecast, the event has none, and it is
 * computed here by the same rule: the time since the group's previous forecast, in horizons, at most 1.
 */
export class OutcomeColumns {
  length = 0;
  private capacity = FIRST_CAPACITY;
  private eventTimes = new Float64Array(FIRST_CAPACITY);
  private forecastTimes = new Float64Array(FIRST_CAPACITY);
  private weights = new Float64Array(FIRST_CAPACITY);
  private published = new Float64Array(FIRST_CAPACITY);
  private references = new Float64Array(FIRST_CAPACITY);
  private raws = new Float64Array(FIRST_CAPACITY);
  private calibrateds = new Float64Array(FIRST_CAPACITY);
  /** Verdict, direction and level, two bits each. */
  private kinds = new Uint8Array(FIRST_CAPACITY);
  private lastForecastUs: number | null = null;

  push(outcome: Outcome): void {
    const { eventTime, forecastTime, verdict, direction, level, probability, referenceRate } = outcome;
    this.append({
      ...{ eventTime, forecastTime, verdict, direction },
      level: level ?? undefined,
      weight: this.weightOf(outcome),
      published: probability,
      reference: referenceRate ?? Number.NaN,
      raw: outcome.rawProbability ?? Number.NaN,
      calibrated: outcome.calibratedProbability ?? Number.NaN,
    });
  }

  append(outcome: KeptOutcome): void {
    if (this.length === this.capacity) this.grow();
    const at = this.length;
    this.eventTimes[at] = outcome.eventTime;
    this.forecastTimes[at] = outcome.forecastTime;
    this.weights[at] = outcome.weight;
    this.published[at] = outcome.published;
    this.references[at] = outcome.reference;
    this.raws[at] = outcome.raw;
    this.calibrateds[at] = outcome.calibrated;
    const level = outcome.level === undefined ? LEVELS.length : LEVELS.indexOf(outcome.level);
    this.kinds[at] = VERDICTS.indexOf(outcome.verdict) | (DIRECTIONS.indexOf(outcome.direction) << 2) | (level << 4);
    this.length += 1;
  }

  at(index: number): KeptOutcome {
    const kinds = this.kinds[index] ?? 0;
    return {
      eventTime: this.eventTimes[index] ?? 0,
      forecastTime: this.forecastTimes[index] ?? 0,
      verdict: VERDICTS[kinds & 3] ?? 'VOID',
      direction: DIRECTIONS[(kinds >> 2) & 3] ?? 'NEUTRAL',
      level: LEVELS[(kinds >> 4) & 3],
      weight: this.weights[index] ?? 0,
      published: this.published[index] ?? 0,
      reference: this.references[index] ?? Number.NaN,
      raw: this.raws[index] ?? Number.NaN,
      calibrated: this.calibrateds[index] ?? Number.NaN,
    };
  }

  eventTimeAt(index: number): number {
    return this.eventTimes[index] ?? Number.POSITIVE_INFINITY;
  }

  *[Symbol.iterator](): Generator<KeptOutcome> {
    for (let index = 0; index < this.length; index += 1) yield this.at(index);
  }

  private weightOf({ verdict, overlapWeight: recorded, referenceRate, forecastTime, dueTime }: Outcome): number {
    if (verdict === 'VOID') return 0;
    if (recorded !== null) return recorded;
    if (referenceRate !== null) return 0;
    const weight = overlapWeight(this.lastForecastUs, forecastTime, dueTime - forecastTime);
    this.lastForecastUs = forecastTime;
    return weight;
  }

  private grow(): void {
    this.capacity *= 2;
    const grown = (column: Float64Array<ArrayBuffer>) => {
      const larger = new Float64Array(this.capacity);
      larger.set(column);
      return larger;
    };
    this.eventTimes = grown(this.eventTimes);
    this.forecastTimes = grown(this.forecastTimes);
    this.weights = grown(this.weights);
    this.published = grown(this.published);
    this.references = grown(this.references);
    this.raws = grown(this.raws);
    this.calibrateds = grown(this.calibrateds);
    const kinds = new Uint8Array(this.capacity);
    kinds.set(this.kinds);
    this.kinds = kinds;
  }
}

/**
 * The outcomes of several groups as one, by the time at which each was settled; those of the same time in the order
 * given.
 */
export function interleaved(groups: readonly OutcomeColumns[]): OutcomeColumns {
  const [only] = groups;
  if (only !== undefined && groups.length === 1) return only;
  const all = new OutcomeColumns();
  // In recorded order, an instrument's outcomes are settled one after another: the earliest of the heads is the next
  // one.
  const next = groups.map(() => 0);
  const total = groups.reduce((sum, { length }) => sum + length, 0);
  while (all.length < total) {
    let [first, earliest] = [0, Number.POSITIVE_INFINITY];
    for (const [index, columns] of groups.entries()) {
      const head = next[index] ?? 0;
      if (head === columns.length || columns.eventTimeAt(head) >= earliest) continue;
      [first, earliest] = [index, columns.eventTimeAt(head)];
    }
    const [columns, head = 0] = [groups[first], next[first]];
    if (columns === undefined) break;
    all.append(columns.at(head));
    next[first] = head + 1;
  }
  return all;
}
