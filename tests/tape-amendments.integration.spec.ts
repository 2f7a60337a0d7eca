import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Trade, TradeCancelled } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { engineGroup } from '../evaluators/main.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import type { AuditReport } from '../proofs/audit.ts';
import type { RevocationReport } from '../producers/tape-amendments.adapter.ts';
import { environmentOf, runCommand, startCommand, type CommandResult } from './support/command.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const INSTRUMENT = 'BTC-USDT@binance';
const OTHER = 'ETH-USDT@binance';
const HEADER = 'trade_id,event_time_us,instrument,price,size,side';
/** More than one batch. */
const REVOKED_TRADES = 9_000;
const START_US = 1_742_900_000_000_000;

interface Listed {
  readonly total: number;
  readonly amendments: readonly {
    readonly name: string;
    readonly event: Record<
      'tradeId' | 'price' | 'size' | 'correctedPrice' | 'correctedSize' | 'actor' | 'reason',
      string
    >;
  }[];
}

let folder: string;
let environment: Record<string, string>;
/** Distinct trades of the instrument with decisions. */
let trades: readonly Trade[];

const tapeproof = (...words: string[]): Promise<CommandResult> => runCommand(words, environment);
const listed = async (instrument: string): Promise<Listed> =>
  JSON.parse((await tapeproof('tape', 'amendments', '--instrument', instrument, '--json')).stdout) as Listed;

async function ingest(name: string, rows: readonly string[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, [HEADER, ...rows, ''].join('\n'));
  const { exitCode, stderr } = await tapeproof('ingest', 'file', path, '--accept-late');
  expect(exitCode, stderr).toBe(0);
  return path;
}

const rowOf = ({ tradeId, eventTime, instrument, price, size, side }: Trade): string =>
  [tradeId, eventTime, instrument, price.toString(), size.toString(), side].join(',');

beforeAll(async () => {
  const connections = stackConnections();
  await resetStores(connections);
  environment = { ...environmentOf(connections), USER: 'ann' };
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-amendments-'));
  const all = syntheticTrades({ seed: 11, count: 2_000 });
  trades = [...new Map(all.map((trade) => [trade.tradeId, trade])).values()];
  expect((await tapeproof('activate')).exitCode).toBe(0);
  await ingest('trades.csv', all.map(rowOf));
  const engine = startCommand(['engine', 'run'], environment);
  const kafka = createKafka(connections.kafkaBrokers, 'amendments-test');
  await until(
    'the engine has read the tape',
    async () => (await groupLag(kafka, engineGroup(), [TAPE_TOPIC])).lag === 0,
  );
  const exited = once(engine, 'exit');
  engine.kill('SIGTERM');
  await exited;
});
afterAll(() => rm(folder, { recursive: true }));

