import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bodyOf, decodeBody, encodeBody } from '../contracts/codec.ts';
import { Decimal } from '../contracts/decimal.ts';
import type { EngineAnchor, EngineActivated, Trade } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import {
  ANCHORS_TOPIC,
  DEAD_LETTERS_TOPIC,
  DERIVED_TOPICS,
  STATES_TOPIC,
  TAPE_TOPIC,
  type TopicName,
} from '../contracts/topics.ts';
import { activationOf } from '../evaluators/derive.ts';
import { anchorsBackward, type LogAccess } from '../evaluators/anchor-log.adapter.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { gapBefore, missed, watermarked, watermarkOf } from '../evaluators/fixtures/tape-contents.ts';
import { engineGroup, runEngine } from '../evaluators/main.ts';
import { EngineTelemetry } from '../evaluators/telemetry.adapter.ts';
import { EarlyRecoveries } from '../evaluators/early-recovery.adapter.ts';
import { newCounters, type EngineCounters } from '../evaluators/engine-counters.ts';
import { HandOverTelemetry } from '../evaluators/hand-over.adapter.ts';
import { PartitionProcessor, type ProcessorContext } from '../evaluators/partition-processor.adapter.ts';
import { createPartitionTask } from '../evaluators/partition-task.ts';
import { recoverTask, stepAlong } from '../evaluators/recovery.adapter.ts';
import { Turns } from '../platform/turns.ts';
import type { Connections } from '../platform/connections.ts';
import { createKafka, withAdmin } from '../platform/kafka/client.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { PartitionBatch } from '../platform/kafka/partition-batch.ts';
import type { OutgoingRecord } from '../platform/kafka/outgoing-record.ts';
import { createRecordProducer, type CollectingProducer } from '../platform/kafka/producer.ts';
import { RefusalWatch } from '../platform/kafka/refusals.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import { applyTopics, partitionCount } from '../platform/kafka/topics.ts';
import { createLog } from '../platform/log.ts';
import { noTelemetry } from '../platform/telemetry.ts';
import { collectingProducer } from './support/collecting-producer.ts';
import { tapeRecordOf } from './support/seeded-tape.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

type LogLine = Readonly<Record<string, unknown>>;

const INSTRUMENT = 'BTC-USDT@binance';
const DECISIONS_TOPIC = 'probability.decisions';
const CONFIGURATION = parseConfiguration({
  anchorIntervalRecords: 250,
  cadenceMs: 2_000,
  range: { barMs: 5_000, bars: 4 },
  hitRule: { horizonMs: 20_000, graceMs: 1_500 },
  strategies: { VWAP_REVERSION: { parameters: { entryDeviations: 0.2 } } },
});
const log = createLog('engine', 'silent');

let connections: Connections;
let access: LogAccess;
let producer: CollectingProducer;
let partitions: number;

beforeAll(() => {
  connections = stackConnections();
});

beforeEach(async () => {
  await resetStores();
  const kafka = createKafka(connections.kafkaBrokers, 'engine-test', log);
  const registry = createRegistry(connections.registryUrl);
  access = {
    reader: createLogReader(connections.kafkaBrokers),
    registry,
    decode: createTapeDecoder(registry),
  };
  producer = createRecordProducer(kafka, registry);
  await until('the broker knows the tape', async () => {
    partitions = await partitionCount(kafka);
    return true;
  });
});

afterEach(async () => {
  await producer.disconnect();
  await access.reader.close();
});

const activation = (changes: Partial<EngineActivated> = {}): EngineActivated => ({
  ...activationOf(CONFIGURATION, { tapeId: 'tape', activationId: 'first', gitCommit: 'a11ce' }),
  ...changes,
});
const tapeRecord = (trade: Trade): OutgoingRecord => ({
  topic: TAPE_TOPIC,
  partition: partitionOf(trade.instrument, partitions),
  key: trade.instrument,
  type: 'Trade',
  body: encodeBody('Trade', trade),
  timestampUs: trade.eventTime,
});
const activationRecord = (partition: number, event: EngineActivated): OutgoingRecord => ({
  topic: TAPE_TOPIC,
  partition,
  key: null,
  type: 'EngineActivated',
  body: encodeBody('EngineActivated', event),
  timestampUs: 1_742_943_600_000_000,
});

