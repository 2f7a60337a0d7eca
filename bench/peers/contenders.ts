import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Kafka } from 'kafkajs';
import {
  ANCHORS_TOPIC,
  DEAD_LETTERS_TOPIC,
  DEFAULT_PARTITIONS,
  DERIVED_TOPICS,
  STATES_TOPIC,
  TOPICS,
} from '../../contracts/topics.ts';
import { engineGroup } from '../../evaluators/main.ts';
import { withAdmin } from '../../platform/kafka/client.ts';
import type { LogReader } from '../../platform/kafka/log-reader.ts';
import { applyTopics } from '../../platform/kafka/topics.ts';
import type { Bench } from '../bench.ts';
import { startChild } from '../child.ts';
import { observeProcess, type Derivation, type RunningProcess } from './measurement.ts';
import { deriveNaively, naiveOutputs } from './naive-run.ts';
import { kafkaOutputs, type Outputs } from './outputs.ts';
import { startStreams } from './streams-process.ts';

export const CONTENDERS = ['tapeproof', 'streams', 'streams-exactly-once', 'streams-rocksdb', 'kafkajs'] as const;
export type ContenderName = (typeof CONTENDERS)[number];

/** One that derives all events of the tape. */
export interface Contender {
  readonly name: ContenderName;
  /** Derives the tape with empty stores. */
  derive(): Promise<Derivation>;
  /** Gives the events of the last derivation. */
  readonly outputs: Outputs;
  /** Whether it stops before the end of the tape. */
  readonly isPrefix: boolean;
}

/** One that goes on until it is stopped. */
export interface LastingContender extends Contender {
  readonly groupId: string;
  /** Its output topics, in the order of ours. */
  readonly topics: readonly string[];
  /** Empties its stores. Its process must have ended. */
  reset(): Promise<void>;
  start(): Promise<RunningProcess>;
}

/** The services and the tape that all contenders share. */
export interface Arena {
  readonly bench: Bench;
  readonly kafka: Kafka;
  readonly reader: LogReader;
  /** Class path of the Kafka Streams application. */
  readonly classPath: string;
  /** For the files of contenders. */
  readonly folder: string;
  /** Trades after which the naive consumer stops. */
  readonly naiveTrades: number;
}

const STREAMS_PREFIX = 'bench-peers.';
const APPLICATION = 'bench-peers';
const POLL_MS = 100;
/** The broker deletes files in the background. */
const DELETED_AFTER_MS = 1_000;
const CHANGE_DEADLINE_MS = 120_000;

/** Streams commits its state and offsets together: as often as a recovery of about a second demands. */
const AT_LEAST_ONCE = { guarantee: 'at_least_once', commitIntervalMs: 1_000 } as const;
/** Streams' own default with exactly once: readers wait for the commit. */
const EXACTLY_ONCE = { guarantee: 'exactly_once_v2', commitIntervalMs: 100 } as const;
const STREAMS_VARIANTS = {
  streams: { ...AT_LEAST_ONCE, rocksdb: false },
  'streams-exactly-once': { ...EXACTLY_ONCE, rocksdb: false },
  'streams-rocksdb': { ...AT_LEAST_ONCE, rocksdb: true },
} as const;

export function contenderOf(name: ContenderName, arena: Arena): Contender {
  if (name !== 'kafkajs') return lastingContenderOf(name, arena);
  const { bench, naiveTrades } = arena;
  return { name, derive: () => deriveNaively(bench, naiveTrades), outputs: naiveOutputs(bench), isPrefix: true };
}

export function lastingContenderOf(name: Exclude<ContenderName, 'kafkajs'>, arena: Arena): LastingContender {
  const process = name === 'tapeproof' ? engine(arena) : streams(name, arena);
  const { bench, kafka } = arena;
  return {
    name,
    ...process,
    isPrefix: false,
    async derive() {
      await process.reset();
      const running = await process.start();
      try {
        return await observeProcess(kafka, { ...running, ...process }, bench.trades);
      } finally {
        // Why it was not observed to its end says more than how it ended.
        await running.stop().catch(() => undefined);
      }
    },
  };
}

