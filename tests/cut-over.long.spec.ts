import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBody, FRAME_BYTES } from '../contracts/codec.ts';
import type { Outcome, ProbabilityDecision } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEFAULT_PARTITIONS, TAPE_TOPIC, type DerivedTopic } from '../contracts/topics.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { engineGroup } from '../evaluators/main.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createLog } from '../platform/log.ts';
import type { CertifyReport } from '../proofs/certify/certify-text.ts';
import { environmentOf, runCommand } from './support/command.ts';
import { startEngine } from './support/running-engine.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const INSTRUMENT = 'BTC-USDT@binance';
const PARTITION = partitionOf(INSTRUMENT, DEFAULT_PARTITIONS);
const PART = 1_200;
/** Each configuration has a horizon of its own, so that an outcome shows under which its forecast was made. */
const HORIZONS_MS = [300_000, 240_000, 360_000];

describe('a cut-over while the engine runs', () => {
  const connections = stackConnections();
  const kafka = createKafka(connections.kafkaBrokers, 'test-cut-over', createLog('test', 'silent'));
  const reader = createLogReader(connections.kafkaBrokers);
  let folder: string;
  let decisions: ProbabilityDecision[];
  let outcomes: Outcome[];

  const tapeproof = async (...words: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await runCommand(words, environmentOf(connections));
    expect(exitCode, stderr).toBe(0);
    return stdout;
  };
  const eventsOf = async <Event>(topic: DerivedTopic, type: 'Outcome' | 'ProbabilityDecision'): Promise<Event[]> => {
    const events: Event[] = [];
    const range = { topic, partition: PARTITION, from: 0, to: await reader.endOffset(topic, PARTITION) };
    for await (const records of reader.read(range)) {
      for (const { value } of records) events.push(decodeBody(type, value!.subarray(FRAME_BYTES)) as Event);
    }
    return events;
  };

  beforeAll(async () => {
    await resetStores(connections);
    folder = await mkdtemp(join(tmpdir(), 'tapeproof-cut-over-'));
    const trades = syntheticTrades({ seed: 31, count: HORIZONS_MS.length * PART });
    const engine = startEngine();
    for (const [index, horizonMs] of HORIZONS_MS.entries()) {
      const configuration = join(folder, `${index}.json`);
      await writeFile(
        configuration,
        JSON.stringify({ anchorIntervalRecords: 500, hitRule: { horizonMs, graceMs: 5_000 } }),
      );
      await tapeproof('activate', '--config', configuration, '--reason', `horizon ${horizonMs}`);
      const rows = trades
        .slice(index * PART, (index + 1) * PART)
        .map(({ tradeId, eventTime, instrument, price, size, side }) =>
          [tradeId, eventTime, instrument, price.toString(), size.toString(), side].join(','),
        );
      const file = join(folder, `${index}.csv`);
      await writeFile(file, ['trade_id,event_time_us,instrument,price,size,side', ...rows, ''].join('\n'));
      await tapeproof('ingest', 'file', file, '--accept-late');
    }
    await until(
      'the engine has read the tape',
      async () => (await groupLag(kafka, engineGroup(), [TAPE_TOPIC])).lag === 0,
    );
    await engine.stop();
    decisions = await eventsOf('probability.decisions', 'ProbabilityDecision');
    outcomes = await eventsOf('decision.outcomes', 'Outcome');
  });
  afterAll(async () => {
    await reader.close();
    await rm(folder, { recursive: true });
  });

  it('loses and doubles no event', () => {
    for (const events of [decisions, outcomes]) {
      expect(events.length).toBeGreaterThan(300);
      expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index));
    }
    expect(new Set(decisions.map(({ hitRule }) => hitRule.horizonMs))).toEqual(new Set(HORIZONS_MS));
  });

  it('resolves each forecast by the rule that was in force when it was made', () => {
    const made = new Map(decisions.map((decision) => [decision.eventId, decision]));
    const across = outcomes.filter(({ forecastId, configHash }) => {
      const decision = made.get(forecastId);
      return decision !== undefined && decision.configHash !== configHash;
    });
    expect(across.length).toBeGreaterThan(20);
    for (const { forecastId, dueTime, forecastTime, forecastConfigHash } of across) {
      const { hitRule, configHash } = made.get(forecastId)!;
      expect(dueTime - forecastTime).toBe(hitRule.horizonMs * 1_000);
      expect(forecastConfigHash).toBe(configHash);
    }
  });

  it('is certified across the three activations, and reported', async () => {
    const report = JSON.parse(await tapeproof('certify', '--json')) as CertifyReport;
    expect(report.verdict).toBe('DERIVED');
    const { activations } = report.results[PARTITION]!.ranges[0]!;
    expect(activations).toHaveLength(HORIZONS_MS.length);
    expect(new Set(activations.map(({ configHash }) => configHash)).size).toBe(HORIZONS_MS.length);
    const text = await tapeproof('report', 'activations');
    for (const horizonMs of HORIZONS_MS) expect(text).toContain(`horizon ${horizonMs}`);
  });
});
