import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyOf, decodeBody, sha256Hex } from '../contracts/codec.ts';
import { Decimal } from '../contracts/decimal.ts';
import type { DeadLetter, Trade } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEAD_LETTERS_TOPIC, TAPE_TOPIC, type TopicName } from '../contracts/topics.ts';
import type { Connections } from '../platform/connections.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { partitionCount } from '../platform/kafka/topics.ts';
import { createLog } from '../platform/log.ts';
import { tradeOfRow } from '../producers/fixtures/rows.ts';
import { recordOf } from '../producers/ingest.ts';
import { ingestFile, type IngestOptions } from '../producers/main.ts';
import { resetStores, stackConnections } from './support/stack.ts';

const HEADER = 'trade_id,event_time_us,instrument,price,size,side';
const INSTRUMENTS = ['AAA-USD@ingest', 'BBB-USD@ingest', 'CCC-USD@ingest', 'DDD-USD@ingest'];
/** Each file of those instruments begins after the previous one, so that none is late because of another test. */
const FILE_SPACING_US = 600_000_000;

let connections: Connections;
let partitions: number;
let folder: string;
let nextStartUs = 1_700_000_000_000_000;

beforeAll(async () => {
  connections = stackConnections();
  await resetStores();
  partitions = await partitionCount(createKafka(connections.kafkaBrokers, 'ingest-test'));
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
  const startUs = nextStartUs;
  nextStartUs += FILE_SPACING_US;
  const lines = Array.from({ length: rows }, (_, row) => {
    const instrument = INSTRUMENTS[(row * 7) % INSTRUMENTS.length] ?? '';
    const trade = `${name}-${row},${startUs + row * 1000},${instrument},${100 + (row % 50)}.25,0.5,BUY`;
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

/** Each row of the file once, in order within each instrument. */
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
      // Kafka refuses stamps far ahead by default; a whole batch would stick.
      [10, 'ahead,4000000000000000,EEE-USD@ingest,1,1,BUY'],
      [11, 'p,1700000000000000,AAA-USD@ingest,1,1,HOLD'],
    ]);
    const reasons = ['MALFORMED', 'NOT_A_NUMBER', 'NOT_POSITIVE', 'INSTRUMENT_MALFORMED', 'PRECISION'].concat([
      'MALFORMED',
      'TRADE_ID_MALFORMED',
      'SIDE_UNKNOWN',
    ]);
    await expect(ingest(path)).rejects.toMatchObject({
      code: 'CHECK_FAILED',
      message: expect.stringMatching(/8 of 400 rows .* are refused, more than 1 %[^]*--refused-max 2$/) as string,
    });
    expect(await tradesOf(path)).toEqual([]);
    expect(await deadLettersOf(path)).toEqual([]);
    const loose = { refusedPercentMax: 2 };
    const first = await ingest(path, loose);
    expect(first).toMatchObject({ complete: true, trades: 392, deadLetters: 8, deadLettersAppended: 8 });
    expect(first.refused.SIDE_UNKNOWN).toMatchObject({ count: 1, first: [{ line: 13 }] });
    expect(await ingest(path, loose)).toMatchObject({ appended: 0, deadLetters: 8, deadLettersAppended: 0 });
    const deadLetters = await deadLettersOf(path);
    expect(deadLetters.map((deadLetter) => deadLetter.reason)).toEqual(reasons);
    expect(deadLetters.map((deadLetter) => deadLetter.source.position)).toEqual([5, 6, 7, 8, 9, 10, 11, 13]);
    expect((await tradesOf(path)).length).toBe(392);
  });

  it('continues where a killed process stopped', async () => {
    const rows = 60_000;
    const path = await fileOf('killed', rows);
    for (const enough of [1, 12_000, 30_000]) await killWhenAppended(path, enough);
    const report = await ingest(path);
    expect(report.alreadyThere).toBeGreaterThanOrEqual(30_000);
    expect(report.alreadyThere + report.appended).toBe(rows);
    expect(report.appended).toBeGreaterThan(0);
    await expectEachOnce(path, 'killed', rows);
  });

  it('is complete after two concurrent runs, even if both were killed half way', async () => {
    const rows = 60_000;
    const path = await fileOf('together', rows);
    await Promise.all([killWhenAppended(path, 8_000), killWhenAppended(path, 20_000)]);
    await Promise.all([ingest(path), ingest(path)]);
    expect(await ingest(path)).toMatchObject({ complete: true, appended: 0, alreadyThere: rows });
    const trades = await tradesOf(path);
    expect(trades.length).toBeGreaterThan(rows);
    expect(new Set(trades.map((trade) => trade.tradeId)).size).toBe(rows);
  });

  it('stops at a signal with the acknowledged trades, and continues later', async () => {
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

  it('reports how much it had appended when it cannot continue', async () => {
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
      message: expect.stringMatching(/changed while it was being read.* It had appended [\d,]+ trades/) as string,
    });
  });

  it('arrives whole at a multiple of the market’s speed', async () => {
    const path = await fileOf('paced', 500);
    expect(await ingest(path, { speed: 50 })).toMatchObject({ complete: true, appended: 500 });
    await expectEachOnce(path, 'paced', 500);
  });

  it('does not wait for a missing service: exit 3 and a sentence', async () => {
    const path = await fileOf('alone', 10);
    const nowhere = { kafkaBrokers: ['127.0.0.1:1'], registryUrl: 'http://127.0.0.1:1' };
    await expect(ingest(path, { connections: nowhere })).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining('npx tapeproof stack up') as string,
    });
  });
});

