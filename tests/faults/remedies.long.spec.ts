import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bodyOf, decodeBody, encodeBody } from '../../contracts/codec.ts';
import type { ProbabilityDecision } from '../../contracts/generated/events.ts';
import { ANCHORS_TOPIC, DERIVED_TOPICS, STATES_TOPIC, type TopicName } from '../../contracts/topics.ts';
import { anchorsBackward } from '../../evaluators/anchor-log.adapter.ts';
import { createKafka, withAdmin } from '../../platform/kafka/client.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../../platform/kafka/producer.ts';
import { recreateTopics } from '../../platform/kafka/recreate-topics.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { createLog } from '../../platform/log.ts';
import { createPool } from '../../platform/postgres.ts';
import { projectorStatus } from '../../projectors/main.ts';
import { environmentOf, runCommand } from '../support/command.ts';
import type { Digest } from '../support/digests.ts';
import { commandsIn, wordsOf } from '../support/printed-commands.ts';
import { startEngine } from '../support/running-engine.ts';
import { startProjector } from '../support/running-projector.ts';
import { stackConnections, stackOptions } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { ENGINE, PROJECTOR_NAMES, World } from './world.ts';

const TRADES = 5_000;
const TEST_TIMEOUT_MS = 400_000;
const OPERATION_DEADLINE_MS = 200_000;
const POLL_MS = 200;
/** How often an operator follows the printed advice before giving up. */
const REMEDIES_MAX = 12;
const DECISIONS: TopicName = 'probability.decisions';
const STOP_FIRST = 'stop the engines';
const WAIT_FIRST = 'once the engine has derived it again';
/** A prefix that no group has. */
const NOBODY = 'nobody';