/** An activated tape with a refused trade on it. */
async function layTape(count: number, instruments: readonly string[] = [INSTRUMENT]): Promise<void> {
  const trades = syntheticTrades({ seed: 11, count, instruments });
  const [first] = trades;
  const refused = { ...first!, tradeId: 'refused', size: Decimal.ZERO };
  await layRecords([...trades, refused].map(tapeRecord));
}

/** The tape of a live market: after every 40 trades a gap, a quiet half minute, and watermarks through it. */
async function layLiveTape(count: number): Promise<void> {
  let quietUs = 0;
  const records = syntheticTrades({ seed: 11, count }).flatMap((trade, index): OutgoingRecord[] => {
    const { eventTime, receivedAt } = trade;
    const later = { ...trade, eventTime: eventTime + quietUs, receivedAt: receivedAt + quietUs };
    if (index % 40 !== 39) return [tapeRecord(later)];
    const { partition } = tapeRecord(trade);
    const seconds = Array.from({ length: 30 }, (_, second) => second);
    quietUs += seconds.length * 1_000_000;
    return [
      tapeRecordOf({ partition, content: missed(gapBefore(later, 1_000_000 + index * 10, 5)) }),
      tapeRecord(later),
      ...seconds.map((second) => {
        const watermark = watermarkOf([INSTRUMENT], Math.floor(later.eventTime / 1_000_000 + second) * 1_000_000);
        return tapeRecordOf({ partition, content: watermarked(watermark) });
      }),
    ];
  });
  await layRecords(records);
}

async function layRecords(records: readonly OutgoingRecord[]): Promise<void> {
  await producer.send(Array.from({ length: partitions }, (_, partition) => activationRecord(partition, activation())));
  await producer.send(records);
}

async function recordsOf(topic: TopicName, partition: number): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  const { reader } = access;
  const range = {
    topic,
    partition,
    from: await reader.startOffset(topic, partition),
    to: await reader.endOffset(topic, partition),
  };
  for await (const records of reader.read(range)) found.push(...records);
  return found;
}
const bodiesOf = (records: readonly LogRecord[]) => records.map(({ value }) => bodyOf(value!).toString('hex'));

/** The events that the pure engine derives from a partition of the tape, by topic. */
async function expectedOf(partition: number): Promise<Record<string, string[]>> {
  const expected: Record<string, string[]> = { [ANCHORS_TOPIC]: [], [STATES_TOPIC]: [], [DEAD_LETTERS_TOPIC]: [] };
  for (const topic of DERIVED_TOPICS) expected[topic] = [];
  const to = await access.reader.endOffset(TAPE_TOPIC, partition);
  for await (const { derived, deadLetters, anchor } of stepAlong(access, createPartitionTask(partition), to)) {
    for (const { topic, body } of derived) expected[topic]?.push(body.toString('hex'));
    for (const letter of deadLetters)
      expected[DEAD_LETTERS_TOPIC]?.push(encodeBody('DeadLetter', letter).toString('hex'));
    if (anchor === undefined) continue;
    expected[ANCHORS_TOPIC]?.push(anchor.body.toString('hex'));
    expected[STATES_TOPIC]?.push(...[...anchor.pages, ...anchor.chunks].map(({ body }) => body.toString('hex')));
  }
  return expected;
}
async function writtenOf(partition: number, topics: readonly string[]): Promise<Record<string, string[]>> {
  const written: Record<string, string[]> = {};
  for (const topic of topics) written[topic] = bodiesOf(await recordsOf(topic as TopicName, partition));
  return written;
}
async function expectAllAsDerived(): Promise<void> {
  for (let partition = 0; partition < partitions; partition += 1) {
    const expected = await expectedOf(partition);
    expect(await writtenOf(partition, Object.keys(expected))).toEqual(expected);
  }
}

