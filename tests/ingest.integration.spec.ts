import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyOf, decodeBody, sha256Hex } from '../contracts/codec.ts';
import type { DeadLetter, Trade } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEAD_LETTERS_TOPIC, TAPE_TOPIC, type TopicName } from '../contracts/topics.ts';
import type { Connections } from '../platform/connections.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { applyTopics, partitionCount } from '../platform/kafka/topics.ts';
import { createLog } from '../platform/log.ts';
import { ingestFile, type IngestOptions } from '../producers/main.ts';
import { stackConnections } from './support/stack.ts';

const HEADER = 'trade_id,event_time_us,instrument,price,size,side';
const INSTRUMENTS = ['AAA-USD@ingest', 'BBB-USD@ingest', 'CCC-USD@ingest', 'DDD-USD@ingest'];

let connections: Connections;
let partitions: number;
let folder: string;

beforeAll(async () => {
  connections = stackConnections();
  const kafka = createKafka(connections.kafkaBrokers, 'ingest-test');
  await applyTopics(kafka);
  await createRegistry(connections.registryUrl).register();
  partitions = await partitionCount(kafka);
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-ingest-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Rows of several instruments in turn; each test's file differs in its first id, and so in its identity. */
async function fileOf(
  name: string,
  rows: number,
  poison: readonly [row: number, text: string][] = [],
): Promise<string> {
  const poisonAt = new Map(poison);
  const lines = Array.from({ length: rows }, (_, row) => {
    const instrument = INSTRUMENTS[(row * 7) % INSTRUMENTS.length] ?? '';
    const trade = `${name}-${row},${1_700_000_000_000_000 + row * 1000},${instrument},${100 + (row % 50)}.25,0.5,BUY`;
    return poisonAt.get(row) ?? trade;
  });
  const path = join(folder, `${name}.csv`);
  await writeFile(path, `${HEADER}\n${lines.join('\n')}\n`);
  return path;
}

function ingest(path: string, options: Partial<IngestOptions> = {}) {
  const signal = new AbortController().signal;
  return ingestFile({ path, speed: 'max', connections, log: createLog('ingest', 'silent'), signal, ...options });
}

async function recordsOf(topic: TopicName, path: string): Promise<LogRecord[]> {
  const source = `file:${sha256Hex(await readFile(path)).slice(0, 16)}`;
  const reader = createLogReader(connections.kafkaBrokers);
  const found: LogRecord[] = [];
  try {
    for (let partition = 0; partition < partitions; partition += 1) {
      const [from, to] = [await reader.startOffset(topic, partition), await reader.endOffset(topic, partition)];
      for await (const records of reader.read({ topic, partition, from, to })) {
        found.push(...records.filter((record) => record.value?.includes(source)));
      }
    }
  } finally {
    await reader.close();
  }
  return found;
}

async function tradesOf(path: string): Promise<Trade[]> {
  return (await recordsOf(TAPE_TOPIC, path)).map((record) => decodeBody('Trade', bodyOf(record.value!)));
}

async function deadLettersOf(path: string): Promise<DeadLetter[]> {
  const records = await recordsOf(DEAD_LETTERS_TOPIC, path);
  return records.map((record) => decodeBody('DeadLetter', bodyOf(record.value!)));
}

/** Each row of the file once, in its order within each instrument. */
async function expectEachOnce(path: string, name: string, rows: number): Promise<void> {
  const trades = Map.groupBy(await tradesOf(path), (trade) => trade.instrument);
  for (const [index, instrument] of INSTRUMENTS.entries()) {
    const expected = Array.from({ length: rows }, (_, row) => row)
      .filter((row) => (row * 7) % INSTRUMENTS.length === index)
      .map((row) => `${name}-${row}`);
    expect(trades.get(instrument)?.map((trade) => trade.tradeId)).toEqual(expected);
  }
}

describe('a file on its way to the tape', () => {
  it('is appended once however often it is ingested, each trade in its partition with its time', async () => {
    const path = await fileOf('twice', 3000);
    const whole: number[] = [];
    const first = await ingest(path, {
      progress: ({ phase, done, total, trades }) => {
        if (phase === 'append' && done === total) whole.push(trades);
      },
    });
    expect(whole).toEqual([3000]);
    expect(first).toMatchObject({ complete: true, trades: 3000, appended: 3000, alreadyThere: 0, deadLetters: 0 });
    expect(first.perInstrument).toEqual(Object.fromEntries(INSTRUMENTS.map((instrument) => [instrument, 750])));
    expect(await ingest(path)).toMatchObject({ complete: true, trades: 3000, appended: 0, alreadyThere: 3000 });
    await expectEachOnce(path, 'twice', 3000);
    for (const record of await recordsOf(TAPE_TOPIC, path)) {
      const trade = decodeBody('Trade', bodyOf(record.value!));
      expect(record.partition).toBe(partitionOf(trade.instrument, partitions));
      expect(record.key?.toString()).toBe(trade.instrument);
      expect(record.timestampMs).toBe(Math.floor(trade.eventTime / 1000));
    }
  });

  it('loses only its bad rows, to the dead letters with their reasons, and those once', async () => {
    const path = await fileOf('poison', 400, [
      [3, '"broken'],
      [4, 'p,1700000000000000,AAA-USD@ingest,NaN,1,BUY'],
      [5, 'p,1700000000000000,AAA-USD@ingest,1,-1,BUY'],
      [6, 'p,1700000000000000,__proto__,1,1,BUY'],
      [7, 'p,1700000000000000,AAA-USD@ingest,1.0000000000001,1,BUY'],
      [8, 'x'.repeat(2 * 1024 * 1024)],
      [9, 'p\0,1700000000000000,AAA-USD@ingest,1,1,BUY'],
      // Kafka refuses stamps far ahead unless it is told not to; a whole batch would stick.
      [10, 'ahead,4000000000000000,EEE-USD@ingest,1,1,BUY'],
      [11, 'p,1700000000000000,AAA-USD@ingest,1,1,HOLD'],
    ]);
    const reasons = ['MALFORMED', 'NOT_A_NUMBER', 'NOT_POSITIVE', 'INSTRUMENT_MALFORMED', 'PRECISION'].concat([
      'MALFORMED',
      'TRADE_ID_MALFORMED',
      'SIDE_UNKNOWN',
    ]);
    expect(await ingest(path)).toMatchObject({ complete: true, trades: 392, deadLetters: 8, deadLettersAppended: 8 });
    expect(await ingest(path)).toMatchObject({ appended: 0, deadLetters: 8, deadLettersAppended: 0 });
    const deadLetters = await deadLettersOf(path);
    expect(deadLetters.map((deadLetter) => deadLetter.reason)).toEqual(reasons);
    expect(deadLetters.map((deadLetter) => deadLetter.source.position)).toEqual([5, 6, 7, 8, 9, 10, 11, 13]);
    expect((await tradesOf(path)).length).toBe(392);
  });

  it('goes on where a killed process stopped', async () => {
    const rows = 60_000;
    const path = await fileOf('killed', rows);
    for (const enough of [1, 12_000, 30_000]) await killWhenAppended(path, enough);
    const report = await ingest(path);
    expect(report.alreadyThere).toBeGreaterThanOrEqual(30_000);
    expect(report.alreadyThere + report.appended).toBe(rows);
    expect(report.appended).toBeGreaterThan(0);
    await expectEachOnce(path, 'killed', rows);
  });

  it('is all there after two runs at the same time, also where both were killed half way', async () => {
    const rows = 60_000;
    const path = await fileOf('together', rows);
    await Promise.all([killWhenAppended(path, 8_000), killWhenAppended(path, 20_000)]);
    await Promise.all([ingest(path), ingest(path)]);
    expect(await ingest(path)).toMatchObject({ complete: true, appended: 0, alreadyThere: rows });
    const trades = await tradesOf(path);
    expect(trades.length).toBeGreaterThan(rows);
    expect(new Set(trades.map((trade) => trade.tradeId)).size).toBe(rows);
  });

  it('stops at a signal with what was acknowledged, and goes on later', async () => {
    const rows = 60_000;
    const path = await fileOf('stopped', rows);
    const abort = new AbortController();
    const stopped = await ingest(path, {
      signal: abort.signal,
      progress: ({ phase }) => {
        if (phase === 'append') abort.abort();
      },
    });
    expect(stopped.complete).toBe(false);
    expect(stopped.appended).toBeGreaterThan(0);
    expect(stopped.appended).toBeLessThan(rows);
    expect((await tradesOf(path)).length).toBe(stopped.appended);
    expect(await ingest(path)).toMatchObject({ complete: true, trades: rows, alreadyThere: stopped.appended });
    await expectEachOnce(path, 'stopped', rows);
  });

  it('says what it had appended when it cannot go on', async () => {
    const path = await fileOf('changing', 60_000);
    let changed = false;
    const failed = ingest(path, {
      progress: ({ phase, trades }) => {
        if (phase !== 'append' || trades === 0 || changed) return;
        changed = true;
        appendFileSync(path, 'another line\n');
      },
    });
    await expect(failed).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/changed while it was read.* It had appended [\d,]+ trades/) as string,
    });
  });

  it('arrives whole at a multiple of the market’s speed', async () => {
    const path = await fileOf('paced', 500);
    expect(await ingest(path, { speed: 50 })).toMatchObject({ complete: true, appended: 500 });
    await expectEachOnce(path, 'paced', 500);
  });

  it('is refused, and nothing appended, when it would now become other trades', async () => {
    const path = join(folder, 'other.csv');
    await writeFile(path, 'timestamp,price,amount\n1385337600,800.01,0.1\n1385337613,800.05,0.2\n');
    await ingest(path, { instrument: 'AAA-USD@ingest' });
    await expect(ingest(path, { instrument: 'BBB-USD@ingest' })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('2 trades of AAA-USD@ingest from an earlier run') as string,
    });
    await expect(ingest(path, { instrument: 'AAA-USD@ingest', allowed: [] })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect((await tradesOf(path)).map((trade) => trade.instrument)).toEqual(['AAA-USD@ingest', 'AAA-USD@ingest']);
    expect(await deadLettersOf(path)).toEqual([]);
  });

  it('waits for no service that is not there: exit 3 and a sentence', async () => {
    const path = await fileOf('alone', 10);
    const nowhere = { kafkaBrokers: ['127.0.0.1:1'], registryUrl: 'http://127.0.0.1:1' };
    await expect(ingest(path, { connections: nowhere })).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining('npx tapeproof stack up') as string,
    });
  });
});

/** Runs an ingest in a process of its own and ends it with SIGKILL once so many trades are acknowledged. */
async function killWhenAppended(path: string, trades: number): Promise<void> {
  const script = join(import.meta.dirname, 'support/ingest-process.ts');
  const child = spawn(process.execPath, [script, path, JSON.stringify(connections)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  // The progress counts what this process appended; what is on the tape may be more.
  const goal = Math.max(1, trades - (await tradesOf(path)).length);
  for await (const line of createInterface({ input: child.stdout })) {
    if (Number(line) >= goal) child.kill('SIGKILL');
  }
  expect((await exited)[1]).toBe('SIGKILL');
}
