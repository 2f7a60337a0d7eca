import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  ANCHORS_TOPIC,
  DEAD_LETTERS_TOPIC,
  DEFAULT_PARTITIONS,
  DERIVED_TOPICS,
  STATES_TOPIC,
  TAPE_TOPIC,
  type TopicName,
} from '../../contracts/topics.ts';
import { anchorsBackward, type LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { engineGroup } from '../../evaluators/main.ts';
import { recoverTask } from '../../evaluators/recovery.adapter.ts';
import { createKafka, withAdmin } from '../../platform/kafka/client.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { recreateTopics } from '../../platform/kafka/recreate-topics.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { createLog } from '../../platform/log.ts';
import type { Digest } from '../support/digests.ts';
import { startEngine, type RunningEngine } from '../support/running-engine.ts';
import { stackConnections, stackOptions } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { World } from './world.ts';

const TRADES = 5_000;
/** A limit against hanging: the other lane, and other users of the machine, slow it. */
const TEST_TIMEOUT_MS = 480_000;
/** Replaces the writers' group prefix: a topic that a test deletes may have writers. */
const NOBODY = 'nobody';
const WRITTEN: readonly TopicName[] = [...DERIVED_TOPICS, ANCHORS_TOPIC, STATES_TOPIC];

/** No trade arrives in these tests: the tape is idle, and some of its partitions have an activation but no trade. */
let world: World;
let access: LogAccess;
let reference: Digest;
let engine: RunningEngine | undefined;
const connections = stackConnections();
const kafka = createKafka(connections.kafkaBrokers, 'test-lost', createLog('test', 'silent'));

beforeAll(async () => {
  world = new World(connections, join(stackOptions().folder, '..', 'test-logs-lost'));
  const registry = createRegistry(connections.registryUrl);
  access = { reader: createLogReader(connections.kafkaBrokers), registry, decode: createTapeDecoder(registry) };
  await world.connect();
  await world.reset(false);
  await world.activate();
  await world.trade(0, TRADES / 2);
  await world.poison();
  await world.trade(TRADES / 2, TRADES / 2);
  engine = startEngine();
  await world.untilEngineCaughtUp();
  await engine.stop();
  reference = await written();
  expect(reference['probability.decisions']).not.toMatch(/^0 /);
});
afterEach(async () => {
  await engine?.stop().catch(() => undefined);
});
afterAll(async () => {
  await access.reader.close();
  await world.close();
});

/** Everything that the engine has written, and whether another engine could continue from it. */
async function written(): Promise<Digest> {
  const digest: Record<string, string> = { ...(await world.digest()) };
  // Each once, although the engine meets refused records again.
  digest['dead letters'] = String((await world.recordsOf(DEAD_LETTERS_TOPIC)).length);
  for (let partition = 0; partition < DEFAULT_PARTITIONS; partition += 1) {
    const anchors = new Map<number, string>();
    for await (const { manifest, hash } of anchorsBackward(access, partition)) {
      anchors.set(manifest.tape.offset, hash.toString('hex'));
    }
    const lines = [...anchors].sort(([left], [right]) => left - right).map(([offset, hash]) => `${offset} ${hash}`);
    digest[`anchors ${partition}`] = lines.join('\n');
    const { task } = await recoverTask(access, partition, Number.POSITIVE_INFINITY);
    digest[`state ${partition}`] = `at ${task.nextOffset}`;
  }
  return digest;
}

async function recreate(...topics: readonly TopicName[]): Promise<void> {
  await recreateTopics(kafka, topics, NOBODY);
}

async function deleteRecords(topic: TopicName): Promise<void> {
  await withAdmin(kafka, async (admin) => {
    const partitions = (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => ({
      partition,
      offset: high,
    }));
    await admin.deleteTopicRecords({ topic, partitions });
  });
}

/** @param beyond - records after the tape's end. */
async function moveOffsets(beyond: number): Promise<void> {
  await withAdmin(kafka, async (admin) => {
    const ends = await admin.fetchTopicOffsets(TAPE_TOPIC);
    const partitions = ends.map(({ partition, high }) => ({ partition, offset: String(Number(high) + beyond) }));
    await admin.setOffsets({ groupId: engineGroup(), topic: TAPE_TOPIC, partitions });
  });
}

async function untilWhole(): Promise<void> {
  let found: Digest = {};
  const isWhole = async (): Promise<boolean> => {
    found = await written();
    return Object.entries(reference).every(([place, digest]) => found[place] === digest);
  };
  await until('everything is written as before', isWhole, TEST_TIMEOUT_MS / 3).catch(() => undefined);
  expect(found).toEqual(reference);
}

const LOSSES: readonly (readonly [what: string, lose: () => Promise<void>])[] = [
  ['all its topics were recreated', () => recreate(...WRITTEN)],
  ['only one output was recreated', () => recreate('probability.decisions')],
  ['the anchors were recreated', () => recreate(ANCHORS_TOPIC)],
  ['the states were recreated, and the anchors are there', () => recreate(STATES_TOPIC)],
  ['the records of an output were deleted', () => deleteRecords('strategy.results')],
];

describe('without a trade, an engine derives again up to the end of the tape', () => {
  it.each([
    ...LOSSES,
    [
      'its offsets were moved to the end before it derived anything',
      async () => {
        await world.forgetOffsetsOf('engine');
        await recreate(...WRITTEN);
        await moveOffsets(0);
      },
    ],
    [
      'its offsets were moved beyond the end',
      async () => {
        await recreate(...WRITTEN);
        await moveOffsets(1_000);
      },
    ],
    [
      'its offsets were deleted',
      async () => {
        await recreate('indicator.snapshots');
        await world.forgetOffsetsOf('engine');
      },
    ],
    ['dead letters and all its topics were recreated', () => recreate(DEAD_LETTERS_TOPIC, ...WRITTEN)],
  ] as const)(
    'that was stopped while %s',
    async (_, lose) => {
      await lose();
      engine = startEngine();
      await untilWhole();
      await world.untilEngineCaughtUp();
    },
    TEST_TIMEOUT_MS,
  );

  it.each(LOSSES)(
    'that is running while %s',
    async (_, lose) => {
      const lines: string[] = [];
      const running = (engine = startEngine(createLog('engine', 'info', { write: (line) => lines.push(line) })));
      await until('each partition was recovered', () => running.counters.recoveries === DEFAULT_PARTITIONS);
      await lose();
      await untilWhole();
      await until('it was recovered again', () => running.counters.recoveries > DEFAULT_PARTITIONS);
      expect(lines.filter((line) => line.includes('"event.action":"output-lost"'))).not.toEqual([]);
    },
    TEST_TIMEOUT_MS,
  );
});
