import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeBody, frame } from '../contracts/codec.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEAD_LETTERS_TOPIC, DEFAULT_PARTITIONS, TAPE_TOPIC, TOPICS } from '../contracts/topics.ts';
import { activate } from '../evaluators/activate.adapter.ts';
import { canonicalConfiguration, ENGINE_VERSION, parseConfiguration } from '../evaluators/configuration.ts';
import { engineGroup } from '../evaluators/main.ts';
import type { Connections } from '../platform/connections.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import type { OutgoingRecord } from '../platform/kafka/outgoing-record.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { trustRegistry } from '../platform/kafka/trusted-registry.ts';
import { createLog } from '../platform/log.ts';
import { projectorStatus } from '../projectors/main.ts';
import { environmentOf, runCommand } from './support/command.ts';
import { ObservedProcess } from './support/observed-process.ts';
import { replacedRegistry, type ReplacedRegistry } from './support/replaced-registry.ts';
import { seededContents, tapeRecordOf, tradeNumber } from './support/seeded-tape.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

/** Commands that read the log directly. */
const READERS = [
  ['scoreboard', '--json'],
  ['instruments', '--json'],
  ['dead-letters', '--json'],
];

const TRADES = 700;
const SAMPLE_FILE = 'data/binance-sample/binance-spot-2025-03-25.jsonl.gz';
const log = createLog('test', 'silent');

let connections: Connections;
let replaced: ReplacedRegistry;
let reader: LogReader;
let ids: Map<string, number>;
const processes: ObservedProcess[] = [];

beforeAll(async () => {
  replaced = await replacedRegistry(stackConnections().registryUrl);
  connections = { ...stackConnections(), registryUrl: replaced.url };
  reader = createLogReader(connections.kafkaBrokers);
});
afterAll(async () => {
  await Promise.all([replaced.close(), reader.close()]);
});
beforeEach(async () => {
  replaced.mend();
  await resetStores();
  const reports = await createRegistry(stackConnections().registryUrl).register();
  ids = new Map(reports.map(({ record, id }) => [record, id]));
});
afterEach(async () => {
  replaced.mend();
  for (const process of processes.splice(0)) await process.kill();
});

const idOf = (record: string): number => ids.get(record) ?? 0;
const tapeproof = (...words: string[]) => runCommand(words, environmentOf(connections));

function start(...words: string[]): ObservedProcess {
  const process = new ObservedProcess(connections, words);
  processes.push(process);
  return process;
}

function putInForce() {
  const configuration = canonicalConfiguration(parseConfiguration({}));
  return activate({
    ...{ connections: stackConnections(), configuration, engineVersion: ENGINE_VERSION, gitCommit: 'unknown', log },
  });
}

async function append(records: readonly OutgoingRecord[]): Promise<void> {
  const kafka = createKafka(connections.kafkaBrokers, 'test', log);
  const producer = createRecordProducer(kafka, createRegistry(stackConnections().registryUrl));
  await producer.send(records);
  await producer.disconnect();
}

const trade = (from: number, count = TRADES): Promise<void> =>
  append(seededContents(from, count, DEFAULT_PARTITIONS).map(tapeRecordOf));

/** Appends a trade's body under an id that no registry has. */
async function poison(): Promise<void> {
  const producer = createKafka(connections.kafkaBrokers, 'test', log).producer({
    createPartitioner: () => () => 0,
  });
  await producer.connect();
  await producer.send({
    topic: TAPE_TOPIC,
    messages: [{ value: frame(987_654, encodeBody('Trade', tradeNumber(0))) }],
  });
  await producer.disconnect();
}

async function records(topic: string): Promise<number> {
  let sum = 0;
  for (let partition = 0; partition < DEFAULT_PARTITIONS; partition += 1)
    sum += await reader.endOffset(topic, partition);
  return sum;
}

const isCaughtUp = async (): Promise<boolean> => {
  const kafka = createKafka(connections.kafkaBrokers, 'test', log);
  return (await groupLag(kafka, engineGroup(), [TAPE_TOPIC])).lag === 0;
};

async function hasRead(projector: string, topic: string): Promise<boolean> {
  const status = await projectorStatus(projector, connections);
  const read = (status?.positions ?? []).filter((position) => position.topic === topic);
  return read.reduce((sum, { nextOffset }) => sum + nextOffset, 0) === (await records(topic));
}

/** The ways in which a registry comes back changed. */
const REPLACEMENTS: readonly [string, () => void][] = [
  [
    'with ids in another order',
    () => {
      replaced.swap([[idOf('Trade'), idOf('Watermark')]]);
    },
  ],
  [
    'with the ids of two schemas of one shape exchanged',
    () => {
      replaced.swap([[idOf('TradeCancelled'), idOf('TradeReleased')]]);
    },
  ],
  [
    'without the id of trades',
    () => {
      replaced.hide([idOf('Trade')]);
    },
  ],
  [
    'empty',
    () => {
      replaced.empty();
    },
  ],
];

