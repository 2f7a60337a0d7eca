import { displayName } from '../../contracts/instrument-name.ts';
import type { InstrumentState, LatestDecision } from '../contract/instruments.ts';
import type { StoredState } from './read-models.ts';

const US_PER_MS = 1_000;

/** An instrument's fields in Redis as the API gives them, with age and staleness at a time of the clock. */
export function instrumentStateOf(instrument: string, stored: StoredState, asOfUs: number): InstrumentState {
  const price = stored['price'] ?? null;
  const priceTimeUs = numberIn(stored, 'priceTimeUs');
  const clockUs = numberIn(stored, 'clockUs');
  const staleAfterMs = numberIn(stored, 'staleAfterMs');
  const knownUs = clockUs ?? priceTimeUs;
  const ageMs = knownUs === null ? null : Math.max(0, Math.floor((asOfUs - knownUs) / US_PER_MS));
  const isOld = ageMs === null || (staleAfterMs !== null && ageMs > staleAfterMs);
  return {
    instrument,
    displayName: displayName(instrument),
    price,
    priceTimeUs,
    clockUs,
    ageMs,
    staleAfterMs,
    isStale: price === null || stored['stale'] === '1' || isOld,
    decision: decisionOf(stored),
    lastVerdict: (stored['lastVerdict'] as InstrumentState['lastVerdict'] | undefined) ?? null,
  };
}

function decisionOf(stored: StoredState): LatestDecision | null {
  const decisionId = stored['decisionId'];
  if (decisionId === undefined) return null;
  return {
    decisionId,
    timeUs: Number(stored['decisionTimeUs']),
    direction: stored['direction'] as LatestDecision['direction'],
    probability: Number(stored['probability']),
    rawProbability: numberIn(stored, 'rawProbability'),
    calibratedProbability: numberIn(stored, 'calibratedProbability'),
    referenceRate: numberIn(stored, 'referenceRate'),
    confidence: Number(stored['confidence']),
    level: stored['level'] as LatestDecision['level'],
  };
}

/** Null where it is missing or empty. */
function numberIn(stored: StoredState, field: string): number | null {
  const text = stored[field];
  return text === undefined || text === '' ? null : Number(text);
}
