import type { AuditResponse, AuditTrade } from '../../dashboard/contract/audit.ts';
import { CONFIG_HASH, ENGINE_VERSION } from './fixture-market.ts';

/** The README's audited decision, without anything of Node: tests of the page's own code use it too. */

const INSTRUMENT = 'BTC-USD@bitstamp';
const MARKET_US = Date.parse('2013-11-26T12:30:38Z') * 1_000;
const OBSERVED_US = MARKET_US + 307_000_000;
const REFERENCE_PRICE = '801.03';

const ORIGIN = 'tapeproof.local/tape-1/probability.decisions/0';
const COSIGNED_S = 1_764_150_000;

/** Looks like a SHA-256. */
const hashOf = (text: string): string =>
  Array.from({ length: 64 }, (_, at) =>
    ((text.charCodeAt(text.length - 1 - (at % text.length)) * (at + 7)) % 16).toString(16),
  ).join('');
const placeOf = (topic: string, offset: number) => ({
  ...{ topic, partition: 3, offset, hash: hashOf(`${topic} ${offset}`) },
  emittedAt: new Date((COSIGNED_S - 42) * 1_000).toISOString(),
});
const derivedOf = (eventId: string, timeUs: number, causes: readonly string[]) => ({
  ...{ eventId, instrument: INSTRUMENT, timeUs, tape: { partition: 3, offset: 18_540 }, sequence: 11_821 },
  ...{ causes: [...causes], engineVersion: ENGINE_VERSION, configHash: CONFIG_HASH },
});
const hitRule = {
  ...{ kind: 'MOVE' as const, horizonMs: 300_000, minMoveBps: 0, minMovePoints: null, graceMs: 60_000 },
  referencePrice: REFERENCE_PRICE,
};
const calibrationOf = (evidence: number, raw: number, calibrated: number) => ({
  ...{ referenceRate: 0.474583912, evidence, rawProbability: raw, calibratedProbability: calibrated },
  ...{ slope: 2.83033806, intercept: 0.104620928, effectiveN: 298.3 },
});
const tradeOf = (offset: number, tradeId: string, timeUs: number, price: string, size: string): AuditTrade => ({
  ...{ topic: 'raw.trades', partition: 3, offset, hash: hashOf(tradeId), tradeId, instrument: INSTRUMENT, timeUs },
  ...{ price, size, side: 'UNKNOWN', source: 'file:bitstampUSD.csv' },
});

