import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { bodyOf, decodeBody, encodeBody } from '../contracts/codec.ts';
import { Decimal } from '../contracts/decimal.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEFAULT_PARTITIONS, TAPE_TOPIC } from '../contracts/topics.ts';
import type { Connections } from '../platform/connections.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { startConsumer } from '../platform/kafka/consumer.ts';
import type { PartitionBatch } from '../platform/kafka/partition-batch.ts';
import type { OutgoingRecord } from '../platform/kafka/outgoing-record.ts';
import { createRecordProducer, type RecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import type { Log } from '../platform/log.ts';
import type { Bench } from './bench.ts';
import { startChild } from './child.ts';
import { figureOf, quantileOf, type Figure } from './figure.ts';
import { TRADES_PER_SNAPSHOT } from './tape.ts';

const TRADES_PER_SECOND = 5_000;
const INSTRUMENTS = Math.round(TRADES_PER_SECOND / TRADES_PER_SNAPSHOT);
const WARM_UP_MS = 5_000;
const MEASURED_MS = 10_000;
/** The wait after the last trade, for decisions in flight. */
const DRAIN_MS = 1_000;
/** The longest that a trade waits for others to share its request: Kafka's own default, and part of the measurement. */
const LINGER_MS = 5;
const PROBE_INTERVAL_MS = 250;
const PROBES_MAX = 240;
const MICROSECONDS_PER_MILLISECOND = 1_000;
const MEBIBYTE = 1_048_576;
const MICROSECONDS_PER_TRADE = 1_000_000 / TRADES_PER_SECOND;

/**
 * Trade to decision, with the engine in a separate process: one engine for all runs, warmed up by a run before them.
 */
export async function measureLatency({ connections, log, runs }: Bench): Promise<Figure[]> {
  const engine = startChild({ role: 'engine', connections, argument: '' });
  const delays: number[][] = [];
  const memory: number[] = [];
  const measureRun = () => Promise.race([measureDelays(connections, log), engine.ended.then(() => [])]);
  try {
    // Not counted: an engine runs for days, while its code is compiled in its first seconds.
    await measureRun();
    for (let run = 0; run < runs; run += 1) delays.push(await measureRun());
  } finally {
    const { peakResidentBytes } = await engine.stop();
    memory.push(peakResidentBytes / MEBIBYTE);
  }
  const how = `from a trade's due time to its decision in a consumer, ${TRADES_PER_SECOND} trades a second over ${INSTRUMENTS} instruments, ${delays[0]?.length ?? 0} decisions a run`;
  return [
    figureOf(
      'trade to decision, p50',
      'ms',
      delays.map((run) => quantileOf(run, 0.5)),
      how,
    ),
    figureOf(
      'trade to decision, p99',
      'ms',
      delays.map((run) => quantileOf(run, 0.99)),
      how,
      { below: 25 },
    ),
    figureOf('engine live, peak resident memory', 'MiB', memory, 'of the engine process over those runs'),
  ];
}

/**
 * Milliseconds from the moment a trade is due to the moment a consumer has its decision, for each decision of a run.
 * Trades are stamped with their due time, so a producer that falls behind counts as delay. The engine runs in a
 * separate process and must be up.
 *
 * @param topic - of the decisions.
 */
export async function measureDelays(
  connections: Connections,
  log: Log,
  topic = 'probability.decisions',
): Promise<number[]> {
  const run = randomUUID().slice(0, 8);
  const delaysMs: number[] = [];
  let measuredFromUs = Number.POSITIVE_INFINITY;
  const handle = (batch: PartitionBatch) => {
    const arrivedMs = nowMs();
    for (const { value } of batch.records) {
      if (value === null) continue;
      const decision = decodeBody('ProbabilityDecision', bodyOf(value));
      if (decision.instrument.includes(`@${run}.probe`)) answered.resolve(undefined);
      if (!decision.instrument.endsWith(`@${run}`) || decision.eventTime < measuredFromUs) continue;
      delaysMs.push(arrivedMs - decision.eventTime / MICROSECONDS_PER_MILLISECOND);
    }
    return Promise.resolve({ nextOffset: batch.firstOffset + batch.records.length });
  };
  const answered = Promise.withResolvers<undefined>();
  const consumer = await startConsumer({
    kafka: createKafka(connections.kafkaBrokers, 'tapeproof-bench-latency', log),
    groupId: `tapeproof-bench-latency-${run}`,
    topics: [topic],
    handle,
    log,
  });
  const producer = createRecordProducer(
    createKafka(connections.kafkaBrokers, 'tapeproof-bench-trades', log),
    createRegistry(connections.registryUrl),
  );
  try {
    await untilAnswered(producer, run, answered.promise);
    const startUs = Math.floor(nowMs() * MICROSECONDS_PER_MILLISECOND);
    measuredFromUs = startUs + WARM_UP_MS * MICROSECONDS_PER_MILLISECOND;
    const count = ((WARM_UP_MS + MEASURED_MS) * TRADES_PER_SECOND) / 1000;
    for (let next = 0; next < count;) {
      const beganMs = nowMs();
      const due = Math.min(
        count,
        Math.floor((beganMs * MICROSECONDS_PER_MILLISECOND - startUs) / MICROSECONDS_PER_TRADE),
      );
      const records: OutgoingRecord[] = [];
      for (; next < due; next += 1) records.push(recordOf(next, startUs, run));
      if (records.length > 0) await producer.send(records);
      await wait(Math.max(1, LINGER_MS - (nowMs() - beganMs)));
    }
    await wait(DRAIN_MS);
    return delaysMs;
  } finally {
    await producer.disconnect();
    await consumer.stop();
  }
}

/** Sends trades of new instruments at intervals, until a decision shows that engine and consumer are working. */
async function untilAnswered(producer: RecordProducer, run: string, answered: Promise<undefined>): Promise<void> {
  let isAnswered = false;
  void answered.then(() => (isAnswered = true));
  for (let probe = 0; !isAnswered; probe += 1) {
    if (probe >= PROBES_MAX) throw new Error(`no decision came in ${PROBES_MAX * PROBE_INTERVAL_MS} ms`);
    await producer.send([recordOf(0, Math.floor(nowMs() * MICROSECONDS_PER_MILLISECOND), `${run}.probe${probe}`)]);
    await Promise.race([answered, wait(PROBE_INTERVAL_MS)]);
  }
}

function recordOf(index: number, startUs: number, run: string): OutgoingRecord {
  const instrument = `I${index % INSTRUMENTS}-USDT@${run}`;
  const eventTime = Math.floor(startUs + index * MICROSECONDS_PER_TRADE);
  const body = encodeBody('Trade', {
    venue: run,
    instrument,
    tradeId: String(Math.floor(index / INSTRUMENTS)),
    eventTime,
    price: Decimal.of(`${50_000 + ((index * 37) % 100)}.5`),
    size: Decimal.of('0.01'),
    side: 'BUY',
    receivedAt: eventTime,
    source: 'bench',
    suspicious: false,
    conditions: [],
  });
  const partition = partitionOf(instrument, DEFAULT_PARTITIONS);
  return { topic: TAPE_TOPIC, partition, key: instrument, type: 'Trade', body, timestampUs: eventTime };
}

/** Wall-clock milliseconds with a fraction, for use in a trade. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