interface RunningEngine {
  readonly counters: EngineCounters;
  readonly done: Promise<void>;
  stop(): Promise<void>;
}
function startEngine(): RunningEngine {
  const controller = new AbortController();
  const counters = newCounters();
  const done = runEngine({ connections, log, signal: controller.signal, gitCommit: 'b0b', counters });
  done.catch(() => undefined);
  return {
    counters,
    done,
    stop() {
      controller.abort();
      return done;
    },
  };
}
const kafkaOf = () => createKafka(connections.kafkaBrokers, 'engine-test', log);
const caughtUp = () =>
  until('the engine has committed the whole tape', async () => {
    const { lag, committed } = await groupLag(kafkaOf(), engineGroup(), [TAPE_TOPIC]);
    return lag === 0 && committed > 0;
  });

/** A batch of the tape as the consumer would deliver it. */
async function batchOf(partition: number, from: number, to: number): Promise<PartitionBatch> {
  const records: LogRecord[] = [];
  for await (const part of access.reader.read({ topic: TAPE_TOPIC, partition, from, to })) records.push(...part);
  return {
    topic: TAPE_TOPIC,
    partition,
    firstOffset: from,
    records,
    highWatermark: await access.reader.endOffset(TAPE_TOPIC, partition),
    heartbeat: () => Promise.resolve(),
    interrupted: () => false,
  };
}
function processorOf(
  partition: number,
  counters = newCounters(),
  sender: CollectingProducer = producer,
  more: Partial<ProcessorContext> = {},
): PartitionProcessor {
  const { metrics } = noTelemetry();
  const report = new EngineTelemetry(log, metrics);
  return new PartitionProcessor(partition, {
    access,
    producer: sender,
    label: () => Promise.resolve({ partitions, schemas: new Map() }),
    gitCommit: 'b0b',
    counters,
    report,
    early: new EarlyRecoveries(access),
    recoveries: new Turns(60_000),
    handOver: new HandOverTelemetry(noTelemetry(), log),
    refusals: new RefusalWatch(noTelemetry()),
    metrics,
    log,
    ...more,
  });
}

