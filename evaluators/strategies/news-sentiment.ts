import { z } from 'zod';
import { clamp, sigmoid } from '../arithmetic.ts';
import { pressureOf } from '../context/pressure.ts';
import { defineStrategy, neutral } from './strategy.ts';

/** There is news, but no signal. */
const QUALITY_WITHOUT_DIRECTION = 0.5;

/**
 * Forecasts that the price follows the tone of the news and of the economy: up when it is favourable, down when not.
 *
 * `s` is the mean of the signals NEWS_SENTIMENT and ECONOMIC_SENTIMENT in force, about the instrument and about the
 * market, each weighted by its confidence and by `2^(−age / halfLifeSeconds)`. NEUTRAL when |s| < `entrySentiment`; else
 * LONG for s above 0 and SHORT below, with `p = σ(baseEvidence + slope · (|s| − entrySentiment))`, in log odds. Quality:
 * the mean of their confidences by age. NEUTRAL also while a CALENDAR_EVENT of at least `quietImportance` is in force:
 * what is about to be published makes older texts worthless.
 *
 * Tetlock 2007, "Giving content to investor sentiment", doi 10.1111/j.1540-6261.2007.01232.x: pessimism in the press was
 * followed by lower prices for a day, and then by their return. That is about days and one newspaper's column, and a
 * general lexicon misreads financial texts: Loughran & McDonald 2011, doi 10.1111/j.1540-6261.2010.01625.x. Nothing shows
 * that it holds for minutes.
 */
export const newsSentiment = defineStrategy({
  name: 'NEWS_SENTIMENT',
  isEnabledUnlessNamed: false,
  isListedUnlessNamed: false,
  parameters: z.strictObject({
    halfLifeSeconds: z.number().min(1).max(31_536_000).default(3_600),
    entrySentiment: z.number().min(0).max(1).default(0.2),
    quietImportance: z.number().min(0).max(1).default(0.5),
    baseEvidence: z.number().min(0).max(2).default(0.02),
    slope: z.number().min(0).max(2).default(0.1),
  }),
  evaluate({ eventTime }, { halfLifeSeconds, entrySentiment, quietImportance, baseEvidence, slope }, given) {
    const scheduled = given.filter(
      ({ kind, confidence }) => kind === 'CALENDAR_EVENT' && confidence >= quietImportance,
    );
    if (scheduled.length > 0) {
      const indicators = { calendarEvents: scheduled.length };
      const why = () => `${scheduled.length} events of the calendar are due or just over: no forecast from the news`;
      return { ...neutral(0, indicators, why), signals: scheduled };
    }
    const { signals, value, confidence } = pressureOf(
      given,
      ['NEWS_SENTIMENT', 'ECONOMIC_SENTIMENT'],
      eventTime,
      halfLifeSeconds,
    );
    if (signals.length === 0) return neutral(0, { signals: 0 }, () => 'no sentiment is in force');
    const sentiment = clamp(value, -1, 1);
    const strength = Math.abs(sentiment);
    const indicators = { signals: signals.length, sentiment, confidence };
    const tone = () => `sentiment ${sentiment.toFixed(6)} of ${signals.length} signals`;
    if (strength < entrySentiment || sentiment === 0) {
      return {
        ...neutral(QUALITY_WITHOUT_DIRECTION, indicators, () => `${tone()}: less than ${entrySentiment}`),
        signals,
      };
    }
    const evidence = baseEvidence + slope * (strength - entrySentiment);
    return {
      direction: sentiment > 0 ? 'LONG' : 'SHORT',
      probability: clamp(sigmoid(evidence), 0.5, 1),
      quality: clamp(confidence, 0, 1),
      indicators,
      signals,
      reasoning: () =>
        `${tone()}: p = σ(${baseEvidence} + ${slope}·(|s| − ${entrySentiment})) = σ(${evidence.toFixed(6)})`,
    };
  },
});
