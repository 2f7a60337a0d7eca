import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashBody, sha256Hex } from '../contracts/codec.ts';
import { Decimal } from '../contracts/decimal.ts';
import type {
  EngineActivated,
  IndicatorSnapshot,
  Outcome,
  ProbabilityDecision,
  StrategyResult,
  Trade,
} from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { DERIVED_TOPICS, perTopic } from '../contracts/topics.ts';
import { ENGINE_VERSION, parseConfiguration } from './configuration.ts';
import { activationOf } from './derive.ts';
import { onlyStrategies } from './fixtures/only-strategies.ts';
import { syntheticTrades } from './fixtures/synthetic-market.ts';
import {
  activated,
  bytesOf,
  eventsOf,
  missed,
  gapBefore,
  ofType,
  pagesOf,
  resumptionsOf,
  run,
  watermarked,
  watermarkOf,
  traded,
} from './fixtures/tape-contents.ts';
import { Instrument, PENDING_POINTS_MAX } from './instrument.ts';
import { MerkleTree } from './merkle.ts';
import { compileRules } from './rules.ts';
import type { DerivedRecord } from './advance.ts';
import { createPartitionTask, INSTRUMENTS_MAX, restorePartitionTask, type PartitionTask } from './partition-task.ts';

const SECOND_US = 1_000_000;
const START_US = 1_742_943_600_000_000;
const INSTRUMENT = 'BTC-USDT@binance';
/** Two: each trade that differs from the average is a forecast of the first. */
const STRATEGIES = onlyStrategies({ VWAP_REVERSION: { parameters: { entryDeviations: 0 } }, RANGE_BREAKOUT: {} });