const SECOND_US = 1_000_000;
const START_US = 1_735_689_600_000_000;
let instrumentsUsed = 0;

/** Rows of a separate instrument, at these seconds after the start, and a function that writes them to a file. */
function rowsAt(seconds: readonly number[], idOf: (second: number) => string = (second) => `t${second}`) {
  instrumentsUsed += 1;
  const instrument = `R${instrumentsUsed}-USD@ingest`;
  const rows = seconds.map(
    (second) => `${idOf(second)},${START_US + second * SECOND_US},${instrument},${100 + (second % 50)}.25,0.5,BUY`,
  );
  return { instrument, rows };
}

async function written(
  name: string,
  lines: readonly string[],
  pack: (text: string) => string | Buffer = (text) => text,
) {
  const path = join(folder, name);
  await writeFile(path, pack(`${lines.join('\n')}\n`));
  return path;
}

const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);
const uuidOf = (second: number): string =>
  sha256Hex(String(second)).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');

/** An instrument's trades on the tape, in order. */
async function tapeOf(instrument: string): Promise<Trade[]> {
  const partition = partitionOf(instrument, partitions);
  const reader = createLogReader(connections.kafkaBrokers);
  const trades: Trade[] = [];
  try {
    const [from, to] = [await reader.startOffset(TAPE_TOPIC, partition), await reader.endOffset(TAPE_TOPIC, partition)];
    for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from, to })) {
      for (const { key, value } of records) {
        if (key?.toString() === instrument) trades.push(decodeBody('Trade', bodyOf(value!)));
      }
    }
  } finally {
    await reader.close();
  }
  return trades;
}

describe('files with the same trades', () => {
  it('give each once: the day again, packed, with a trade more and ids without order', async () => {
    const { instrument, rows } = rowsAt(upTo(601), uuidOf);
    const day = await written('day.csv', [HEADER, ...rows.slice(0, 600)]);
    const again = await written('again.csv.gz', [HEADER, ...rows], gzipSync);
    expect(await ingest(day)).toMatchObject({ appended: 600 });
    expect(await ingest(again)).toMatchObject({ appended: 1, alreadyThere: 600, late: 0 });
    expect(await ingest(day)).toMatchObject({ appended: 0, alreadyThere: 600 });
    expect((await tapeOf(instrument)).map(({ eventTime }) => (eventTime - START_US) / SECOND_US)).toEqual(upTo(601));
  });

  it('give each once where rows have no ids: a dump that grew, two equal rows in it', async () => {
    const instrument = 'GROWN-USD@ingest';
    const lines = upTo(100).map(
      (row) => `${1_735_700_000 + Math.max(row - 1, 0) * 3},${93_500 + Math.max(row - 1, 0)}.1,0.1`,
    );
    const monday = await written('monday.csv', ['timestamp,price,amount', ...lines.slice(0, 80)]);
    const tuesday = await written('tuesday.csv', ['timestamp,price,amount', ...lines]);
    expect(await ingest(monday, { instrument })).toMatchObject({ appended: 80 });
    expect(await ingest(tuesday, { instrument })).toMatchObject({ appended: 20, alreadyThere: 80 });
    expect(await tapeOf(instrument)).toHaveLength(100);
  });

  it('append nothing that an earlier release appended under its former ids', async () => {
    const instrument = 'FORMER-USD@ingest';
    const path = await written('former.csv', [
      'timestamp,price,amount',
      '1735700000,800.01,0.1',
      '1735700000,800.01,0.1',
    ]);
    const fileHash = sha256Hex(await readFile(path)).slice(0, 16);
    const producer = createRecordProducer(
      createKafka(connections.kafkaBrokers, 'ingest-test'),
      createRegistry(connections.registryUrl),
    );
    const former = [1, 2].map((row) => ({
      ...tradeOfRow({ instrument, venue: 'ingest', tradeId: `${fileHash}-${row}`, source: `file:${fileHash}` }),
      ...{ eventTime: 1_735_700_000 * SECOND_US, price: Decimal.of('800.01'), size: Decimal.of('0.1') },
    }));
    await producer.send(former.map((trade) => recordOf({ kind: 'trade', trade }, partitions, 0)));
    await producer.disconnect();
    expect(await ingest(path, { instrument })).toMatchObject({ appended: 0, alreadyThere: 2 });
  });
});

