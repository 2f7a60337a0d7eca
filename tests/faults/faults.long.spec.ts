import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bodyOf, decodeBody } from '../../contracts/codec.ts';
import { DEAD_LETTERS_TOPIC, TAPE_TOPIC } from '../../contracts/topics.ts';
import { connectRedis } from '../../platform/redis.ts';
import { killService } from '../../stack/main.ts';
import type { Digest } from '../support/digests.ts';
import type { TapeproofProcess } from '../support/processes.ts';
import { redisAdministratorUrl, stackConnections, stackOptions, startAgain } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { ENGINE, PROJECTOR_NAMES, stopAll, sumOf, World } from './world.ts';

/** A round's trades keep each process working long enough to be caught between write and commit. */
const ROUND_TRADES = 3_500;
const ROUNDS_OF_CHANGE = 6;
const KILLS = 3;
const ROUNDS_OF_KILLS_MAX = 8;
/** How long a process runs between two checks of it. */
const SLICE_MS = 4;
/** A bound against hanging: the other lane, and whoever else uses the machine, slows it. */
const TEST_TIMEOUT_MS = 480_000;

/**
 * Whatever happens on the way, the stores and the logs end up with the same bytes as in an undisturbed run from the
 * same tape. The tests are one story and run in order: the first two write the tape, with poison in it.
 */
let world: World;
let trades = 0;
let poisoned = 0;
/** The result of the undisturbed run from the whole tape. */
let reference: Digest;

beforeAll(async () => {
  world = new World(stackConnections(), join(stackOptions().folder, '..', 'test-logs'));
  await world.connect();
  await world.reset(false);
  await world.activate();
});
afterEach(() => world.processes.killAll());
afterAll(() => world.close());

async function trade(): Promise<void> {
  await world.trade(trades, ROUND_TRADES);
  trades += ROUND_TRADES;
}

describe('the stores and the logs are as if nothing had happened', () => {
  it(
    'when engines join and leave under load',
    async () => {
      const processes = world.startAll();
      let visitor: TapeproofProcess | undefined;
      for (let round = 0; round < ROUNDS_OF_CHANGE; round += 1) {
        if (round % 3 === 0) visitor = world.start(ENGINE);
        await trade();
        if (round % 3 === 2) await until('the visitor is in', async () => (await world.membersOf(ENGINE)) === 2);
        if (round === 1) poisoned = await world.poison();
        await until(
          'half of the round is done',
          async () => (await world.lagOf(ENGINE, [TAPE_TOPIC])) < ROUND_TRADES / 2,
        );
        if (round % 3 === 2) await visitor?.stop();
      }
      await world.untilCaughtUp();
      await stopAll(processes);
      const disturbed = await world.digest();
      expect(await world.runUndisturbed()).toEqual(disturbed);
      expect(Object.entries(disturbed).filter(([, digest]) => digest.startsWith('0 '))).toEqual([
        ['postgres conflicts', expect.any(String)],
        ['postgres events_in_doubt', expect.any(String)],
      ]);
    },
    TEST_TIMEOUT_MS,
  );

  it('when records are poison: each is a dead letter once, and later records are derived', async () => {
    const records = await world.recordsOf(DEAD_LETTERS_TOPIC);
    const letters = records
      .map(({ value }) => decodeBody('DeadLetter', bodyOf(value!)))
      .filter(({ reader }) => reader === ENGINE);
    const count = (reason: string): number => letters.filter((letter) => letter.reason === reason).length;
    expect([letters.length, count('UNDECODABLE'), count('UNKNOWN_SCHEMA')]).toEqual([
      poisoned,
      (2 * poisoned) / 3,
      poisoned / 3,
    ]);
    const lastPoison = Math.max(...letters.map(({ source }) => source.position));
    expect(Math.min(...(await world.written(ENGINE)).map(([, , offset]) => offset))).toBeGreaterThan(lastPoison);
  });

  it(
    'when the engine and every projector are killed between write and commit',
    async () => {
      const kills = new Map([ENGINE, ...PROJECTOR_NAMES].map((name) => [name, 0]));
      const killOnce = async (name: string): Promise<void> => {
        if (await killAheadOfCommit(name)) kills.set(name, (kills.get(name) ?? 0) + 1);
      };
      const isDone = (): boolean => [...kills.values()].every((count) => count >= KILLS);
      for (let round = 0; round < ROUNDS_OF_KILLS_MAX && !isDone(); round += 1) {
        await trade();
        await killOnce(ENGINE);
        const engine = world.start(ENGINE);
        await world.untilEngineCaughtUp();
        await engine.stop();
        await Promise.all(PROJECTOR_NAMES.map(killOnce));
      }
      expect([...kills].filter(([, count]) => count < KILLS)).toEqual([]);
      const processes = world.startAll();
      await world.untilCaughtUp();
      await stopAll(processes);
      const disturbed = await world.digest();
      reference = await world.runUndisturbed();
      expect(disturbed).toEqual(reference);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'when everything is delivered twice',
    async () => {
      await world.repeatEvents();
      await world.forgetOffsets();
      const processes = world.startAll();
      await world.untilCaughtUp();
      await stopAll(processes);
      expect(await world.digest()).toEqual(reference);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'when Redis is wiped, while running and while stopped',
    async () => {
      await world.reset(true);
      const redis = await connectRedis(redisAdministratorUrl(), 'test-wipe');
      const processes = world.startAll();
      await until('Redis has something', async () => sumOf(await world.written('redis-latest')) > trades / 10);
      await redis.flushall();
      await world.untilCaughtUp();
      await redis.flushall();
      await world.untilCaughtUp();
      await stopAll(processes);
      redis.disconnect();
      expect(await world.digest()).toEqual(reference);
    },
    TEST_TIMEOUT_MS,
  );

  it(
    'when the broker, Postgres and Redis are killed and come back',
    async () => {
      await world.reset(true);
      const processes = world.startAll();
      const engineHas = async (share: number): Promise<boolean> => sumOf(await world.written(ENGINE)) > trades * share;
      await until('the engine is at work', () => engineHas(0.1));
      await killService(stackOptions(), 'postgres');
      await killService(stackOptions(), 'kafka');
      await startAgain('kafka');
      await until('the engine is at work again', () => engineHas(0.3));
      await killService(stackOptions(), 'redis');
      await startAgain('redis');
      await startAgain('postgres');
      await world.untilCaughtUp();
      expect(processes.map((process) => process.isAlive())).toEqual(processes.map(() => true));
      await stopAll(processes);
      expect(await world.digest()).toEqual(reference);
    },
    TEST_TIMEOUT_MS,
  );
});

/**
 * Starts a process and kills it when it has written records that it has not committed.
 *
 * @returns false when it finished its work without being caught so.
 */
async function killAheadOfCommit(name: string): Promise<boolean> {
  const before = sumOf(await world.written(name));
  const process = world.start(name);
  await until(`${name} writes`, async () => sumOf(await world.written(name)) > before);
  process.freeze();
  let isMet = await world.isAhead(name);
  while (!isMet && (await world.lagOf(name, world.topicsOf(name))) > 0) {
    process.thaw();
    await sleep(SLICE_MS);
    process.freeze();
    isMet = await world.isAhead(name);
  }
  await process.kill();
  await world.processes.buryMembers(await world.groupOf(name));
  return isMet;
}