describe('tape cancel', () => {
  const cancel = (tradeId: string, ...more: string[]) =>
    tapeproof('tape', 'cancel', '--trade', tradeId, '--instrument', INSTRUMENT, '--reason', 'busted', ...more);

  it("appends one record with the tape's figures, and none where the trade was taken back already", async () => {
    const trade = trades[0]!;
    const first = await cancel(trade.tradeId, '--json');
    expect(first.exitCode, first.stderr).toBe(0);
    const report = JSON.parse(first.stdout) as { readonly appended: { readonly amendment: TradeCancelled } };
    expect(report.appended.amendment).toMatchObject({
      ...{ instrument: INSTRUMENT, tradeId: trade.tradeId, eventTime: trade.eventTime, price: trade.price.toString() },
      ...{ size: trade.size.toString(), reason: 'busted', actor: 'ann', source: 'operator' },
    });
    const second = await cancel(trade.tradeId);
    expect(second).toMatchObject({ exitCode: 0, stderr: '' });
    expect(second.stdout).toContain('was taken back before: nothing was appended');
    expect((await listed(INSTRUMENT)).amendments.map(({ name, event }) => [name, event.tradeId])).toEqual([
      ['TradeCancelled', trade.tradeId],
    ]);
  });

  it('is reported by the audit of an earlier decision, which stands', async () => {
    const { tradeId, price } = trades[0]!;
    const { exitCode, stdout } = await tapeproof('audit', '--latest', INSTRUMENT);
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toContain('Since then 1 of these trades taken back: the decision is not changed.');
    expect(stdout).toContain(`  · ${tradeId}  ${price.toString()} × `);
    expect(stdout).toMatch(/was taken back by ann at 20.*\(raw\.trades-\d @ \d+\): busted/);
    const report = JSON.parse((await tapeproof('audit', '--latest', INSTRUMENT, '--json')).stdout) as AuditReport;
    expect(report.amendedSince.counts).toEqual({ TradeCancelled: 1, TradeCorrected: 0, TradeReleased: 0 });
  });

  it('refuses a trade that is not on the tape and an invalid request, each in a sentence', async () => {
    const [gone, elsewhere, malformed, silent] = await Promise.all([
      cancel('no-such-trade'),
      cancel(trades[1]!.tradeId, '--at', '2020-01-01T00:00:00Z'),
      tapeproof('tape', 'cancel', '--trade', '1', '--instrument', 'btc', '--reason', 'x'),
      tapeproof('tape', 'cancel', '--trade', '1', '--instrument', INSTRUMENT, '--reason', ' '),
    ]);
    expect(gone).toMatchObject({ exitCode: 1, stdout: '' });
    expect(gone.stderr).toContain(`The tape holds no trade no-such-trade of ${INSTRUMENT}`);
    expect(elsewhere.exitCode).toBe(1);
    expect(elsewhere.stderr).toContain('that id is there at 2025-');
    expect(malformed.exitCode).toBe(2);
    expect(silent.exitCode).toBe(2);
    for (const { stderr } of [gone, elsewhere, malformed, silent]) expect(stderr).toMatch(/^tapeproof: .*\n$/);
    expect((await listed(INSTRUMENT)).total).toBe(1);
  });

  it('asks for the time where the id has several, and accepts the named one', async () => {
    const times = [START_US, START_US + 125];
    await ingest(
      'twice.csv',
      times.map((timeUs, index) => `same,${timeUs},${OTHER},${index + 1},1,BUY`),
    );
    const words = ['tape', 'cancel', '--trade', 'same', '--instrument', OTHER, '--reason', 'x'];
    const asked = await tapeproof(...words);
    expect(asked.exitCode).toBe(2);
    expect(asked.stderr).toContain('is on the tape with 2 event times: name one with --at');
    const [, later = ''] = /\((\S+), (\S+)\)/.exec(asked.stderr)?.slice(1) ?? [];
    expect(await tapeproof(...words, '--at', later)).toMatchObject({ exitCode: 0 });
    const { amendments } = await listed(OTHER);
    expect(amendments.map(({ event }) => event.price)).toEqual(['2']);
  });
});

describe('tape correct and tape release', () => {
  const say = (kind: 'correct' | 'release', tradeId: string, ...more: string[]) =>
    tapeproof('tape', kind, '--trade', tradeId, '--instrument', INSTRUMENT, '--reason', 'x', '--actor', 'bo', ...more);

  it('appends an amendment that changes something, and reports one that does not', async () => {
    const { tradeId, size } = trades[2]!;
    expect((await say('correct', tradeId, '--price', '7.5')).stdout).toContain(`to 7.5 × ${size.toString()}`);
    expect((await say('correct', tradeId, '--price', '7.50')).stdout).toContain('nothing was appended');
    expect((await say('correct', tradeId, '--size', '3')).stdout).toContain('to 7.5 × 3');
    expect((await say('release', tradeId)).exitCode).toBe(0);
    expect((await say('release', tradeId)).stdout).toContain('nothing was appended');
    const said = (await listed(INSTRUMENT)).amendments.filter(({ event }) => event.tradeId === tradeId);
    expect(said.map(({ name, event }) => [name, event.correctedPrice, event.correctedSize, event.actor])).toEqual([
      ['TradeCorrected', '7.5', size.toString(), 'bo'],
      ['TradeCorrected', '7.5', '3', 'bo'],
      ['TradeReleased', undefined, undefined, 'bo'],
    ]);
  });

  it.each([
    ['nothing to correct', [], 2],
    ['a size of 0', ['--size', '0'], 2],
    ['a price that is not a number', ['--price', '1e3'], 2],
  ])('refuses %s', async (_what, more, exitCode) => {
    expect((await say('correct', trades[3]!.tradeId, ...more)).exitCode).toBe(exitCode);
  });

  it('refuses further amendments of a trade that was taken back', async () => {
    const { exitCode, stderr } = await say('correct', trades[0]!.tradeId, '--price', '1');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('was taken back');
  });
});