describe('a file whose order would silence decisions', () => {
  it('is refused before anything is appended, and sorted on request', async () => {
    const apart = 27 * 86_400;
    const { instrument, rows } = rowsAt(upTo(200).flatMap((second) => [second, apart + second]));
    const path = await written('interleaved.csv', [HEADER, ...rows]);
    await expect(ingest(path, { command: 'npx tapeproof ingest file interleaved.csv' })).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(
        new RegExp(`${instrument}: 199 of 400 rows[^]*ingest file interleaved.csv --sort\n[^]*--accept-late$`),
      ) as string,
    });
    expect(await tapeOf(instrument)).toEqual([]);
    expect(await ingest(path, { sort: true })).toMatchObject({ appended: 400, late: 0 });
    const times = (await tapeOf(instrument)).map(({ eventTime }) => (eventTime - START_US) / SECOND_US);
    expect(times).toEqual([...upTo(200), ...upTo(200, apart)]);
    // Everything is there: the order of the file no longer matters.
    expect(await ingest(path)).toMatchObject({ appended: 0, alreadyThere: 400 });
  });

  it('is accepted in file order on request, and late rows are counted', async () => {
    const { instrument, rows } = rowsAt(upTo(50).reverse());
    const path = await written('newest-first.csv', [HEADER, ...rows]);
    await expect(ingest(path)).rejects.toMatchObject({ exitCode: 1 });
    const report = await ingest(path, { acceptLate: true });
    expect(report).toMatchObject({ appended: 50, late: 49 });
    expect(report.instruments[instrument]).toMatchObject({
      silencedSeconds: 48,
      largestStepBackUs: 49 * SECOND_US,
      firstLate: [{ line: 3 }, { line: 4 }, { line: 5 }, { line: 6 }, { line: 7 }],
    });
  });

  it('is one that is older than the trades on the tape, whatever is done to it', async () => {
    const { instrument, rows } = rowsAt(upTo(200));
    await ingest(await written('newer.csv', [HEADER, ...rows.slice(100)]));
    const older = await written('older.csv', [HEADER, ...rows.slice(0, 120)]);
    for (const sort of [false, true]) {
      await expect(ingest(older, { sort })).rejects.toMatchObject({
        exitCode: 1,
        message: expect.stringContaining('older than the trades on the tape') as string,
      });
    }
    expect(await ingest(older, { acceptLate: true })).toMatchObject({ appended: 100, alreadyThere: 20, late: 100 });
    expect(await tapeOf(instrument)).toHaveLength(200);
    expect(await ingest(older)).toMatchObject({ appended: 0, alreadyThere: 120 });
  });
});

const CASES = join(import.meta.dirname, '../../shared/cases');

describe.skipIf(!existsSync(CASES))('cases from the field, if available', () => {
  it('13: the union of a day and the same day downloaded again', async () => {
    await ingest(join(CASES, '13-uuid-day.csv.gz'));
    await ingest(join(CASES, '13-uuid-day-redownloaded.csv.gz'));
    expect(await tapeOf('XBT-USD@bitmex')).toHaveLength(6_001);
  });

  it('32: a dump that grew', async () => {
    const instrument = 'CASE32-USD@ingest';
    await ingest(join(CASES, '32-dump-monday.csv'), { instrument });
    await ingest(join(CASES, '32-dump-tuesday.csv'), { instrument });
    expect(await tapeOf(instrument)).toHaveLength(100);
  });
});

/** Runs an ingest in a separate process and ends it with SIGKILL once this many trades are acknowledged. */
async function killWhenAppended(path: string, trades: number): Promise<void> {
  const script = join(import.meta.dirname, 'support/ingest-process.ts');
  const child = spawn(process.execPath, [script, path, JSON.stringify(connections)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  // The progress counts the trades that this process appended; the tape may have more.
  const goal = Math.max(1, trades - (await tradesOf(path)).length);
  for await (const line of createInterface({ input: child.stdout })) {
    if (Number(line) >= goal) child.kill('SIGKILL');
  }
  expect((await exited)[1]).toBe('SIGKILL');
}
