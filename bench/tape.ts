import { setTimeout as wait } from 'node:timers/promises';
import { encodeBody } from '../contracts/codec.ts';
import type { Trade } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEFAULT_PARTITIONS, TAPE_TOPIC } from '../contracts/topics.ts';
import { activate } from '../evaluators/activate.adapter.ts';
import { canonicalConfiguration, ENGINE_VERSION, parseConfiguration } from '../evaluators/configuration.ts';
import { engineGroup } from '../evaluators/main.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import type { OutgoingRecord } from '../platform/kafka/outgoing-record.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { applyTopics } from '../platform/kafka/topics.ts';
import type { Bench } from './bench.ts';
import { startChild, type Usage } from './child.ts';
import { figureOf, type Figure } from './figure.ts';
import { syntheticTrades } from './trades.ts';

/** One snapshot per second: the default. */
export const CADENCE_MS = 1_000;
/** A snapshot at each trade: the most events that a tape can give. */
export const EACH_TRADE_MS = 0;
const BATCH_RECORDS = 10_000;
const POLL_MS = 100;
const MILLISECONDS_PER_SECOND = 1000;
/** At the default cadence. */
export const TRADES_PER_SNAPSHOT = 30;

/** Topics, schemas and an activation of the default configuration, snapshots at the given cadence (0: each trade). */
export async function layTape({ connections, log }: Bench, cadenceMs: number): Promise<void> {
  await applyTopics(createKafka(connections.kafkaBrokers, 'tapeproof-bench', log), DEFAULT_PARTITIONS);
  await createRegistry(connections.registryUrl).register();
  const configuration = canonicalConfiguration(parseConfiguration({ cadenceMs }));
  await activate({ connections, configuration, engineVersion: ENGINE_VERSION, gitCommit: 'unknown', log });
}

/** Appends synthetic trades, by default as many to a snapshot as the engine's other figures have. */
export async function fillTape(bench: Bench, tradesPerSnapshot = TRADES_PER_SNAPSHOT): Promise<void> {
  await appendTrades(bench, syntheticTrades(bench.trades, tradesPerSnapshot));
}

/** Appends trades as fast as the broker accepts them. */
export async function appendTrades(
  { connections, log }: Pick<Bench, 'connections' | 'log'>,
  trades: Iterable<Trade>,
): Promise<void> {
  const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-bench', log);
  const producer = createRecordProducer(kafka, createRegistry(connections.registryUrl));
  let batch: OutgoingRecord[] = [];
  for (const trade of trades) {
    batch.push({
      topic: TAPE_TOPIC,
      partition: partitionOf(trade.instrument, DEFAULT_PARTITIONS),
      key: trade.instrument,
      type: 'Trade',
      body: encodeBody('Trade', trade),
      timestampUs: trade.eventTime,
    });
    if (batch.length < BATCH_RECORDS) continue;
    await producer.send(batch);
    batch = [];
  }
  await producer.send(batch);
  await producer.disconnect();
}

/** A derivation by engine processes, from their start to their end. */
export interface DerivedTape {
  readonly figures: Figure[];
  readonly usages: readonly Usage[];
  /** From the first commit to the last. */
  readonly tradesPerSecond: number;
}

/**
 * Runs the engine's processes until they have derived the whole tape. One run: a second one would find its events
 * already there.
 */
export async function deriveTape({ connections, log, trades }: Bench, engines = 1): Promise<DerivedTape> {
  const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-bench', log);
  const children = Array.from({ length: engines }, () => startChild({ role: 'engine', connections, argument: '' }));
  let begun: { readonly at: number; readonly committed: number } | undefined;
  while (true) {
    const { committed, lag } = await groupLag(kafka, engineGroup(), [TAPE_TOPIC]);
    if (committed > 0) begun ??= { at: performance.now(), committed };
    if (begun !== undefined && lag === 0) {
      const seconds = (performance.now() - begun.at) / MILLISECONDS_PER_SECOND;
      const tradesPerSecond = (trades - begun.committed) / seconds;
      const usages = await Promise.all(children.map((child) => child.stop()));
      const cpuSeconds = usages.reduce((sum, usage) => sum + usage.cpuSeconds, 0);
      const how = 'the whole process, from start to stop: consume, derive, send, anchor, commit; one run';
      const figures = [
        figureOf('engine process', 'trades/s', [tradesPerSecond], 'from its first commit to its last; one run'),
        figureOf('engine process, CPU', 'trades per CPU-second', [trades / cpuSeconds], how),
      ];
      return { figures, usages, tradesPerSecond };
    }
    await Promise.race([wait(POLL_MS), ...children.map((child) => child.ended)]);
  }
}
