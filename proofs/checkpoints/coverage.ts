import type { ProbabilityDecision } from '../../contracts/generated/events.ts';
import type { Located } from '../located.ts';
import type { WitnessedAt } from './recorded-checkpoint.ts';
import { isBeforeDue, isBeforeOutcome, sentMsOf, type ForecastTimes } from './witnessed-before.ts';

/** How many decisions a witness had cosigned before their outcome was known. */

const US_PER_MS = 1_000;
const MS_PER_S = 1_000;
/** Delays are counted by the second up to a day, then by the day: so few counts give the median of any number. */
const DAY_S = 86_400;

export interface CoverageFigures {
  /** LONG and SHORT decisions with a horizon that is long enough. */
  readonly decisions: number;
  /** Cosigned before the engine sent the outcome and, where published live, before they fell due. */
  readonly covered: number;
  readonly notCovered: number;
  /** Not cosigned yet, and no outcome yet. */
  readonly pending: number;
  /** Covered among those that are not pending; null without any. */
  readonly share: number | null;
  /** From the sending of a decision to the end of the second of its first cosignature; null without any. */
  readonly delay: { readonly medianSeconds: number; readonly maxSeconds: number } | null;
  /** Decisions that are older than the tree of their log, which no checkpoint can have; they are not counted above. */
  readonly beforeTrees: number;
}

interface Waiting {
  readonly times: Omit<ForecastTimes, 'outcomeSentMs'>;
  readonly cosigned: WitnessedAt | undefined;
}

/** Counts decisions and their outcomes in the order of the tape. It holds the decisions that wait for their outcome. */
export class Coverage {
  readonly #minHorizonMs: number;
  readonly #waiting = new Map<string, Waiting>();
  readonly #delays = new Map<number, number>();
  #maxSeconds = 0;
  #covered = 0;
  #notCovered = 0;
  #beforeTrees = 0;

  constructor(minHorizonMs: number) {
    this.#minHorizonMs = minHorizonMs;
  }

  /** Decisions that wait for their outcome. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** @param cosigned - the first cosignature of a checkpoint with it; `before-trees` where none can have it. */
  decision(located: Located<ProbabilityDecision>, cosigned: WitnessedAt | 'before-trees' | undefined): void {
    const { eventId, eventTime, direction, hitRule } = located.event;
    if (direction === 'NEUTRAL' || hitRule.horizonMs < this.#minHorizonMs) return;
    if (cosigned === 'before-trees') {
      this.#beforeTrees += 1;
      return;
    }
    const sentMs = sentMsOf(located);
    if (cosigned !== undefined && sentMs !== undefined) this.#delayed((cosigned.timeS + 1) * MS_PER_S - sentMs);
    const times = { sentMs, dueUs: eventTime + hitRule.horizonMs * US_PER_MS };
    this.#waiting.set(eventId, { times, cosigned });
  }

  /** @param sentMs - when the engine sent it, by its clock; unknown counts as too early for any cosignature. */
  outcome(forecastId: string, sentMs: number | undefined): void {
    const waiting = this.#waiting.get(forecastId);
    if (waiting === undefined) return;
    this.#waiting.delete(forecastId);
    const { cosigned } = waiting;
    const times = { ...waiting.times, outcomeSentMs: sentMs };
    const isCovered =
      cosigned !== undefined && isBeforeOutcome(cosigned, times) === true && isBeforeDue(cosigned, times) !== false;
    if (isCovered) this.#covered += 1;
    else this.#notCovered += 1;
  }

  /** The figures so far. A decision that is cosigned and has no outcome is covered, unless it fell due before. */
  figures(): CoverageFigures {
    let [covered, notCovered, pending] = [this.#covered, this.#notCovered, 0];
    for (const { cosigned, times } of this.#waiting.values()) {
      if (cosigned === undefined) pending += 1;
      else if (isBeforeDue(cosigned, { ...times, outcomeSentMs: undefined }) === false) notCovered += 1;
      else covered += 1;
    }
    const judged = covered + notCovered;
    return {
      ...{ decisions: judged + pending, covered, notCovered, pending, beforeTrees: this.#beforeTrees },
      share: judged === 0 ? null : covered / judged,
      delay: this.#delays.size === 0 ? null : { medianSeconds: this.#median(), maxSeconds: this.#maxSeconds },
    };
  }

  #delayed(delayMs: number): void {
    const seconds = Math.ceil(delayMs / MS_PER_S);
    this.#maxSeconds = this.#delays.size === 0 ? seconds : Math.max(this.#maxSeconds, seconds);
    const counted = seconds < DAY_S ? seconds : Math.floor(seconds / DAY_S) * DAY_S;
    this.#delays.set(counted, (this.#delays.get(counted) ?? 0) + 1);
  }

  #median(): number {
    const sorted = [...this.#delays].sort(([left], [right]) => left - right);
    const half = sorted.reduce((sum, [, count]) => sum + count, 0) / 2;
    let passed = 0;
    for (const [seconds, count] of sorted) {
      passed += count;
      if (passed >= half) return seconds;
    }
    return 0;
  }
}