/** @param isVerified with the chain derived again. */
export function fixtureAudit(eventId: string, isVerified: boolean): AuditResponse {
  const snapshotId = 'snapshot-3-18540-0';
  const resultIds = ['result-3-18540-0', 'result-3-18540-1'] as const;
  const emitted = COSIGNED_S - 42;
  return {
    ...{ asked: eventId, isVerified, pendingUntilUs: null },
    outcome: {
      ...placeOf('decision.outcomes', 11_042),
      ...derivedOf('outcome-3-18659-41', OBSERVED_US, [eventId]),
      ...{ forecastId: eventId, forecastKind: 'DECISION', strategy: null, direction: 'LONG', probability: 0.642197 },
      ...{ verdict: 'HIT', forecastTimeUs: MARKET_US, dueUs: MARKET_US + 300_000_000, referencePrice: REFERENCE_PRICE },
      ...{
        observedPrice: '824.9',
        observedUs: OBSERVED_US,
        moveBps: 297.991336,
        resolvingTradeId: 'c0cb9db5f5715ba64-0',
      },
    },
    decision: {
      ...placeOf('probability.decisions', 11_821),
      ...derivedOf(eventId, MARKET_US, resultIds),
      ...{ direction: 'LONG', probability: 0.642197, confidence: 0.960014, level: 'HIGH', hitRule },
      calibration: calibrationOf(0.207149304, 0.469211, 0.643175),
      contributions: resultIds.map((resultId, index) => ({
        ...{ strategy: index === 0 ? 'VWAP_REVERSION' : 'RANGE_BREAKOUT', resultId, direction: 'LONG' },
        ...{ probability: 0.62, confidence: 0.96, weight: 1, evidence: 0.416233185 },
      })),
      reasoning: 'L = 1·(1·0.961135·0.416233185 + 1·0.958893·-0.002423438) / 1.920028 = 0.207149304',
    },
    results: [
      {
        ...placeOf('strategy.results', 23_642),
        ...derivedOf(resultIds[0], MARKET_US, [snapshotId]),
        ...{
          strategy: 'VWAP_REVERSION',
          direction: 'LONG',
          probability: 0.618281,
          confidence: 0.961135,
          level: 'HIGH',
        },
        ...{ indicators: { z: -2.443 }, hitRule, calibration: calibrationOf(0.10658127, 0.501207, 0.619216) },
        reasoning:
          'last 801.03 is -2.443 deviations from VWAP 825.861636, outside the value area: p = σ(0.02 + 0.06·(min(|z|, 3) − 1)) = σ(0.106581)',
      },
      {
        ...placeOf('strategy.results', 23_643),
        ...derivedOf(resultIds[1], MARKET_US, [snapshotId]),
        ...{
          strategy: 'RANGE_BREAKOUT',
          direction: 'SHORT',
          probability: 0.482226,
          confidence: 0.958893,
          level: 'HIGH',
        },
        ...{ indicators: { x: 1 }, hitRule, calibration: calibrationOf(0.15, 0.51206, 0.464925) },
        reasoning:
          'last 801.03 against the range 832.1 to 836.5: below, bar volume 1417.544384 against 1.5 × mean 4.408246 confirms it: p = σ(0.150000)',
      },
    ],
    signals: [],
    snapshot: {
      ...placeOf('indicator.snapshots', 11_821),
      ...derivedOf(snapshotId, MARKET_US, []),
      ...{ lastPrice: REFERENCE_PRICE, vwap: 825.861636, vwapDeviation: 10.1643, pointOfControl: '836.9' },
      ...{ valueAreaLow: '820', valueAreaHigh: '838.1', rangeHigh: '836.5', rangeLow: '832.1', barVolume: 1_417.54 },
      ...{ meanBarVolume: 4.408246, sessionVolume: 9_611.143769, tradeCount: 4_946, firstOffset: 13_595 },
      lastOffset: 18_540,
    },
    trades: {
      ...{ firstOffset: 13_595, lastOffset: 18_540, count: 4_946, missing: 0, gaps: 0, remarks: {} },
      first: tradeOf(13_595, 'c03dfb0ffb8b881a7-0', MARKET_US - 44_990_000_000, '811.95', '0.057'),
      last: tradeOf(18_540, 'cc64b26fad4ebdccf-0', MARKET_US, REFERENCE_PRICE, '0.0502357'),
    },
    resolvingTrade: tradeOf(18_659, 'c0cb9db5f5715ba64-0', OBSERVED_US, '824.9', '0.01'),
    provenance: {
      ...{ tapeId: 'tape-1', activationId: 'b2c5d1f4', engineVersion: ENGINE_VERSION, gitCommit: '1f'.repeat(20) },
      ...{ configHash: CONFIG_HASH, actor: 'ada', reason: 'the demo', approver: null },
      ...{ sources: [{ source: 'file:bitstampUSD.csv', trades: 4_946 }], sourcesNotNamed: 0 },
      received: {
        first: new Date((emitted - 60) * 1_000).toISOString(),
        last: new Date((emitted - 4) * 1_000).toISOString(),
      },
      checkpointed: {
        ...{ eventId, origin: ORIGIN, index: 11 },
        signed: { at: new Date((COSIGNED_S - 12) * 1_000).toISOString(), size: 20, isVerified: true },
        cosigned: {
          ...{ size: 20, isVerified: true },
          by: ['witness.example', 'second.example'].map((witness) => ({
            ...{ witness, at: new Date(COSIGNED_S * 1_000).toISOString() },
          })),
        },
        beforeOutcome: {
          ...{ beforeSent: true, outcomeSentAt: new Date((COSIGNED_S + 260) * 1_000).toISOString(), beforeDue: true },
          dueAt: new Date((COSIGNED_S + 258) * 1_000).toISOString(),
        },
      },
    },
    amendedSince: { counts: {}, recordsNotSearched: 0 },
    checks: checksOf(isVerified),
    allPassed: true,
    notDerived: [],
    notChecked: [
      'that the venue reported these trades exactly as they are on the tape',
      'that the rows in Postgres and the values in Redis agree: "tapeproof projector rebuild NAME" compares them',
      ...(isVerified
        ? []
        : ['the profile and the range, and that the engine derives the same bytes again: add --verify']),
    ],
  };
}

function checksOf(isVerified: boolean): AuditResponse['checks'] {
  const restsOn = 'the bytes of these events in Kafka, and the formulas of this build';
  const check = (name: string, detail: string) => ({ name, passed: true, detail, restsOn });
  return [
    check(
      'the chain rests on one trade',
      'same tape position, instrument, time, configuration and reference price 801.03',
    ),
    check('VWAP_REVERSION evaluated again', 'from the snapshot: LONG p 0.618281 from evidence 0.10658127'),
    check('RANGE_BREAKOUT evaluated again', 'from the snapshot: SHORT p 0.482226 from evidence 0.15'),
    check('the decision pooled again', 'from its strategy results: LONG p 0.642197 from evidence 0.207149304'),
    check('the verdict reached again', 'HIT: 801.03 → 824.9 is 297.991336 bp'),
    check('trade count, volume and VWAP added up anew', '4946 trades of the session, volume 9611.143769'),
    ...(isVerified
      ? [check('derived again from the tape', '5 of 5 events have the same bytes, over 18,659 records')]
      : []),
  ];
}
