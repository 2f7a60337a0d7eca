import type { Activation, DeadLetter, PipelineResponse } from '../../dashboard/contract/pipeline.ts';
import { CONFIG_HASH, ENGINE_VERSION } from './fixture-market.ts';

const GROUPS = ['tapeproof-engine-7', 'tapeproof-redis-latest', 'tapeproof-postgres-history', 'tapeproof-scores'];
const PARTITIONS = 6;

export function fixturePipeline(nowUs: number): PipelineResponse {
  const part = <Value>(value: Value) => ({ value, missing: null });
  return {
    asOfUs: nowUs,
    attention: [
      'postgres-history is 4,210 records behind in raw.trades-3 and its position stands still: look at its log.',
    ],
    services: (['kafka', 'registry', 'postgres', 'redis'] as const).map((name) => ({ name, up: true, reason: null })),
    topicDrift: part([]),
    activations: part(
      Array.from({ length: PARTITIONS }, (_, partition) => ({
        ...{ partition, engineVersion: ENGINE_VERSION, gitCommit: '1f'.repeat(20), configHash: CONFIG_HASH },
        ...{ asOfOffset: 50_000 * partition, isAnchored: true },
      })),
    ),
    processes: [
      { name: 'engine', host: '127.0.0.1', port: 41_201, ready: true, detail: '', rebalances: 2 },
      { name: 'redis-latest', host: '127.0.0.1', port: 41_202, ready: true, detail: '', rebalances: 0 },
      {
        name: 'postgres-history',
        host: '127.0.0.1',
        port: 41_203,
        ready: false,
        detail: 'waits for Postgres',
        rebalances: null,
      },
    ],
    lag: part(
      GROUPS.flatMap((group, at) =>
        Array.from({ length: PARTITIONS }, (_, partition) => ({
          ...{ group, topic: 'raw.trades', partition, members: at === 2 ? 0 : 1 },
          nextOffset: 50_000 * partition,
          records: at === 2 ? 700 * (partition + 1) : partition,
          marketSeconds: at === 2 ? 35.5 * (partition + 1) : 0.4 * partition,
        })),
      ),
    ),
    groups: part(
      GROUPS.map((group, at) => ({
        ...{ group, members: at === 2 ? 0 : 1, recordsPerSecond: at === 2 ? 0 : 812.4 / (at + 1) },
        state: at === 2 ? 'Empty' : at === 3 ? 'PreparingRebalance' : 'Stable',
      })),
    ),
    tapeRecordsPerSecond: 812.4,
    ledger: part(
      ['redis-latest', 'postgres-history'].flatMap((projector) =>
        [0, 1].map((partition) => ({
          ...{ projector, topic: 'probability.decisions', partition, read: 11_830, applied: 11_821, duplicate: 9 },
          ...{ conflict: 0, dead: 0, ignored: 0 },
        })),
      ),
    ),
    rebuilds: part([
      {
        ...{ projector: 'postgres-history', liveGeneration: 2 },
        building: { generation: 3, recordsDone: 128_400, recordsWanted: 301_250, recordsPerSecond: 18_400 },
      },
      { projector: 'scores', liveGeneration: 1, building: null },
    ]),
    deadLetters: part({ total: 12, byReason: { MALFORMED: 9, CLOCK_LEAD: 3 } }),
    conflicts: part({}),
    gaps: part({
      ...{ gaps: 1, missingTrades: 120 },
      newest: [
        {
          ...{ instrument: 'BTC-USDT@binance', firstTradeId: '4600', lastTradeId: '4719', missingTrades: 120 },
          ...{
            fromUs: nowUs - 7_300_000_000,
            toUs: nowUs - 7_200_000_000,
            reason: 'TOO_OLD',
            partition: 3,
            offset: 9_120,
          },
        },
      ],
    }),
  };
}

export function fixtureDeadLetters(): DeadLetter[] {
  return Array.from({ length: 12 }, (_, index): DeadLetter => {
    const payload =
      index === 0 ? Buffer.from([0, 0, 0, 0, 9, 255, 254]) : Buffer.from(`37356832${index},61837.63,abc,1742944080`);
    return {
      deadLetterId: `dead-ingest-file-${index}`,
      source: { kind: 'FILE', name: 'file:9f86d081884c7d65', partition: null, position: 40 + index },
      ...{
        reader: 'ingest-file',
        reason: 'NOT_A_NUMBER',
        detail: `the size "abc" in line ${40 + index} is not a number`,
      },
      payloadBase64: payload.toString('base64'),
      payloadText: index === 0 ? null : payload.toString(),
      ...{ payloadShownBytes: payload.length, payloadBytes: payload.length, payloadHash: 'ab'.repeat(32) },
      retryHint:
        'The row itself is wrong: correct it in the file and ingest the file again, which appends only what is missing.',
    };
  });
}

export function fixtureActivations(nowUs: number): Activation[] {
  const at = (daysAgo: number): string => new Date(nowUs / 1_000 - daysAgo * 86_400_000).toISOString();
  const places = Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, offset: 0, at: at(1) }));
  const common = { engineVersion: ENGINE_VERSION, gitCommit: '1f'.repeat(20), tapeId: 'tape-1', actor: 'ada' };
  return [
    {
      ...{ ...common, activationId: 'b2c5d1f4', at: at(1), configHash: CONFIG_HASH, approver: 'grace' },
      reason: 'a longer horizon, after the trials of November',
      changes: [{ key: 'outcomes.horizonMs', from: '240000', to: '300000' }],
      ...{ places, missingIn: [], revokedBy: null, fault: null },
    },
    {
      ...{ ...common, activationId: 'a1b2c3d4', at: at(9), configHash: '77'.repeat(32), approver: null },
      ...{ reason: 'the first configuration', changes: null, places, missingIn: [], revokedBy: null, fault: null },
    },
  ];
}