describe.each(REPLACEMENTS)('a registry that comes back %s', (_, replace) => {
  it('makes the engine and projectors wait, and they continue unaided when it is repaired', async () => {
    await putInForce();
    await trade(0);
    replace();
    const engine = start('engine', 'run');
    const projector = start('projector', 'run', 'redis-latest');
    for (const process of [engine, projector]) {
      const { message } = await process.line('registry-changed');
      expect(message).toContain('Restore the registry with its old ids');
      expect(message).toContain('npx tapeproof contracts check');
      const answer = await process.ask('/ready');
      expect(answer.status).toBe(503);
      expect(await answer.text()).toContain('The schema registry is not the one');
    }
    expect(await records(DEAD_LETTERS_TOPIC)).toBe(0);
    replaced.mend();
    for (const process of [engine, projector]) await process.line('registry-agrees');
    await until('the engine has read the tape', isCaughtUp);
    await until('redis-latest has read it', () => hasRead('redis-latest', TAPE_TOPIC));
    await until('both are ready', async () => (await engine.isReady()) && projector.isReady());
    expect(await records(DEAD_LETTERS_TOPIC)).toBe(0);
    expect(await records('indicator.snapshots')).toBeGreaterThan(0);
    expect([await engine.stop(), await projector.stop()]).toEqual([0, 0]);
  });

  it('is refused by ingest and activate, misleads no reader, and contracts check names its ids', async () => {
    await putInForce();
    await trade(0);
    const before = await records(TAPE_TOPIC);
    const read = await Promise.all(READERS.map((words) => tapeproof(...words)));
    replace();
    for (const words of [['ingest', 'file', SAMPLE_FILE], ['activate']]) {
      const { exitCode, stderr } = await tapeproof(...words);
      expect([exitCode, stderr]).toEqual([3, expect.stringContaining('The schema registry is not the one')]);
    }
    for (const [index, words] of READERS.entries()) {
      const { exitCode, stdout, stderr } = await tapeproof(...words);
      if (exitCode === 0) expect(stdout).toBe(read[index]?.stdout);
      else expect([exitCode, stderr]).toEqual([3, expect.stringContaining('The schema registry is not the one')]);
    }
    expect(await records(TAPE_TOPIC)).toBe(before);
    const check = await tapeproof('contracts', 'check');
    expect([check.exitCode, check.stdout]).toEqual([1, expect.stringContaining('in the log, and the registry has')]);
    expect(check.stdout).toContain('Checked');
    replaced.mend();
    expect((await tapeproof('contracts', 'check')).exitCode).toBe(0);
  });
});

describe('a registry that changes under a running process', () => {
  it('is noticed, and records read with the true one stay read', async () => {
    await putInForce();
    await trade(0);
    const engine = start('engine', 'run');
    await until('the engine has read the tape', isCaughtUp);
    replaced.swap([[idOf('Trade'), idOf('Watermark')]]);
    await engine.line('registry-changed');
    expect(await engine.isReady()).toBe(false);
    await trade(TRADES);
    replaced.mend();
    await engine.line('registry-agrees');
    await until('the engine has read the rest', isCaughtUp);
    expect(await records(DEAD_LETTERS_TOPIC)).toBe(0);
  });
});

describe('a log of an earlier build, which has no label', () => {
  it('shows by its own records that the registry is another one', async () => {
    await trade(0);
    const registry = trustRegistry({
      ...{ registry: createRegistry(replaced.url), reader, partitions: DEFAULT_PARTITIONS, log },
    });
    replaced.swap([[idOf('Trade'), idOf('EngineAnchor')]]);
    await expect(registry.schemaOf(idOf('Trade'))).rejects.toMatchObject({ code: 'REGISTRY_CHANGED' });
    await expect(registry.idOf(TAPE_TOPIC, 'TradeGap')).rejects.toMatchObject({ code: 'REGISTRY_CHANGED' });
    replaced.mend();
    expect(await registry.schemaOf(idOf('Trade'))).toMatchObject({ name: 'Trade' });
    expect(registry.schemaOf(idOf('Trade'))).toMatchObject({ name: 'Trade' });
  });

  it('is distinguished from poison: an id that no registry knows among good records', async () => {
    await trade(0);
    await poison();
    const registry = trustRegistry({
      ...{ registry: createRegistry(replaced.url), reader, partitions: DEFAULT_PARTITIONS, log },
    });
    expect(await registry.schemaOf(987_654)).toBeUndefined();
    replaced.hide([idOf('Trade')]);
    await new Promise((resolve) => setTimeout(resolve, 0));
    await expect(registry.schemaOf(987_655)).rejects.toMatchObject({ code: 'REGISTRY_CHANGED' });
  });
});

describe('poison on a tape with a label', () => {
  it('is a dead letter, and never while the registry contradicts the log', async () => {
    await putInForce();
    await poison();
    await trade(0);
    replaced.hide([idOf('TradeCorrected')]);
    const engine = start('engine', 'run');
    await engine.line('registry-changed');
    expect(await records(DEAD_LETTERS_TOPIC)).toBe(0);
    replaced.mend();
    await until('the engine has read the tape', isCaughtUp);
    expect(await records(DEAD_LETTERS_TOPIC)).toBe(1);
  });
});

describe('the label', () => {
  it('is beside each activation and each anchor, with every id of this build', async () => {
    await putInForce();
    const engine = start('engine', 'run');
    await until('the engine has read the tape', isCaughtUp);
    const partition = partitionOf('BTC-USDT@binance', DEFAULT_PARTITIONS);
    for (const topic of [TAPE_TOPIC, 'engine.anchors']) {
      for await (const [record] of reader.read({ topic, partition, from: 0, to: 1 })) {
        const label = JSON.parse(record?.headers['tape-label'] ?? '{}') as { schemas?: Record<string, string> };
        expect(label).toMatchObject({ partitions: DEFAULT_PARTITIONS });
        const expected = TOPICS.flatMap((definition) => definition.records.map((record_) => String(idOf(record_))));
        expect(Object.keys(label.schemas ?? {}).sort()).toEqual([...new Set(expected)].sort());
      }
    }
    await engine.stop();
  });
});
