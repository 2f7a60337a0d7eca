import { describe, expect, it } from 'vitest';
import type { LatestDecision } from '../../contract/instruments.ts';
import { boundsText, scaleBounds } from './scale-bounds.ts';

const decision = (probability: number, referenceRate: number | null = 0.47): LatestDecision => ({
  ...{ decisionId: 'decision-0-1-0', timeUs: 0, direction: 'LONG', probability, rawProbability: null },
  ...{ calibratedProbability: null, referenceRate, confidence: 1, level: 'HIGH' },
});

describe('the ends of the line of probabilities', () => {
  it('are the middle half where all are in it, else the whole', () => {
    expect(boundsText(scaleBounds([decision(0.6), decision(0.3)]))).toBe('25 to 75 %');
    expect(boundsText(scaleBounds([decision(0.6), decision(0.8)]))).toBe('0 to 100 %');
    expect(boundsText(scaleBounds([decision(0.6, 0.1)]))).toBe('0 to 100 %');
    expect(boundsText(scaleBounds([decision(0.6, null)]))).toBe('25 to 75 %');
  });
});