const activation = (configuration: object, changes: Partial<EngineActivated> = {}): EngineActivated => ({
  ...activationOf(parseConfiguration(configuration), { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' }),
  ...changes,
});
let nextId = 1;
/** A trade some seconds after the start. */
const trade = (seconds: number, price: string, changes: Partial<Trade> = {}): Trade => ({
  venue: 'binance',
  instrument: INSTRUMENT,
  tradeId: String((nextId += 1)),
  eventTime: START_US + seconds * SECOND_US,
  price: Decimal.of(price),
  size: Decimal.of('1'),
  side: 'BUY',
  receivedAt: START_US + seconds * SECOND_US + SECOND_US,
  source: 'test',
  suspicious: false,
  conditions: [],
  ...changes,
});

function started(configuration: object = {}): PartitionTask {
  const task = createPartitionTask(3);
  run(task, [activated(activation(configuration))]);
  return task;
}
const snapshotsOf = (records: readonly DerivedRecord[]) => ofType<IndicatorSnapshot>(records, 'IndicatorSnapshot');
const outcomesOf = (records: readonly DerivedRecord[]) => ofType<Outcome>(records, 'Outcome');

describe('the order of one step', () => {
  it('emits outcomes, then snapshot, results and decision, each with its identity and sequence', () => {
    const task = started({
      hitRule: { horizonMs: 2_000 },
      strategies: STRATEGIES,
    });
    const records = eventsOf(
      run(
        task,
        [trade(0, '100'), trade(1, '90'), trade(3, '95')].map((each) => traded(each)),
      ),
    );
    expect(records.map(({ event }) => event.eventId)).toEqual([
      'snapshot-3-1-0',
      'result-3-1-0',
      'result-3-1-1',
      'decision-3-1-0',
      'snapshot-3-2-0',
      'result-3-2-0',
      'result-3-2-1',
      'decision-3-2-0',
      'outcome-3-3-0',
      'outcome-3-3-1',
      'snapshot-3-3-0',
      'result-3-3-0',
      'result-3-3-1',
      'decision-3-3-0',
    ]);
    for (const topic of DERIVED_TOPICS) {
      const sequences = records.filter((record) => record.topic === topic).map(({ sequence }) => sequence);
      expect(sequences).toEqual(sequences.map((_, index) => index));
      expect(task.nextSequences[topic]).toBe(sequences.length);
    }
    for (const { type, body, hash, event, sequence } of records) {
      expect(hash).toEqual(hashBody(type, body));
      expect(event.sequence).toBe(sequence);
      expect(event.tape).toEqual({ partition: 3, offset: Number(event.eventId.split('-')[2]) });
    }
  });

  it('links every event to its direct parents', () => {
    const task = started({
      hitRule: { horizonMs: 2_000 },
      strategies: STRATEGIES,
    });
    const records = eventsOf(
      run(
        task,
        [trade(0, '100'), trade(1, '90'), trade(3, '95')].map((each) => traded(each)),
      ),
    );
    const [, result] = ofType<StrategyResult>(records, 'StrategyResult').slice(1);
    expect(result?.causes).toEqual(['snapshot-3-2-0']);
    const decision = ofType<ProbabilityDecision>(records, 'ProbabilityDecision')[1];
    expect(decision?.causes).toEqual(['result-3-2-0', 'result-3-2-1']);
    expect(decision?.contributions.map(({ resultId }) => resultId)).toEqual(decision?.causes);
    expect(decision).toMatchObject({ direction: 'LONG', hitRule: { horizonMs: 2_000, minMoveBps: 0 } });
    const [first, second] = outcomesOf(records);
    expect(first).toMatchObject({
      forecastId: 'result-3-2-0',
      causes: ['result-3-2-0', 'trade-3-3-0'],
      forecastKind: 'STRATEGY',
      strategy: 'VWAP_REVERSION',
      verdict: 'HIT',
      moveBps: 555.555556,
    });
    expect(second).toMatchObject({ forecastId: 'decision-3-2-0', forecastKind: 'DECISION', strategy: null });
  });

  it('measures the trade itself, and nothing later', () => {
    const task = started();
    const trades = [trade(0, '100'), trade(0, '110'), trade(1, '120', { size: Decimal.of('2') })];
    const [first, second] = snapshotsOf(
      eventsOf(
        run(
          task,
          trades.map((each) => traded(each)),
        ),
      ),
    );
    expect(first).toMatchObject({ vwap: 100, tradeCount: 1, firstOffset: 1, lastOffset: 1, causes: ['trade-3-1-0'] });
    expect(second).toMatchObject({ vwap: 112.5, tradeCount: 3, firstOffset: 1, lastOffset: 3 });
  });
});

describe('the clock of an instrument', () => {
  it('takes a snapshot at the first on-time trade of each cadence interval', () => {
    const task = started({ cadenceMs: 10_000 });
    const seconds = [1, 2, 9, 10, 11, 35, 36, 40];
    const snapshots = snapshotsOf(
      eventsOf(
        run(
          task,
          seconds.map((at) => traded(trade(at, '100'))),
        ),
      ),
    );
    expect(snapshots.map(({ eventTime }) => (eventTime - START_US) / SECOND_US)).toEqual([1, 10, 35, 40]);
  });

  it('takes one at each on-time trade when the cadence is 0', () => {
    const task = started({ cadenceMs: 0 });
    const snapshots = snapshotsOf(
      eventsOf(
        run(
          task,
          [1, 1, 0, 2].map((at) => traded(trade(at, '100'))),
        ),
      ),
    );
    expect(snapshots).toHaveLength(3);
  });

  it('keeps instruments independent', () => {
    const other = 'ETH-USDT@binance';
    const mixed = [trade(0, '100'), trade(50, '7', { instrument: other }), trade(1, '100')].map((each) => traded(each));
    const records = eventsOf(run(started(), mixed));
    expect(snapshotsOf(records).map(({ instrument }) => instrument)).toEqual([INSTRUMENT, other, INSTRUMENT]);
  });

  it('counts a late trade into its session without triggering, resolving, or altering a completed bar', () => {
    const configuration = {
      hitRule: { horizonMs: 60_000 },
      range: { bars: 1 },
      strategies: STRATEGIES,
    };
    const task = started(configuration);
    run(
      task,
      [trade(0, '100'), trade(30, '90'), trade(89, '91')].map((each) => traded(each)),
    );
    const before = task.counts;
    const [late] = run(task, [traded(trade(31, '500'))]);
    expect(late).toMatchObject({ derived: [], deadLetters: [], anchor: undefined, setAside: { kind: 'late' } });
    expect(task.counts).toMatchObject({ late: before.late + 1, trades: before.trades + 1 });
    const records = eventsOf(run(task, [traded(trade(90, '92'))]));
    expect(snapshotsOf(records)[0]).toMatchObject({ tradeCount: 5, rangeHigh: Decimal.of('100') });
    expect(outcomesOf(records).map(({ resolvingTradeId }) => resolvingTradeId)).toEqual([
      String(nextId),
      String(nextId),
    ]);
  });

  it('counts a late trade of the previous session there, not into the current one', () => {
    const task = started({ session: { lengthMs: 60_000 } });
    const midnight = 60 * Math.ceil(START_US / SECOND_US / 60) - START_US / SECOND_US;
    const at = (seconds: number, price: string) => traded(trade(midnight + seconds, price));
    const records = eventsOf(run(task, [at(1, '100'), at(61, '200'), at(50, '300'), at(62, '200')]));
    expect(snapshotsOf(records).map(({ vwap }) => vwap)).toEqual([100, 200, 200]);
    expect(snapshotsOf(records).map(({ tradeCount }) => tradeCount)).toEqual([1, 1, 2]);
  });
});

describe('duplicates and gaps', () => {
  it('counts a trade that is on the tape twice only once', () => {
    const twice = trade(1, '100');
    const task = started();
    const advances = run(task, [traded(trade(0, '90')), traded(twice), traded(twice), traded(trade(2, '95'))]);
    expect(advances[2]?.derived).toEqual([]);
    expect(task.counts).toMatchObject({ duplicates: 1, trades: 3 });
    expect(snapshotsOf(eventsOf(advances)).at(-1)).toMatchObject({ tradeCount: 3, vwap: 95 });
  });

  it('counts trades that fill a gap late', () => {
    const numbered = (id: number, seconds: number) => traded(trade(seconds, '100', { tradeId: String(id) }));
    const task = started();
    run(task, [numbered(1, 0), numbered(4, 3), numbered(2, 1), numbered(3, 2), numbered(2, 1), numbered(5, 4)]);
    expect(task.counts).toMatchObject({ trades: 5, late: 2, duplicates: 1 });
  });
});

describe('outcomes', () => {
  const configuration = {
    cadenceMs: 0,
    hitRule: { horizonMs: 10_000, graceMs: 5_000 },
    strategies: STRATEGIES,
  };

  it('are exactly one for every LONG or SHORT forecast, and none for NEUTRAL', () => {
    const records = eventsOf(
      run(
        started({ ...configuration, cadenceMs: 1_000 }),
        syntheticTrades({ seed: 7, count: 3_000 }).map((each) => traded(each)),
      ),
    );
    const horizonEnd = Math.max(...records.map(({ event }) => event.eventTime));
    const forecasts = records
      .filter(({ type }) => type === 'StrategyResult' || type === 'ProbabilityDecision')
      .map(({ event }) => event as StrategyResult | ProbabilityDecision)
      .filter(({ direction }) => direction !== 'NEUTRAL');
    const due = forecasts
      .filter(({ eventTime }) => eventTime + 10 * SECOND_US <= horizonEnd)
      .map(({ eventId }) => eventId);
    const resolved = outcomesOf(records).map(({ forecastId }) => forecastId);
    expect(due.length).toBeGreaterThan(1_000);
    expect(resolved.toSorted()).toEqual(due.toSorted());
    expect(new Set(outcomesOf(records).map(({ verdict }) => verdict)).has('HIT')).toBe(true);
  });

  it('are VOID when the first trade is later than the grace', () => {
    const trades = [trade(0, '100'), trade(1, '90'), trade(16.5, '95')];
    expect(
      outcomesOf(
        eventsOf(
          run(
            started(configuration),
            trades.map((each) => traded(each)),
          ),
        ),
      ),
    ).toMatchObject([
      { verdict: 'VOID', observedPrice: null, observedTime: null, moveBps: null, resolvingTradeId: null },
      { verdict: 'VOID' },
    ]);
  });

  it('keep the rule registered with the forecast when another comes into force', () => {
    const task = started(configuration);
    run(
      task,
      [trade(0, '100'), trade(1, '90')].map((each) => traded(each)),
    );
    const other = activation(
      { ...configuration, hitRule: { horizonMs: 60_000, minMoveBps: 9_000 } },
      { activationId: 'second' },
    );
    run(task, [activated(other)]);
    const [outcome] = outcomesOf(eventsOf(run(task, [traded(trade(11, '91'))])));
    expect(outcome).toMatchObject({ verdict: 'HIT', dueTime: START_US + 11 * SECOND_US });
  });
});

describe('a refusing task', () => {
  it('skips and counts trades before the first activation', () => {
    const task = createPartitionTask(3);
    expect(eventsOf(run(task, [traded(trade(0, '100')), traded(trade(1, '100'))]))).toEqual([]);
    expect(task.counts).toMatchObject({ skipped: 2, trades: 0 });
    expect(task.tapeId).toBeUndefined();
  });

  it('makes a dead letter with a reason of the closed list from each unusable record, the same at each replay', () => {
    const value = Buffer.alloc(70_000, 7);
    const contents: TapeContent[] = [
      { kind: 'unusable', reason: 'UNDECODABLE', value },
      { kind: 'unusable', reason: 'UNKNOWN_SCHEMA', value: Buffer.from('x') },
      traded(trade(0, '100'), 'ff'.repeat(32)),
      traded(trade(0, '100', { instrument: 'btc' })),
      traded(trade(0, '100', { eventTime: START_US + 20 * SECOND_US })),
      activated(activation({}, { activationId: 'other', tapeId: 'another' })),
      activated(activation({}, { activationId: 'other', configHash: 'ff' })),
      activated(activation({}, { activationId: 'other', configuration: '{"a":1}', configHash: sha256Hex('{"a":1}') })),
    ];
    const task = started();
    const letters = run(task, contents).flatMap(({ deadLetters }) => deadLetters);
    expect(task.counts.deadLetters).toBe(letters.length);
    expect(letters.map(({ reason }) => reason)).toEqual([
      'UNDECODABLE',
      'UNKNOWN_SCHEMA',
      'SCHEMA_NOT_ACCEPTED',
      'INSTRUMENT_MALFORMED',
      'CLOCK_LEAD',
      'MALFORMED',
      'MALFORMED',
      'MALFORMED',
    ]);
    expect(letters[0]).toMatchObject({
      deadLetterId: 'dead-engine-raw.trades-3-1',
      reader: 'engine',
      payloadBytes: 70_000,
      payloadHash: sha256Hex(value),
      source: { kind: 'TOPIC', name: 'raw.trades', partition: 3, position: 1 },
    });
    expect(letters[0]?.payload).toHaveLength(65_536);
    expect(run(started(), contents).flatMap(({ deadLetters }) => deadLetters)).toEqual(letters);
  });

  it('holds a bounded number of instruments and of activations', () => {
    const task = started({ strategies: onlyStrategies({}) });
    const named = (index: number) => traded(trade(0, '1', { instrument: `I${index}@binance` }));
    run(
      task,
      Array.from({ length: INSTRUMENTS_MAX }, (_, index) => named(index)),
    );
    const [advance, known] = run(task, [named(INSTRUMENTS_MAX), named(0)]);
    expect(advance?.deadLetters).toMatchObject([{ reason: 'INSTRUMENT_NOT_ALLOWED' }]);
    expect(known?.deadLetters).toEqual([]);

    const other = started();
    const ids = Array.from({ length: 100 }, (_, index) => activated(activation({}, { activationId: `a${index}` })));
    const last = run(other, ids).at(-1)!.anchor!;
    expect((JSON.parse(bytesOf(last).toString()) as { activationIds: string[] }).activationIds).toHaveLength(64);
  });

  it('takes no snapshot while the forecasts of too many are pending', () => {
    const rules = compileRules(parseConfiguration({}));
    const rule = { kind: 'MOVE', horizonMs: 1e9, graceMs: 0, minMoveBps: 0, minMovePoints: null } as const;
    const points = Array.from({ length: PENDING_POINTS_MAX }, () => [START_US, '1', 0.5, null, []] as const);
    const state = new Instrument(INSTRUMENT, rules).toState();
    const full = { ...state, pending: [{ rule, points: [points] }] };
    expect(new Instrument(INSTRUMENT, rules, state).isSnapshotDue(trade(0, '1'))).toBe(true);
    expect(new Instrument(INSTRUMENT, rules, full).isSnapshotDue(trade(0, '1'))).toBe(false);
  });

  it('refuses to process a record twice', () => {
    const task = started();
    expect(() => task.advance({ partition: 3, offset: 0, content: traded(trade(0, '1')) })).toThrow(RangeError);
  });
});

describe('activations', () => {
  it('have no effect when repeated', () => {
    const task = started();
    run(task, [traded(trade(0, '100'))]);
    const [repeated] = run(task, [activated(activation({}))]);
    expect(repeated).toEqual({ derived: [], deadLetters: [], anchor: undefined });
  });

  it('restart only the indicators whose parameters changed', () => {
    const task = started({ range: { bars: 1 } });
    run(
      task,
      [trade(0, '100'), trade(61, '104')].map((each) => traded(each)),
    );
    const next = (configuration: object, activationId: string, seconds: number) => {
      run(task, [activated(activation(configuration, { activationId }))]);
      return snapshotsOf(eventsOf(run(task, [traded(trade(seconds, '100'))])))[0];
    };
    const bin = { instruments: { [INSTRUMENT]: { binSize: '50' } } };
    // Only the profile restarts: its new bin holds the new trade alone.
    expect(next({ range: { bars: 1 }, ...bin }, 'a', 62)).toMatchObject({
      tradeCount: 3,
      rangeHigh: Decimal.of('100'),
      valueAreaHigh: Decimal.of('100'),
      firstOffset: 1,
    });
    // Only the range restarts.
    expect(next({ range: { bars: 2 }, ...bin }, 'b', 63)).toMatchObject({ tradeCount: 4, rangeHigh: null });
    // Another session: average and profile restart.
    expect(next({ range: { bars: 2 }, ...bin, session: { anchorMs: 1 } }, 'c', 64)).toMatchObject({ tradeCount: 1 });
    // A weight touches no indicator.
    const weighted = {
      range: { bars: 2 },
      ...bin,
      session: { anchorMs: 1 },
      strategies: { VWAP_REVERSION: { weight: 2 } },
    };
    expect(next(weighted, 'd', 65)).toMatchObject({ tradeCount: 2 });
  });

  it('stop the task at a foreign one with an anchor at exactly its offset, once', () => {
    const task = started();
    run(task, [traded(trade(0, '100'))]);
    for (const foreign of [
      activation({}, { activationId: 'new', engineVersion: '999' }),
      activation({}, { activationId: 'new', writerFingerprints: {} }),
    ]) {
      const [advance] = run(task, [activated(foreign)]);
      expect(advance?.foreignActivation).toEqual(foreign);
      expect(task.nextOffset).toBe(2);
      const { anchor } = advance!;
      if (anchor !== undefined) expect(anchor.manifest.tape).toEqual({ partition: 3, offset: 2 });
    }
    const [again] = run(task, [activated(activation({}, { activationId: 'new', engineVersion: '999' }))]);
    expect(again?.anchor).toBeUndefined();
    expect(run(createPartitionTask(3), [activated(activation({}, { engineVersion: '999' }))])[0]).toMatchObject({
      anchor: undefined,
      foreignActivation: { engineVersion: '999' },
    });
  });
});

/** A tape with every kind of record, and its results. */
function tapeOf(seed: number, count: number, anchorIntervalRecords: number): TapeContent[] {
  const instruments = [INSTRUMENT, 'ETH-USDT@binance'];
  const configuration = {
    anchorIntervalRecords,
    cadenceMs: 2_000,
    session: { lengthMs: 600_000 },
    range: { barMs: 5_000, bars: 4 },
    hitRule: { horizonMs: 20_000, graceMs: 1_500 },
    strategies: { VWAP_REVERSION: { parameters: { entryDeviations: 0.2 } } },
  };
  let known = 0;
  const contents: TapeContent[] = syntheticTrades({ seed, count, instruments }).flatMap((each, index) => {
    known = Math.max(known, each.eventTime);
    const watermark = watermarkOf(index % 3 === 0 ? instruments : [INSTRUMENT], known - 2 * SECOND_US);
    return [
      ...(index % 11 === 0 ? [watermarked(watermark)] : []),
      ...(index % 50 === 7 ? [missed(gapBefore(each, index, 3))] : []),
      traded(each),
    ];
  });
  const second = activation({ ...configuration, range: { barMs: 7_000, bars: 3 } }, { activationId: 'second' });
  contents.splice(Math.floor(count / 2), 0, activated(second), {
    kind: 'unusable',
    reason: 'UNDECODABLE',
    value: Buffer.from('?'),
  });
  contents.splice(3, 0, activated(activation(configuration)));
  return contents;
}

describe('anchors', () => {
  it('are at the multiples of the interval and right after each activation', () => {
    const tape = tapeOf(5, 500, 100);
    const offsets = run(createPartitionTask(3), tape).flatMap(({ anchor }) => anchor?.manifest.tape.offset ?? []);
    expect(offsets).toEqual([4, 100, 200, 252, 300, 400, 500]);
  });

  it('name the trees of the outputs from the first event on, the record and the anchor before them', () => {
    const tape = tapeOf(6, 400, 50);
    const advances = run(createPartitionTask(3), tape);
    let previous: string | null = null;
    const trees = perTopic(() => new MerkleTree());
    advances.forEach(({ derived, anchor }, offset) => {
      for (const { topic, hash } of derived) trees[topic].append(hash);
      if (anchor === undefined) return;
      const { manifest } = anchor;
      const content = tape[offset]!;
      const record =
        content.kind === 'unusable'
          ? sha256Hex(content.value)
          : sha256Hex(Buffer.concat([Buffer.from(content.fingerprint, 'hex'), content.body]));
      expect(manifest).toMatchObject({
        tape: { partition: 3, offset: offset + 1 },
        tapeRecordHash: record,
        previousAnchorHash: previous,
        stateHash: sha256Hex(bytesOf(anchor)),
        stateBytes: bytesOf(anchor).length,
        stateChunks: anchor.chunks.length,
        treeRoots: perTopic((topic) => trees[topic].root()),
        treeSizes: perTopic((topic) => trees[topic].count),
        gitCommit: 'abc',
      });
      previous = anchor.hash.toString('hex');
    });
    expect(previous).not.toBeNull();
  });

  it('let the engine continue from any of them with the same bytes', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 20, max: 120 }), (seed, interval) => {
        const tape = tapeOf(seed, 400, interval);
        const advances = run(createPartitionTask(3), tape);
        for (const { before, after } of resumptionsOf(advances, tape)) expect(after).toEqual(before);
      }),
      { numRuns: 15 },
    );
  });

  it('refuse a state of another anchor', () => {
    const anchor = run(createPartitionTask(3), tapeOf(5, 50, 20)).find((advance) => advance.anchor)?.anchor;
    const bytes = bytesOf(anchor!);
    bytes[0] = 0;
    expect(() => restorePartitionTask(anchor!.manifest, bytes, anchor!.hash)).toThrow('does not have the hash');
    const other = Buffer.from(bytesOf(anchor!).toString().replace('"format":5', '"format":0'));
    const manifest = { ...anchor!.manifest, stateHash: sha256Hex(other) };
    expect(() => restorePartitionTask(manifest, other, anchor!.hash)).toThrow('the form 0');
  });

  it('are not written while another version is in force', () => {
    const task = started();
    run(task, [traded(trade(0, '100'))]);
    const [advance] = run(task, [activated(activation({}, { activationId: 'new', engineVersion: '999' }))]);
    const { manifest, hash } = advance!.anchor!;
    const state = Buffer.from(
      bytesOf(advance!.anchor!).toString().replace(`"engineVersion":"${ENGINE_VERSION}"`, '"engineVersion":"0"'),
    );
    const resumed = restorePartitionTask(
      { ...manifest, stateHash: sha256Hex(state) },
      state,
      hash,
      pagesOf([advance!]),
    );
    const [halted] = run(resumed, [traded(trade(1, '101'))]);
    expect(halted).toMatchObject({ derived: [], anchor: undefined, foreignActivation: { engineVersion: '0' } });
    expect(resumed.nextOffset).toBe(manifest.tape.offset);
  });

  it('hand the state over to the version that the foreign activation names', () => {
    const task = started();
    run(task, [traded(trade(0, '100'))]);
    const [advance] = run(task, [activated(activation({}, { activationId: 'new', engineVersion: '999' }))]);
    const { anchor } = advance!;
    const resumed = restorePartitionTask(anchor!.manifest, bytesOf(anchor!), anchor!.hash, pagesOf([advance!]));
    const snapshot = snapshotsOf(
      eventsOf(run(resumed, [activated(activation({}, { activationId: 'own' })), traded(trade(1, '102'))])),
    );
    expect(snapshot).toMatchObject([{ tradeCount: 2, vwap: 101, sequence: 1 }]);
  });
});