interface Running {
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const connections = stackConnections();
const kafka = createKafka(connections.kafkaBrokers, 'test-remedies', createLog('test', 'silent'));
const registry = createRegistry(connections.registryUrl);
const reader = createLogReader(connections.kafkaBrokers);
const access = { reader, registry, decode: createTapeDecoder(registry) };
const producer = createRecordProducer(kafka, registry);
const running = new Map<string, Running>();
/** The messages of the stopped processes. */
const said = new Map<string, string>();
let world: World;
let reference: Digest;

beforeAll(async () => {
  world = new World(connections, join(stackOptions().folder, '..', 'test-logs-remedies'));
  await world.connect();
  await world.reset(false);
  await world.activate();
  await world.trade(0, TRADES);
  startAll();
  await world.untilCaughtUp();
  await stopAll();
  reference = await world.digest();
});
afterEach(stopAll);
afterAll(async () => {
  await Promise.all([world.close(), reader.close(), producer.disconnect()]);
});

function start(name: string): void {
  said.delete(name);
  const started = name === ENGINE ? startEngine() : startProjector(name);
  running.set(name, started);
  started.ended.catch((error: unknown) => said.set(name, (error as Error).message));
}
function startAll(): void {
  for (const name of [ENGINE, ...PROJECTOR_NAMES]) start(name);
}
async function stop(name: string): Promise<void> {
  await running
    .get(name)
    ?.stop()
    .catch(() => undefined);
  running.delete(name);
}
async function stopAll(): Promise<void> {
  await Promise.all([...running.keys()].map(stop));
}

async function isDerived(): Promise<boolean> {
  const found = await world.digest();
  return DERIVED_TOPICS.every((topic) => found[topic] === reference[topic]);
}

/** Runs the commands of a message one by one; a failing command prints what to run instead. */
async function follow(message: string): Promise<void> {
  const commands = commandsIn(message).map(({ text }) => wordsOf(text).slice(1));
  if (commands.length === 0) throw new Error(`it does not name a command to run: ${message}`);
  const stopsEngine = message.includes(STOP_FIRST);
  if (stopsEngine) await stop(ENGINE);
  for (const words of commands) {
    const { exitCode, stderr } = await runCommand(words, environmentOf(connections));
    if (exitCode !== 0) await follow(stderr);
    if (words[0] !== 'topics' || !stopsEngine) continue;
    start(ENGINE);
    await until('all is derived again', isDerived);
  }
}

/**
 * An operator who knows only the printed advice: starts everything, follows the advice of each process that stops, and
 * restarts it, until everything is as before.
 *
 * @param expected - matches one of the messages.
 */
async function operate(expected: RegExp): Promise<void> {
  const sentences: string[] = [];
  let found: Digest = {};
  for (const name of [ENGINE, ...PROJECTOR_NAMES]) if (!running.has(name)) start(name);
  const deadlineMs = Date.now() + OPERATION_DEADLINE_MS;
  while (true) {
    const [stopped] = [...said].sort(([left]) => (left === ENGINE ? -1 : 1));
    if (stopped !== undefined) {
      const [name, message] = stopped;
      if (message.includes(WAIT_FIRST) && !message.includes(STOP_FIRST)) {
        await until('all is derived again', async () => said.has(ENGINE) || (await isDerived()));
        if (said.has(ENGINE)) continue;
      }
      sentences.push(message);
      if (sentences.length > REMEDIES_MAX) break;
      await follow(message);
      if (said.has(name)) start(name);
    } else if (sentences.some((sentence) => expected.test(sentence))) {
      found = await world.digest().catch(() => ({}));
      if (said.size === 0 && isDeepStrictEqual(found, reference)) return;
    }
    if (Date.now() > deadlineMs) break;
    await sleep(POLL_MS);
  }
  expect({ found, sentences }).toEqual({ found: reference, sentences: [expect.stringMatching(expected)] });
}

async function decisions(): Promise<ProbabilityDecision[]> {
  const records = await world.recordsOf(DECISIONS);
  return records.map(({ value }) => decodeBody('ProbabilityDecision', bodyOf(value ?? Buffer.alloc(0))));
}
async function emit(event: ProbabilityDecision): Promise<void> {
  const { tape, instrument, eventTime } = event;
  const body = encodeBody('ProbabilityDecision', event);
  const { partition } = tape;
  await producer.send([
    { topic: DECISIONS, partition, key: instrument, type: 'ProbabilityDecision', body, timestampUs: eventTime },
  ]);
}

describe('the printed advice helps', () => {
  it(
    'where the first records of an output are gone',
    async () => {
      const [first] = await decisions();
      const partition = first?.tape.partition ?? 0;
      await withAdmin(kafka, async (admin) => {
        // kafkajs does not refresh the topic's metadata itself.
        await admin.fetchTopicOffsets(DECISIONS);
        await admin.deleteTopicRecords({ topic: DECISIONS, partitions: [{ partition, offset: '5' }] });
      });
      await operate(/probability\.decisions-\d begins with sequence 5: .*topics recreate probability\.decisions/);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'where an output holds another event',
    async () => {
      const [first] = await decisions();
      await recreateTopics(kafka, [DECISIONS], NOBODY);
      await emit({ ...(first ?? never()), probability: 0.987 });
      await operate(/holds another event.*topics recreate --derived/);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    "where the anchors are another tape's",
    async () => {
      const { partition } = ((await decisions())[0] ?? never()).tape;
      const found = await anchorsBackward(access, partition).next();
      const { manifest } = found.value ?? never();
      // One among this tape's own would be a forgery, and passed over.
      await recreateTopics(kafka, [ANCHORS_TOPIC], NOBODY);
      const body = encodeBody('EngineAnchor', { ...manifest, tapeId: 'another' });
      const place = { topic: ANCHORS_TOPIC, partition, key: 'foreign', timestampUs: 1_742_943_600_000_000 } as const;
      await producer.send([{ ...place, type: 'EngineAnchor', body }]);
      await operate(/belong to the tape another.*topics recreate --derived/);
    },
    TEST_TIMEOUT_MS,
  );

  it.each([
    ['stopped', false],
    ['running', true],
  ])(
    'where derived topics were recreated that the projectors, %s, had read further',
    async (_, areAtWork) => {
      await world.repeatEvents();
      startAll();
      await world.untilCaughtUp();
      if (!areAtWork) await stopAll();
      await recreateTopics(kafka, [...DERIVED_TOPICS, ANCHORS_TOPIC, STATES_TOPIC], NOBODY);
      if (areAtWork) await until('the history has stopped', () => said.has('postgres-history'));
      await operate(/npx tapeproof projector rebuild postgres-history/);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'where a projector met a hole in the log',
    async () => {
      const last = (await decisions()).at(-1) ?? never();
      startAll();
      await world.untilCaughtUp();
      await emit({ ...last, eventId: 'decision-0-888888-0', sequence: last.sequence + 7 });
      await until('the history has stopped', () => said.has('postgres-history'));
      await operate(/events are missing.*topics recreate probability\.decisions.*rebuild/);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'where a store was read from another tape',
    async () => {
      const generation = (await projectorStatus('postgres-history', connections))?.generation ?? 0;
      const pool = createPool(connections.postgresUrl, 'test-remedies');
      await pool.query(`UPDATE history_${generation}.projector_positions SET tape_id = 'another'`);
      await pool.end();
      await operate(/rebuild postgres-history --approve-difference/);
    },
    TEST_TIMEOUT_MS,
  );
});

function never(): never {
  throw new Error('nothing was derived');
}