type ContenderProcess = Omit<LastingContender, 'name' | 'derive' | 'isPrefix'>;

function engine({ bench, kafka, reader }: Arena): ContenderProcess {
  const written: readonly string[] = [...DERIVED_TOPICS, ANCHORS_TOPIC, STATES_TOPIC, DEAD_LETTERS_TOPIC];
  return {
    groupId: engineGroup(),
    topics: DERIVED_TOPICS,
    outputs: kafkaOutputs(reader, ''),
    async reset() {
      await remove(kafka, engineGroup(), (topic) => written.includes(topic));
      await untilAccepted(() => applyTopics(kafka, DEFAULT_PARTITIONS));
      await untilReadable(kafka, DERIVED_TOPICS);
    },
    start: () => Promise.resolve(startChild({ role: 'engine', connections: bench.connections, argument: '' })),
  };
}

function streams(
  name: keyof typeof STREAMS_VARIANTS,
  { bench, kafka, reader, classPath, folder }: Arena,
): ContenderProcess {
  const application = `${APPLICATION}-${name}`;
  const prefix = `${STREAMS_PREFIX}${name}.`;
  const topics = DERIVED_TOPICS.map((topic) => `${prefix}${topic}`);
  const stateFolder = join(folder, application);
  const isItsTopic = (topic: string) => topic.startsWith(prefix) || topic.startsWith(`${application}-instruments`);
  return {
    groupId: application,
    topics,
    outputs: kafkaOutputs(reader, prefix),
    async reset() {
      await remove(kafka, application, isItsTopic);
      await rm(stateFolder, { recursive: true, force: true });
      await createOutputs(kafka, topics);
    },
    start: () =>
      startStreams(classPath, bench.connections, { application, prefix, stateFolder, ...STREAMS_VARIANTS[name] }),
  };
}

/** With the settings of ours. */
async function createOutputs(kafka: Kafka, topics: readonly string[]): Promise<void> {
  const settings = TOPICS.find(({ name }) => name === DERIVED_TOPICS[0])?.settings ?? {};
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  const created = topics.map((topic) => ({ topic, numPartitions: DEFAULT_PARTITIONS, configEntries }));
  await withAdmin(kafka, (admin) => admin.createTopics({ topics: created, waitForLeaders: false }));
  await untilReadable(kafka, topics);
}

/** Until the broker leads topics that were just created. */
async function untilReadable(kafka: Kafka, topics: readonly string[]): Promise<void> {
  await withAdmin(kafka, async (admin) => {
    for (const topic of topics) await untilAccepted(() => admin.fetchTopicOffsets(topic));
  });
}

/** Repeats a request that the broker refuses for a moment, while topics come and go. */
async function untilAccepted(request: () => Promise<unknown>): Promise<void> {
  const deadlineMs = performance.now() + CHANGE_DEADLINE_MS;
  while (true) {
    try {
      await request();
      return;
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await wait(POLL_MS);
    }
  }
}

/** Removes what a former run has left: its group, once its members are gone, and its topics. */
async function remove(kafka: Kafka, groupId: string, isItsTopic: (topic: string) => boolean): Promise<void> {
  await withAdmin(
    kafka,
    async (admin) => {
      const isThere = async () => (await admin.listGroups()).groups.some((group) => group.groupId === groupId);
      while (await isThere()) {
        await admin.deleteGroups([groupId]).catch(() => undefined);
        await wait(POLL_MS);
      }
      const topics = (await admin.listTopics()).filter(isItsTopic);
      if (topics.length === 0) return;
      await admin.deleteTopics({ topics });
      while ((await admin.listTopics()).some(isItsTopic)) await wait(POLL_MS);
      await wait(DELETED_AFTER_MS);
    },
    CHANGE_DEADLINE_MS,
  );
}
