import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildConnect, buildStreams } from '../bench/peers/build.ts';
import { contenderOf, lastingContenderOf, type Arena, type LastingContender } from '../bench/peers/contenders.ts';
import { observeProcess } from '../bench/peers/measurement.ts';
import { compareOutputs } from '../bench/peers/outputs.ts';
import { appendTrades, CADENCE_MS, deriveTape, EACH_TRADE_MS, fillTape, layTape } from '../bench/tape.ts';
import { digestOf, differenceOf } from '../bench/table-equality.ts';
import { DECISION_ROW, DECISIONS_TABLE } from '../bench/decisions-projector.ts';
import { measureJdbcSink, SINK_TABLE } from '../bench/jdbc-sink.ts';
import { migratorUrlOf } from '../platform/connections.ts';
import { createPool } from '../platform/postgres.ts';
import type { Trade } from '../contracts/generated/events.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createLog } from '../platform/log.ts';
import { onPath } from '../stack/run.ts';
import { roughTrades } from './support/rough-trades.ts';
import { resetStores, stackConnections } from './support/stack.ts';

const log = createLog('test', 'silent');
const hasMaven = onPath('mvn') !== undefined;
/** The first build downloads Kafka Streams. */
const BUILD_DEADLINE_MS = 600_000;
let classPath: string;
let connectClassPath: string;

beforeAll(async () => {
  if (!hasMaven) return;
  classPath = await buildStreams();
  connectClassPath = await buildConnect();
}, BUILD_DEADLINE_MS);

/** The first and the second half of each instrument's trades. */
function halvesOf(trades: readonly Trade[]): readonly [Trade[], Trade[]] {
  const markets = Object.values(Object.groupBy(trades, ({ instrument }) => instrument)).map((market) => market ?? []);
  return [
    markets.flatMap((market) => market.slice(0, market.length / 2)),
    markets.flatMap((market) => market.slice(market.length / 2)),
  ];
}

/** Runs a contender to the end of the tape, from where it is. */
async function goOn(contender: LastingContender, { kafka, bench }: Arena): Promise<void> {
  const running = await contender.start();
  try {
    await observeProcess(kafka, { ...running, ...contender }, bench.trades);
  } finally {
    await running.stop();
  }
}

describe('the peers of the benchmark', () => {
  it('derive the same events as the engine from a disorderly tape, across a restart', async ({ skip }) => {
    if (!hasMaven) skip('Maven, which builds the Kafka Streams application, is not on the PATH');
    await resetStores();
    const connections = stackConnections();
    const trades = [...roughTrades()];
    const bench = { connections, log, runs: 1, trades: trades.length };
    await layTape(bench, CADENCE_MS);
    const kafka = createKafka(connections.kafkaBrokers, 'test-peers', log);
    const reader = createLogReader(connections.kafkaBrokers);
    const folder = await mkdtemp(join(tmpdir(), 'tapeproof-peers-'));
    const arena: Arena = { bench, kafka, reader, classPath, folder, naiveTrades: 100 };
    const ours = contenderOf('tapeproof', arena);
    const streams = lastingContenderOf('streams-exactly-once', arena);
    const naive = contenderOf('kafkajs', arena);
    try {
      const [before, after] = halvesOf(trades);
      await appendTrades(bench, before);
      await streams.reset();
      await goOn(streams, arena);
      // What Streams keeps in its changelog must be all that it needs.
      await rm(folder, { recursive: true, force: true });
      await appendTrades(bench, after);
      // Each to its end: a process that fails must not leave the others behind.
      const derived = await Promise.allSettled([ours.derive(), goOn(streams, arena), naive.derive()]);
      expect(derived.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))).toEqual([]);
      const compared = await compareOutputs(ours.outputs, streams.outputs);
      expect(compared.difference).toBeUndefined();
      expect(compared.equalEvents).toBeGreaterThan(10_000);
      expect((await compareOutputs(ours.outputs, naive.outputs, true)).difference).toBeUndefined();
    } finally {
      await reader.close();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('write the rows of postgres-history by a JDBC sink, and a comparison names the column that differs', async ({
    skip,
  }) => {
    if (!hasMaven) skip('Maven, which builds Kafka Connect, is not on the PATH');
    await resetStores();
    const connections = stackConnections();
    const bench = { connections, log, runs: 1, trades: 2_000 };
    await layTape(bench, EACH_TRADE_MS);
    await fillTape(bench);
    await deriveTape(bench);
    const settings = { postgres: process.pid, classPath: connectClassPath, modes: ['upsert'] } as const;
    // It compares them.
    const figures = await measureJdbcSink(bench, settings, () => undefined);
    expect(figures.map(({ name }) => name)).toContain('ours ÷ JDBC sink, upsert, peak resident memory');
    const pool = createPool(migratorUrlOf(connections), 'test-peers');
    try {
      const { table } = DECISION_ROW;
      const ours = await digestOf(pool, DECISIONS_TABLE, table);
      expect(ours.rows).toBe(2_000);
      await pool.query(
        `UPDATE ${SINK_TABLE} SET event_time = event_time + interval '1 microsecond', confidence = confidence + 1
          WHERE event_id = (SELECT max(event_id) FROM ${SINK_TABLE})`,
      );
      const difference = differenceOf(ours, await digestOf(pool, SINK_TABLE, table));
      expect(difference).toBe('other values in event_time, confidence');
    } finally {
      await pool.end();
    }
  });
});