describe('a running engine', () => {
  it('writes exactly the events of the pure engine, stops on the signal, and continues where it was', async () => {
    await layTape(4_000, [INSTRUMENT, 'ETH-USDT@binance', 'SOL-USDT@binance', 'ADA-USDT@binance']);
    const engine = startEngine();
    await caughtUp();
    await engine.stop();
    expect(engine.counters).toMatchObject({ records: 4_001 + partitions, deadLetters: 1, skipped: 0, compared: 0 });
    await expectAllAsDerived();

    const second = startEngine();
    const trades = syntheticTrades({ seed: 12, count: 500, startUs: 1_742_950_000_000_000 });
    await producer.send(trades.map((trade) => tapeRecord({ ...trade, tradeId: `1${trade.tradeId}` })));
    await caughtUp();
    // Those without new records as well.
    await until('each partition was recovered', () => second.counters.recoveries === partitions);
    await second.stop();
    expect(second.counters).toMatchObject({ records: 500, recoveries: partitions });
    expect(second.counters.compared).toBeGreaterThan(0);
    await expectAllAsDerived();
  });

  it('recovers one partition after the other, and sends what is new in each before the next one', async () => {
    await layTape(2_000, [INSTRUMENT, 'ETH-USDT@binance', 'SOL-USDT@binance', 'ADA-USDT@binance']);
    const seen: string[] = [];
    const lines = (line: string): void => {
      const { 'event.action': action, 'tapeproof.tape.partition': partition } = JSON.parse(line) as LogLine;
      if (action === 'recovered') seen.push(`${String(partition)} recovered`);
    };
    const more = { recoveries: new Turns(60_000), log: createLog('engine', 'info', { write: lines }) };
    const handled = Array.from({ length: partitions }, async (_, partition) => {
      const sender = collectingProducer(async (records) => {
        await producer.send(records);
        if (records.some(({ topic }) => topic === DECISIONS_TOPIC)) seen.push(`${partition} sent`);
      });
      const batch = await batchOf(partition, 0, await access.reader.endOffset(TAPE_TOPIC, partition));
      await processorOf(partition, newCounters(), sender, more).handle(batch);
    });
    await Promise.all(handled);
    const recovered = seen.filter((each) => each.endsWith(' recovered'));
    expect(recovered).toHaveLength(partitions);
    const whole = recovered.flatMap((each) => {
      const sent = each.replace('recovered', 'sent');
      return [each, ...seen.filter((other) => other === sent)];
    });
    expect(seen).toEqual(whole);
    expect(seen.length).toBeGreaterThan(partitions);
  });

  it('shares the partitions with another one that leaves', async () => {
    await layTape(2_000, [INSTRUMENT, 'ETH-USDT@binance', 'SOL-USDT@binance', 'ADA-USDT@binance']);
    const first = startEngine();
    await until('the first engine works', () => first.counters.records > 0);
    const second = startEngine();
    const more = syntheticTrades({
      seed: 13,
      count: 3_000,
      instruments: [INSTRUMENT, 'SOL-USDT@binance'],
      startUs: 1_742_950_000_000_000,
    });
    await producer.send(more.map((trade) => tapeRecord({ ...trade, tradeId: `1${trade.tradeId}` })));
    await caughtUp();
    await first.stop();
    const last = syntheticTrades({ seed: 14, count: 500, startUs: 1_742_960_000_000_000 });
    await producer.send(last.map((trade) => tapeRecord({ ...trade, tradeId: `2${trade.tradeId}` })));
    await caughtUp();
    await second.stop();
    for (let partition = 0; partition < partitions; partition += 1) {
      const expected = await expectedOf(partition);
      const written = await writtenOf(partition, DERIVED_TOPICS);
      for (const topic of DERIVED_TOPICS) {
        // Events of moved partitions may be there twice, with the same bytes.
        expect([...new Set(written[topic])]).toEqual(expected[topic]);
      }
    }
  });

  it('ends with the conflict when written events differ from those derived from the tape', async () => {
    await layTape(300);
    const partition = partitionOf(INSTRUMENT, partitions);
    const [first] = await expectedOf(partition).then((expected) => expected['indicator.snapshots'] ?? []);
    const event = decodeBody('IndicatorSnapshot', Buffer.from(first!, 'hex'));
    await producer.send([
      {
        topic: 'indicator.snapshots',
        partition,
        key: INSTRUMENT,
        type: 'IndicatorSnapshot',
        body: encodeBody('IndicatorSnapshot', { ...event, vwap: event.vwap + 1 }),
        timestampUs: event.eventTime,
      },
    ]);
    const engine = startEngine();
    await expect(engine.done).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(
        /snapshot-\d-1-0 \(sequence 0\), which commit b0b derives.*names commit a11ce/,
      ) as unknown,
    });
  });
});

describe('a trade stamped in the future', () => {
  it('does not stop the engine: its events are written with its time', async () => {
    await layTape(100);
    const soon = (Date.now() + 48 * 3_600_000) * 1_000;
    const [trade] = syntheticTrades({ seed: 16, count: 1 });
    const poison = tapeRecord({ ...trade!, tradeId: '888888', eventTime: soon, receivedAt: soon });
    await producer.send([{ ...poison, timestampUs: Date.now() * 1_000 }]);
    const partition = poison.partition;
    const end = await access.reader.endOffset(TAPE_TOPIC, partition);
    expect(await processorOf(partition).handle(await batchOf(partition, 0, end))).toEqual({ nextOffset: end });
    const expected = await expectedOf(partition);
    expect(await writtenOf(partition, DERIVED_TOPICS)).toMatchObject(
      Object.fromEntries(DERIVED_TOPICS.map((topic) => [topic, expected[topic]])),
    );
  });
});

