import type { ContextKind } from '../../contracts/context-rules.ts';
import { exp } from '../arithmetic.ts';
import type { Signal } from './signal.ts';

const US_PER_SECOND = 1_000_000;
const LN_2 = 0.6931471805599453;

/** What the signals of some kinds say together at a time. */
export interface Pressure {
  /** Those that count, in the order in which they were given. */
  readonly signals: readonly Signal[];
  /** Their mean value by weight, −1 to 1; 0 without any. */
  readonly value: number;
  /** Their mean confidence by age, 0 to 1; 0 without any. */
  readonly confidence: number;
}

/**
 * The mean of the values of signals, each weighted by its confidence and by `2^(−age / half-life)`, its age counted from
 * the beginning of its validity; and the mean of their confidences, weighted by age alone.
 */
export function pressureOf(
  given: readonly Signal[],
  kinds: readonly ContextKind[],
  timeUs: number,
  halfLifeSeconds: number,
): Pressure {
  const signals = given.filter(({ kind, confidence }) => kinds.includes(kind) && confidence > 0);
  let recency = 0;
  let weight = 0;
  let sum = 0;
  for (const { value, confidence, validFrom } of signals) {
    const ageSeconds = (timeUs - validFrom) / US_PER_SECOND;
    const recent = exp((-LN_2 * ageSeconds) / halfLifeSeconds);
    recency += recent;
    weight += recent * confidence;
    sum += recent * confidence * value;
  }
  if (weight === 0) return { signals: [], value: 0, confidence: 0 };
  return { signals, value: sum / weight, confidence: weight / recency };
}
