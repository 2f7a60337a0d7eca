import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sigmoid, toSixDecimals } from '../arithmetic.ts';
import { ConfidenceScorer } from './confidence-scorer.ts';
import { ProbabilityEngine, type Pooled } from './probability-engine.ts';

const engine = new ProbabilityEngine({ epsilon: 0.001, sharpness: 1, minEvidence: 0.05, weights: 'SLOPES' });
const forecast = (direction: Pooled['direction'], probability: number, weight = 1, confidence = 1): Pooled => ({
  direction,
  evidence: engine.evidenceOf(direction, probability),
  slope: 1,
  weight,
  confidence,
});
/** As it would be published at even odds. */
const probabilityOf = ({ evidence }: { readonly evidence: number }) => toSixDecimals(sigmoid(evidence));

describe('ProbabilityEngine', () => {
  it('reproduces the golden vectors', () => {
    const pooled = engine.pool([forecast('LONG', 0.6), forecast('LONG', 0.8)]);
    expect(pooled).toMatchObject({ direction: 'LONG', confidence: 1 });
    expect(probabilityOf(pooled)).toBe(0.710102);
    expect(probabilityOf(engine.pool([forecast('LONG', 0.6, 3), forecast('LONG', 0.8, 1)]))).toBe(0.657162);
    const sharp = new ProbabilityEngine({ epsilon: 0.001, sharpness: 2, minEvidence: 0, weights: 'SLOPES' });
    const short = sharp.pool([forecast('SHORT', 0.6), forecast('SHORT', 0.8)]);
    expect(short.direction).toBe('SHORT');
    expect(probabilityOf(short)).toBe(0.857143);
  });

  it('treats a NEUTRAL forecast as no evidence', () => {
    const { evidence } = engine.pool([forecast('LONG', 0.8), forecast('NEUTRAL', 0.5)]);
    expect(evidence).toBeCloseTo(engine.evidenceOf('LONG', 0.8) / 2, 9);
  });

  it('is NEUTRAL when forecasts cancel, when evidence is low, and when nothing has confidence', () => {
    const neutral = { direction: 'NEUTRAL', rawEvidence: 0 };
    expect(engine.pool([forecast('LONG', 0.7), forecast('SHORT', 0.7)])).toMatchObject({ ...neutral, evidence: 0 });
    expect(engine.pool([forecast('LONG', 0.51)])).toMatchObject(neutral);
    expect(engine.pool([forecast('LONG', 0.9, 1, 0)])).toMatchObject({ ...neutral, confidence: 0 });
    expect(engine.pool([])).toMatchObject({ ...neutral, confidence: 0, evidence: 0 });
  });

  it('scales evidence by its slope, and also reports it unscaled', () => {
    const long = { ...forecast('LONG', 0.8), slope: 0.5 };
    const silent = { ...forecast('SHORT', 0.9), slope: -0.3 };
    const evidence = engine.evidenceOf('LONG', 0.8);
    expect(engine.pool([long]).evidence).toBeCloseTo(evidence / 2, 8);
    const pooled = engine.pool([long, silent]);
    expect(pooled).toMatchObject({ direction: 'LONG' });
    expect(pooled.evidence).toBeCloseTo(evidence / 4, 8);
    // Unscaled they are SHORT: against the decision.
    expect(pooled.rawEvidence).toBeCloseTo((evidence - engine.evidenceOf('SHORT', 0.9)) / 2, 8);
    const equal = new ProbabilityEngine({ epsilon: 0.001, sharpness: 1, minEvidence: 0.05, weights: 'EQUAL' });
    expect(equal.pool([long, silent])).toMatchObject({ direction: 'SHORT' });
  });

  it('clips certainty', () => {
    expect(probabilityOf(engine.pool([forecast('LONG', 1)]))).toBe(0.999);
    expect(engine.evidenceOf('SHORT', 0)).toBeLessThan(-6);
  });

  it('mirrors when every direction is mirrored', () => {
    const one = fc.record({
      direction: fc.constantFrom<Pooled['direction']>('LONG', 'SHORT', 'NEUTRAL'),
      evidence: fc.double({ min: 0, max: 4, noNaN: true }),
      slope: fc.double({ min: -1, max: 3, noNaN: true }),
      confidence: fc.double({ min: 0, max: 1, noNaN: true }),
      weight: fc.double({ min: 0.1, max: 5, noNaN: true }),
    });
    const mirrored = { LONG: 'SHORT', SHORT: 'LONG', NEUTRAL: 'NEUTRAL' } as const;
    fc.assert(
      fc.property(fc.array(one, { maxLength: 5 }), (forecasts) => {
        const pooled = engine.pool(forecasts);
        const mirror = engine.pool(forecasts.map((each) => ({ ...each, direction: mirrored[each.direction] })));
        expect(mirror.direction).toBe(mirrored[pooled.direction]);
        expect([mirror.evidence, mirror.rawEvidence]).toEqual([pooled.evidence, pooled.rawEvidence]);
        expect(pooled.evidence).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('ConfidenceScorer', () => {
  const scorer = new ConfidenceScorer({ halfSampleTrades: 200, mediumFrom: 0.4, highFrom: 0.7 });

  it('is quality shrunk by the trades behind it', () => {
    expect(scorer.score(1, 0)).toBe(0);
    expect(scorer.score(1, 200)).toBe(0.5);
    expect(scorer.score(0.5, 600)).toBe(0.375);
    expect(scorer.score(7, 1e9)).toBe(1);
    expect(scorer.score(-1, 10)).toBe(0);
  });

  it('has words for its bounds', () => {
    expect([0, 0.399999, 0.4, 0.7, 1].map((value) => scorer.levelOf(value))).toEqual([
      'LOW',
      'LOW',
      'MEDIUM',
      'HIGH',
      'HIGH',
    ]);
  });
});