describe('tape revoke-file', () => {
  const revoke = (target: string, ...more: string[]) =>
    tapeproof('tape', 'revoke-file', target, '--reason', 'of another venue', ...more);
  const reportOf = ({ stdout }: CommandResult) => JSON.parse(stdout) as RevocationReport;
  const rows = Array.from({ length: REVOKED_TRADES }, (_, number) => {
    const instrument = number % 3 === 0 ? 'DOT-USDT@binance' : 'LTC-USDT@binance';
    return `r${number},${START_US + number * 1_000},${instrument},${1 + (number % 7)},1,BUY`;
  });
  const cancelledOnTape = async (): Promise<number> => {
    const [dot, ltc] = await Promise.all([listed('DOT-USDT@binance'), listed('LTC-USDT@binance')]);
    return dot.total + ltc.total;
  };

  /** Runs a command without its launcher, and kills it as soon as the tape grows. */
  async function killOnceAppending(words: readonly string[]): Promise<void> {
    const reader = createLogReader(stackConnections().kafkaBrokers);
    const partitions = [OTHER, 'DOT-USDT@binance', 'LTC-USDT@binance'].map((name) => partitionOf(name, 6));
    const length = async (): Promise<number> => {
      const ends = await Promise.all(partitions.map((partition) => reader.endOffset(TAPE_TOPIC, partition)));
      return ends.reduce((sum, end) => sum + end, 0);
    };
    try {
      const before = await length();
      const cli = join(import.meta.dirname, '..', 'bin', 'cli.ts');
      const child = spawn(process.execPath, [cli, ...words], { env: { ...process.env, ...environment } });
      const exited = once(child, 'exit');
      await until('the first are taken back', async () => (await length()) > before);
      child.kill('SIGKILL');
      await exited;
    } finally {
      await reader.close();
    }
  }

  it('counts in a dry run, takes back each once though it is killed half way, and is done the third time', async () => {
    const path = await ingest('foreign.csv', rows);
    const dry = reportOf(await revoke(path, '--dry-run', '--json'));
    expect(dry.perInstrument).toMatchObject({
      'DOT-USDT@binance': { cancelled: REVOKED_TRADES / 3, alreadyCancelled: 0 },
      'LTC-USDT@binance': { cancelled: (REVOKED_TRADES * 2) / 3, alreadyCancelled: 0 },
    });
    expect(await cancelledOnTape()).toBe(0);

    await killOnceAppending(['tape', 'revoke-file', path, '--reason', 'of another venue']);
    const packed = join(folder, 'foreign.csv.gz');
    await writeFile(packed, gzipSync(await readFile(path)));
    const again = reportOf(await revoke(packed, '--json'));
    expect(again.source).toBe(dry.source);
    const before = Object.values(again.perInstrument).reduce((sum, { alreadyCancelled }) => sum + alreadyCancelled, 0);
    expect(before).toBeGreaterThan(0);
    expect(again.appended).toBe(REVOKED_TRADES - before);
    expect(await cancelledOnTape()).toBe(REVOKED_TRADES);

    const third = await revoke(dry.source);
    expect(third.stdout).toContain(`0 trades of ${dry.source} taken back; 9,000 were taken back before`);
    expect(await cancelledOnTape()).toBe(REVOKED_TRADES);
  });

  it('leaves trades that another file appended first, and says so', async () => {
    const shared = `shared,${START_US},SOL-USDT@binance,1,1,BUY`;
    await ingest('first.csv', [shared]);
    const second = await ingest('second.csv', [shared, `own,${START_US + 1},SOL-USDT@binance,1,1,BUY`]);
    const { perInstrument } = reportOf(await revoke(second, '--json'));
    expect(perInstrument['SOL-USDT@binance']?.cancelled).toBe(1);
    expect((await listed('SOL-USDT@binance')).amendments.map(({ event }) => event.tradeId)).toEqual(['own']);
  });

  it('refuses a file without trades on the tape, and an invalid source', async () => {
    const unknown = await revoke('file:0123456789abcdef');
    expect(unknown.exitCode).toBe(1);
    expect(unknown.stderr).toContain('The tape holds no trade from file:0123456789abcdef');
    expect(await revoke('file:xyz')).toMatchObject({ exitCode: 2 });
    expect(await revoke(join(folder, 'nothing.csv'))).toMatchObject({ exitCode: 2 });
  });
});
