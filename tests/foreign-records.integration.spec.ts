import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBody, frame } from '../contracts/codec.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEAD_LETTERS_TOPIC, DEFAULT_PARTITIONS, DERIVED_TOPICS } from '../contracts/topics.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createLog } from '../platform/log.ts';
import { World } from './faults/world.ts';
import { environmentOf, runCommand } from './support/command.ts';
import { ObservedProcess } from './support/observed-process.ts';
import { SEEDED_INSTRUMENTS, tradeNumber } from './support/seeded-tape.ts';
import { stackConnections, stackOptions } from './support/stack.ts';
import { until } from './support/until.ts';

const TRADES = 4_000;
const [INSTRUMENT = ''] = SEEDED_INSTRUMENTS;
const PARTITION = partitionOf(INSTRUMENT, DEFAULT_PARTITIONS);
const UNKNOWN_SCHEMA_ID = 987_654;
const FOREIGN_RECORDS = 4;
const PASSED_OVER = /records are not events and were passed over, first /;

/** In order: the later tests find the records of the first one in the log. */
describe('records of derived topics that are not events', () => {
  const connections = stackConnections();
  const kafka = createKafka(connections.kafkaBrokers, 'test-foreign', createLog('test', 'silent'));
  const started: ObservedProcess[] = [];
  let world: World;

  const start = (...words: string[]): ObservedProcess => {
    const process = new ObservedProcess(connections, words);
    started.push(process);
    return process;
  };
  const run = (...words: string[]) => runCommand(words, environmentOf(connections));

  /** A tombstone, bytes without a frame, an unknown schema, a schema of another topic; and then a transaction's marker. */
  const litter = async (): Promise<void> => {
    const tradeId = await createRegistry(connections.registryUrl).idOf('raw.trades', 'Trade');
    const trade = encodeBody('Trade', tradeNumber(0));
    const values = [null, Buffer.from('text'), frame(UNKNOWN_SCHEMA_ID, trade), frame(tradeId, trade)];
    const producer = kafka.producer({
      createPartitioner: () => () => PARTITION,
      ...{ transactionalId: 'test-foreign', maxInFlightRequests: 1, idempotent: true },
    });
    await producer.connect();
    for (const topic of [...DERIVED_TOPICS, DEAD_LETTERS_TOPIC]) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: values.map((value) => ({ key: null, value })) });
      await transaction.commit();
    }
    await producer.disconnect();
  };

  beforeAll(async () => {
    world = new World(connections, `${stackOptions().folder}/../test-logs-foreign`);
    await world.connect();
    await world.reset(false);
    await world.activate();
    await world.trade(0, TRADES);
  });
  afterAll(async () => {
    for (const process of started) if (process.isAlive) await process.kill();
    await world.close();
  });

  it('are passed over, counted and named by projectors, which continue after them and have no lag left', async () => {
    const engine = start('engine', 'run');
    const latest = start('projector', 'run', 'redis-latest');
    await world.untilEngineCaughtUp();
    await litter();
    await world.trade(TRADES, TRADES);
    await world.untilEngineCaughtUp();
    await latest.line('foreign-record');
    await until('all are counted', async () => {
      return (await latest.metric('tapeproof_foreign_records_total')) >= FOREIGN_RECORDS;
    });
    // The last record in each log is now a marker: it is never delivered, and it is not lag.
    await litter();
    await until('no lag is left', async () => {
      return (await world.lagOf('redis-latest', world.topicsOf('redis-latest'))) === 0;
    });
    expect(await latest.isReady()).toBe(true);
    expect(await engine.stop()).toBe(0);
  });

  it('do not end an audit, the scoreboard or the list of dead letters, which report their number', async () => {
    for (const words of [
      ['audit', '--latest', INSTRUMENT],
      ['scoreboard'],
      ['dead-letters'],
      ['dead-letters', 'retry'],
    ]) {
      const text = await run(...words);
      expect([text.exitCode, text.stderr], words.join(' ')).toEqual([0, '']);
      expect(text.stdout, words.join(' ')).toMatch(PASSED_OVER);
      const { stdout } = await run(...words, '--json');
      const { passedOver } = JSON.parse(stdout) as { passedOver: readonly unknown[] };
      expect(passedOver.length, words.join(' ')).toBeGreaterThanOrEqual(FOREIGN_RECORDS);
    }
  });

  it('neither end an engine’s recovery nor count as events', async () => {
    await world.forgetOffsets().catch(() => undefined);
    const engine = start('engine', 'run');
    await engine.line('recovered');
    await world.trade(2 * TRADES, TRADES);
    await world.untilEngineCaughtUp();
    await engine.line('foreign-record');
    expect(await engine.metric('tapeproof_foreign_records_total')).toBeGreaterThanOrEqual(FOREIGN_RECORDS);
    expect(await engine.metric('tapeproof_engine_events_compared_total')).toBeGreaterThan(0);
    const { exitCode, stdout, stderr } = await run('audit', '--latest', INSTRUMENT, '--verify');
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(PASSED_OVER);
  });
});