describe('recovery', () => {
  const partition = () => partitionOf(INSTRUMENT, partitions);

  it.each([
    ['a file', layTape],
    ['a live market', layLiveTape],
  ])('emits only the missing events of the tape of %s, whatever the crash left behind', async (_, lay) => {
    await lay(1_000);
    const end = await access.reader.endOffset(TAPE_TOPIC, partition());
    const counters = newCounters();
    // Each round a process handles a batch and dies: in the middle of one of its sends (counted from 1), or before its
    // offset is committed (0). The next one gets the same records and more.
    for (const [to, diesAtSend] of [
      [220, 3],
      [220, 0],
      [440, 2],
      [660, 3],
      [660, 0],
    ] as const) {
      let sends = 0;
      const dying = collectingProducer(async (records) => {
        sends += 1;
        const isKilled = sends === diesAtSend;
        await producer.send(isKilled ? records.slice(0, Math.floor(records.length / 2)) : records);
        if (isKilled) throw new Error('killed');
      });
      const handled = processorOf(partition(), counters, dying).handle(await batchOf(partition(), 0, to));
      if (diesAtSend > 0) await expect(handled).rejects.toThrow('killed');
      else await handled;
    }
    await processorOf(partition(), counters).handle(await batchOf(partition(), 0, end));
    expect(counters.compared).toBeGreaterThan(100);
    const expected = await expectedOf(partition());
    expect(await writtenOf(partition(), DERIVED_TOPICS)).toEqual(
      Object.fromEntries(DERIVED_TOPICS.map((topic) => [topic, expected[topic]])),
    );
    const letters = await writtenOf(partition(), [DEAD_LETTERS_TOPIC]);
    expect([...new Set(letters[DEAD_LETTERS_TOPIC])]).toEqual(expected[DEAD_LETTERS_TOPIC]);
  });

  it('recovers its state after a failed send, and after another process had the partition', async () => {
    await layTape(1_000);
    const end = await access.reader.endOffset(TAPE_TOPIC, partition());
    let isDown = false;
    const failing = collectingProducer((records) =>
      isDown ? Promise.reject(new Error('no answer')) : producer.send(records),
    );
    const counters = newCounters();
    const delivery = processorOf(partition(), counters, failing);
    await delivery.handle(await batchOf(partition(), 0, 300));
    isDown = true;
    await expect(delivery.handle(await batchOf(partition(), 300, 400))).rejects.toThrow('no answer');
    isDown = false;
    await delivery.handle(await batchOf(partition(), 300, 400));
    await processorOf(partition()).handle(await batchOf(partition(), 400, 700));
    await delivery.handle(await batchOf(partition(), 700, end));
    expect(counters.recoveries).toBe(3);
    const expected = await expectedOf(partition());
    expect(await writtenOf(partition(), DERIVED_TOPICS)).toEqual(
      Object.fromEntries(DERIVED_TOPICS.map((topic) => [topic, expected[topic]])),
    );
  });

  it('begins at the greatest anchor that is complete, belongs to the tape and is reached by the outputs', async () => {
    await layTape(1_000);
    const end = await access.reader.endOffset(TAPE_TOPIC, partition());
    await processorOf(partition()).handle(await batchOf(partition(), 0, end));
    const anchors: EngineAnchor[] = [];
    for await (const { manifest } of anchorsBackward(access, partition())) anchors.push(manifest);
    expect(anchors.map(({ tape }) => tape.offset)).toEqual([1_000, 750, 500, 250, 1]);
    const forge = (changes: Partial<EngineAnchor>): OutgoingRecord => ({
      topic: ANCHORS_TOPIC,
      partition: partition(),
      key: 'forged',
      type: 'EngineAnchor',
      body: encodeBody('EngineAnchor', { ...anchors[0]!, ...changes }),
      timestampUs: 1_742_943_600_000_000,
    });
    const tape = { partition: partition(), offset: 1_002 };
    await producer.send([
      forge({ tape, stateChunks: 7 }),
      forge({ tape, tapeRecordHash: 'ff' }),
      forge({ stateHash: 'ff' }),
    ]);
    const recovered = await recoverTask(access, partition(), Number.POSITIVE_INFINITY);
    expect(recovered.task.nextOffset).toBe(1_000);
    expect((await recoverTask(access, partition(), 999)).task.nextOffset).toBe(750);
    expect((await recoverTask(access, partition(), 0)).task.nextOffset).toBe(0);

    const counters = newCounters();
    await processorOf(partition(), counters).handle(await batchOf(partition(), end - 1, end));
    expect(counters).toMatchObject({ recoveries: 1, records: 1, recovered: end - 1 - 1_000, events: 0 });
  });

  it('derives a lost output again', async () => {
    await layTape(600);
    const end = await access.reader.endOffset(TAPE_TOPIC, partition());
    await processorOf(partition()).handle(await batchOf(partition(), 0, end));
    const before = await writtenOf(partition(), DERIVED_TOPICS);
    const topics = ['decision.outcomes'];
    await withAdmin(kafkaOf(), (admin) => admin.deleteTopics({ topics }));
    await until('the topic is gone', () =>
      withAdmin(kafkaOf(), async (admin) => !(await admin.listTopics()).includes('decision.outcomes')),
    );
    await until('the topic is there', () => applyTopics(kafkaOf()).then(() => true));
    const counters = newCounters();
    await processorOf(partition(), counters).handle(await batchOf(partition(), end - 1, end));
    expect(await writtenOf(partition(), DERIVED_TOPICS)).toEqual(before);
    expect(counters.events).toBe(before['decision.outcomes']?.length);
  });

  it('recovers from a wrong hint', async () => {
    await layTape(600);
    const end = await access.reader.endOffset(TAPE_TOPIC, partition());
    await processorOf(partition()).handle(await batchOf(partition(), 0, end));
    const [newest] = await (async () => {
      for await (const anchor of anchorsBackward(access, partition())) return [anchor];
      return [];
    })();
    const outputs = Object.fromEntries(
      await Promise.all(
        DERIVED_TOPICS.map(
          async (topic) =>
            [`output-log-offset.${topic}`, String(await access.reader.endOffset(topic, partition()))] as const,
        ),
      ),
    );
    await producer.send([
      {
        topic: ANCHORS_TOPIC,
        partition: partition(),
        key: 'again',
        type: 'EngineAnchor',
        body: encodeBody('EngineAnchor', newest!.manifest),
        timestampUs: 1_742_943_600_000_000,
        headers: { 'state-log-offset': '0', ...outputs },
      },
    ]);
    const before = await writtenOf(partition(), DERIVED_TOPICS);
    await processorOf(partition()).handle(await batchOf(partition(), end - 1, end));
    expect(await writtenOf(partition(), DERIVED_TOPICS)).toEqual(before);
  });

  it('refuses the anchors of another tape', async () => {
    await layTape(300);
    const end = await access.reader.endOffset(TAPE_TOPIC, partition());
    await processorOf(partition()).handle(await batchOf(partition(), 0, end));
    await withAdmin(kafkaOf(), (admin) => admin.deleteTopics({ topics: [TAPE_TOPIC] }));
    await until('the tape is gone', () =>
      withAdmin(kafkaOf(), async (admin) => !(await admin.listTopics()).includes(TAPE_TOPIC)),
    );
    await until('a tape is there', () => applyTopics(kafkaOf()).then(() => true));
    await producer.send([activationRecord(partition(), activation({ tapeId: 'another' }))]);
    const batch = await batchOf(partition(), 0, 1);
    await expect(processorOf(partition()).handle(batch)).rejects.toMatchObject({ code: 'FOREIGN_TAPE' });
  });
});

describe('cut-over', () => {
  it('waits at a foreign activation with an anchor at exactly its offset', async () => {
    await layTape(300);
    const partition = partitionOf(INSTRUMENT, partitions);
    const at = await access.reader.endOffset(TAPE_TOPIC, partition);
    await producer.send([activationRecord(partition, activation({ activationId: 'next', engineVersion: '999' }))]);
    const [later] = syntheticTrades({ seed: 15, count: 1, startUs: 1_742_950_000_000_000 });
    await producer.send([tapeRecord({ ...later!, tradeId: '99999' })]);
    const delivery = processorOf(partition);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(await delivery.handle(await batchOf(partition, attempt === 0 ? 0 : at, at + 2))).toMatchObject({
        nextOffset: at,
        waitsFor: expect.stringMatching(/^Partition \d+ waits at offset \d+: engine version 999 is in force/) as string,
      });
    }
    const offsets: number[] = [];
    for await (const { manifest } of anchorsBackward(access, partition)) offsets.push(manifest.tape.offset);
    expect(offsets).toEqual([at, 250, 1]);
    // The next version finds everything that it needs there.
    expect((await recoverTask(access, partition, Number.POSITIVE_INFINITY)).task.nextOffset).toBe(at);
  });
});
