import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProbabilityDecision } from '../../contracts/generated/events.ts';
import { isoTimeOf } from '../../contracts/iso-time.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import { syntheticTrades } from '../../evaluators/fixtures/synthetic-market.ts';
import { activated, traded } from '../../evaluators/fixtures/tape-contents.ts';
import { CheckpointedLog, startTestWitness, type TestWitness } from '../../tests/support/checkpointed-log.ts';
import { derivedLog } from '../../tests/support/derived-log.ts';
import { LOG_KEY, OTHER_LOG_KEY, SECOND_WITNESS_KEY, WITNESS_KEY } from '../../tests/support/signed-log.ts';
import { EventLog } from '../event-log.ts';
import type { Located } from '../located.ts';
import { coverPartition } from './coverage.adapter.ts';
import { coverageText } from './coverage-text.ts';
import { Coverage } from './coverage.ts';

const US_PER_S = 1_000_000;
const HORIZON_S = 300;
const MADE_S = 1_742_943_600;

/** A decision that is sent as soon as it is made, by default. */
function decided(
  eventId: string,
  change: { sentS?: number | null; direction?: 'LONG' | 'NEUTRAL'; horizonMs?: number } = {},
) {
  const { sentS = MADE_S, direction = 'LONG', horizonMs = HORIZON_S * 1_000 } = change;
  const event = { eventId, eventTime: MADE_S * US_PER_S, direction, hitRule: { horizonMs } };
  return {
    event,
    ...(sentS === null ? {} : { emittedAt: isoTimeOf(sentS * US_PER_S) }),
  } as unknown as Located<ProbabilityDecision>;
}

const by = (afterS: number) => ({ witness: 'w', timeS: MADE_S + afterS });
const outcomeAt = (afterS: number) => (MADE_S + afterS) * 1_000;

describe('a decision', () => {
  type Case = [
    string,
    Parameters<typeof decided>[1],
    Parameters<Coverage['decision']>[1],
    number | undefined | 'none',
    number[],
  ];
  it.each<Case>([
    ['cosigned before outcome and due time', {}, by(60), outcomeAt(301), [1, 0, 0]],
    ['cosigned after the outcome', {}, by(302), outcomeAt(301), [0, 1, 0]],
    ['cosigned in the second of the outcome', {}, by(200), outcomeAt(200.5), [0, 1, 0]],
    ['cosigned after its due time, before a late outcome', {}, by(310), outcomeAt(400), [0, 1, 0]],
    ['read after the fact, cosigned before', { sentS: MADE_S + 9_000 }, by(9_001), outcomeAt(9_100), [1, 0, 0]],
    ['never cosigned, with an outcome', {}, undefined, outcomeAt(301), [0, 1, 0]],
    ['whose outcome does not say when it was sent', {}, by(60), undefined, [0, 1, 0]],
    ['cosigned, without an outcome', {}, by(60), 'none', [1, 0, 0]],
    ['cosigned after its due time, without an outcome', {}, by(400), 'none', [0, 1, 0]],
    ['not cosigned, without an outcome', {}, undefined, 'none', [0, 0, 1]],
    ['that is NEUTRAL', { direction: 'NEUTRAL' }, by(60), 'none', [0, 0, 0]],
    ['with a shorter horizon', { horizonMs: 299_999 }, by(60), outcomeAt(301), [0, 0, 0]],
    ['from before the trees', {}, 'before-trees', outcomeAt(301), [0, 0, 0]],
  ])('%s', (_what, change, cosigned, outcome, expected) => {
    const coverage = new Coverage(HORIZON_S * 1_000);
    coverage.decision(decided('a', change), cosigned);
    if (outcome !== 'none') coverage.outcome('a', outcome);
    const { covered, notCovered, pending } = coverage.figures();
    expect([covered, notCovered, pending]).toEqual(expected);
  });

  it('gives median and maximum of the delays, and holds only what waits', () => {
    const coverage = new Coverage(0);
    for (const [at, delayS] of [10, 20, 30, 40, 200_000].entries()) {
      coverage.decision(decided(`d${at}`), by(delayS - 1));
      expect(coverage.waiting).toBe(1);
      coverage.outcome(`d${at}`, outcomeAt(301));
    }
    expect(coverage.waiting).toBe(0);
    const figures = coverage.figures();
    expect(figures).toMatchObject({ decisions: 5, covered: 4, notCovered: 1, share: 0.8 });
    expect(figures.delay).toEqual({ medianSeconds: 30, maxSeconds: 200_000 });
    const text = coverageText({ ...figures, minHorizonMs: 0, isVerified: { log: false, witnesses: true } });
    expect(text).toContain('4 (80.00 % of those that are not pending)');
    expect(text).toContain('Not verified: the signatures of the log (--log-key).');
  });
});

describe('the coverage of a partition', () => {
  const PARTITION = 0;
  const activation = activationOf(parseConfiguration({ hitRule: { horizonMs: HORIZON_S * 1_000 } }), {
    ...{ tapeId: 'tape-1', activationId: 'first', gitCommit: 'abc' },
  });
  const contents = [activated(activation), ...syntheticTrades({ seed: 7, count: 2_500 }).map((trade) => traded(trade))];
  const { memory: whole } = derivedLog(PARTITION, contents, isoTimeOf);
  let witness: TestWitness;
  let log: CheckpointedLog;
  beforeAll(async () => {
    witness = await startTestWitness();
    log = new CheckpointedLog(whole, PARTITION);
    const STEPS = 16;
    for (let step = 1; step <= STEPS; step += 1) {
      log.grow(step / STEPS);
      const { reader, registry } = log.access;
      const events = new EventLog(reader, registry);
      const last = await events.newestDecision(PARTITION, () => true);
      const nowMs = (last?.event.eventTime ?? 0) / 1_000 + 1_000;
      witness.timeS = Math.max(1, Math.floor(nowMs / 1_000));
      // The witness is away for a quarter of the time.
      await log.checkpoint(nowMs, step > 8 && step <= 12 ? undefined : witness);
    }
  });
  afterAll(() => witness.close());

  const figuresWith = async (logKeys = [LOG_KEY], witnessKeys = [WITNESS_KEY]) => {
    const coverage = new Coverage(HORIZON_S * 1_000);
    await coverPartition(log.access, PARTITION, { logKeys, witnessKeys }, coverage);
    return coverage.figures();
  };

  it('reads each record once, and finds what the witness missed', async () => {
    log.memory.ranges.length = 0;
    const figures = await figuresWith();
    const decisions = log.memory.ranges.filter(({ topic }) => topic === 'probability.decisions');
    expect(decisions).toHaveLength(1);
    expect(log.memory.ranges.filter(({ topic }) => topic === 'engine.checkpoints')).toHaveLength(1);
    expect(figures.decisions).toBe(figures.covered + figures.notCovered + figures.pending);
    expect(figures.covered).toBeGreaterThan(figures.decisions / 4);
    expect(figures.notCovered).toBeGreaterThan(figures.decisions / 20);
    expect(figures.delay?.maxSeconds).toBeGreaterThan(figures.delay?.medianSeconds ?? 0);
  });

  it('counts only the signatures of the given keys', async () => {
    const { covered, notCovered } = await figuresWith();
    expect(await figuresWith([], [])).toMatchObject({ covered, notCovered });
    expect(await figuresWith([OTHER_LOG_KEY])).toMatchObject({ covered: 0, delay: null });
    expect(await figuresWith([LOG_KEY], [SECOND_WITNESS_KEY])).toMatchObject({ covered: 0, delay: null });
  });
});
