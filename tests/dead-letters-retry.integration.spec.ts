import { migratorUrlOf } from '../platform/connections.ts';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeBody, frame } from '../contracts/codec.ts';
import { deadLetterOfRecord } from '../contracts/dead-letter.ts';
import type { DeadLetter } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEAD_LETTERS_TOPIC, TAPE_TOPIC } from '../contracts/topics.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createLog } from '../platform/log.ts';
import { createPool } from '../platform/postgres.ts';
import { projectorStatus } from '../projectors/main.ts';
import { BEGINNING } from '../projectors/sink.ts';
import { postgresHistory } from '../projectors/postgres-history/projector.ts';
import { createPostgresReadModel } from '../projectors/sinks/postgres-read-model.adapter.ts';
import { environmentOf, runCommand } from './support/command.ts';
import { seedTape, tradeNumber, type SeededTape } from './support/seeded-tape.ts';
import { resetStores, stackConnections } from './support/stack.ts';

const TRADES = 700;
const SNAPSHOTS = 'indicator.snapshots';
const connections = stackConnections();
const log = createLog('test', 'silent');
const kafka = createKafka(connections.kafkaBrokers, 'test', log);
const reader = createLogReader(connections.kafkaBrokers);
let tape: SeededTape;

beforeEach(async () => {
  await resetStores();
  tape = await seedTape(connections);
  await tape.trade(TRADES);
  await tape.close();
});
afterAll(() => reader.close());

interface Retried {
  readonly appended: number;
  readonly delivered: number;
  readonly already: number;
  readonly refused: number;
  readonly letters: readonly { readonly action: string; readonly detail: string; readonly deadLetterId: string }[];
}

async function retry(...words: string[]): Promise<Retried> {
  const { exitCode, stdout, stderr } = await runCommand(
    ['dead-letters', 'retry', '--json', ...words],
    environmentOf(connections),
  );
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout) as Retried;
}

async function recordAt(topic: string, partition: number, offset: number): Promise<LogRecord> {
  for await (const [record] of reader.read({ topic, partition, from: offset, to: offset + 1 })) return record!;
  throw new Error('there is no such record');
}

/** As written by a process that believed a registry with other ids. */
function letterOf(name: string, record: LogRecord, reason: DeadLetter['reason'] = 'UNKNOWN_SCHEMA'): DeadLetter {
  return deadLetterOfRecord(name, record, record.value!, { reason, detail: 'its schema is none of Tapeproof' });
}

async function send(letters: readonly DeadLetter[]): Promise<void> {
  const producer = createRecordProducer(kafka, createRegistry(connections.registryUrl));
  await producer.send(
    letters.map((letter) => ({
      ...{ topic: DEAD_LETTERS_TOPIC, partition: 0, key: null, type: 'DeadLetter', timestampUs: 0 },
      body: encodeBody('DeadLetter', letter),
    })),
  );
  await producer.disconnect();
}

/** Appends a trade under an id that no registry knows. */
async function poison(partition: number): Promise<LogRecord> {
  const producer = kafka.producer({ createPartitioner: () => () => partition });
  await producer.connect();
  const value = frame(987_654, encodeBody('Trade', tradeNumber(0)));
  await producer.send({ topic: TAPE_TOPIC, messages: [{ value }] });
  await producer.disconnect();
  return recordAt(TAPE_TOPIC, partition, (await reader.endOffset(TAPE_TOPIC, partition)) - 1);
}

describe('dead-letters retry', () => {
  it('appends now readable records to the tape, once, and says why not for the rest', async () => {
    const { instrument } = tradeNumber(0);
    const partition = partitionOf(instrument, 6);
    // The activation is at 0, and trades follow.
    const [activation, first, second] = [
      await recordAt(TAPE_TOPIC, partition, 0),
      await recordAt(TAPE_TOPIC, partition, 1),
      await recordAt(TAPE_TOPIC, partition, 2),
    ];
    const bad = await poison(partition);
    const changed = { ...letterOf('engine', second), payloadHash: '0'.repeat(64), deadLetterId: 'dead-changed' };
    await send([
      letterOf('engine', first),
      letterOf('engine', second, 'UNDECODABLE'),
      letterOf('engine', second, 'UNDECODABLE'),
      letterOf('engine', activation),
      letterOf('engine', bad),
      changed,
      { ...letterOf('engine', first, 'CLOCK_LEAD'), deadLetterId: 'dead-clock' },
    ]);
    const before = await reader.endOffset(TAPE_TOPIC, partition);
    const found = await retry();
    expect([found.appended, found.delivered, found.already, found.refused]).toEqual([2, 0, 0, 4]);
    const details = found.letters.map(({ detail }) => detail).join('\n');
    expect(details).toContain('run "npx tapeproof activate"');
    expect(details).toContain('cannot be read with the present registry either');
    expect(details).toContain('is now a different one');
    expect(details).toContain('which no registry changes');
    expect(await reader.endOffset(TAPE_TOPIC, partition)).toBe(before + 2);
    const again = await recordAt(TAPE_TOPIC, partition, before);
    expect([again.value, again.key?.toString()]).toEqual([first.value, instrument]);
    expect(await retry()).toMatchObject({ appended: 0, already: 2, refused: 4 });
    expect(await retry('--reason', 'UNDECODABLE')).toMatchObject({ appended: 0, already: 1, refused: 0 });
    expect(await retry('--source', 'decision.outcomes')).toMatchObject({ letters: [] });
    expect(await reader.endOffset(TAPE_TOPIC, partition)).toBe(before + 2);
  });

  it('delivers a passed-over record to its projector, which continues after it', async () => {
    const partition = partitionOf(tradeNumber(0).instrument, 6);
    const record = await recordAt(SNAPSHOTS, partition, 0);
    const model = createPostgresReadModel(postgresHistory, connections.postgresUrl, migratorUrlOf(connections));
    const sink = await model.open(tape.tapeId);
    // The position after a dead letter: the offset advanced, the sequence did not.
    await sink.position(SNAPSHOTS, partition);
    await sink.apply({
      ...{ topic: SNAPSHOTS, partition, from: BEGINNING, to: { nextOffset: 1, nextSequence: 0 } },
      ...{ admitted: [], repeated: [], dead: 1, ignored: 0 },
    });
    await model.close();
    await send([letterOf('postgres-history', record)]);
    const pool = createPool(migratorUrlOf(connections), 'test');
    const rows = async (): Promise<number> =>
      (await pool.query('SELECT 1 FROM tapeproof.indicator_snapshots')).rowCount ?? 0;
    expect(await retry()).toMatchObject({ delivered: 1, refused: 0 });
    expect(await rows()).toBe(1);
    expect(await retry()).toMatchObject({ delivered: 0, already: 1 });
    const status = await projectorStatus('postgres-history', connections);
    expect(status?.positions.find(({ topic, partition: of }) => topic === SNAPSHOTS && of === partition)).toMatchObject(
      {
        nextOffset: 1,
        nextSequence: 1,
      },
    );
    await pool.end();
  });
});
