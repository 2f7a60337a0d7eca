import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyOf, decodeBody } from '../contracts/codec.ts';
import type { DeadLetter, Outcome, Trade } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { gapBefore, missed, watermarked, watermarkOf, traded } from '../evaluators/fixtures/tape-contents.ts';
import { engineGroup } from '../evaluators/main.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { partitionCount } from '../platform/kafka/topics.ts';
import type { IngestReport } from '../producers/main.ts';
import type { AuditReport } from '../proofs/audit.ts';
import type { DeadLetterList } from '../proofs/dead-letters.ts';
import type { Scoreboard } from '../proofs/scoreboard/scoreboard.ts';
import { environmentOf, runCommand, startCommand, type CommandResult } from './support/command.ts';
import { tapeRecordOf } from './support/seeded-tape.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const STOP_DEADLINE_MS = 10_000;
const INSTRUMENT = 'BTC-USDT@binance';

let folder: string;
let environment: Record<string, string>;
let engine: ChildProcess;

const tapeproof = (...words: string[]): Promise<CommandResult> => runCommand(words, environment);

/** A canonical file with two rows that are not trades. */
async function writeTrades(path: string): Promise<void> {
  const rows = syntheticTrades({ seed: 11, count: 4_000 }).map(
    ({ tradeId, eventTime, instrument, price, size, side }) =>
      [tradeId, eventTime, instrument, price.toString(), size.toString(), side].join(','),
  );
  rows.splice(10, 0, 'x1,1742943600000000,BTC-USDT@binance,1,-1,BUY', 'x2,1742943600000000,__proto__,1,1,BUY');
  await writeFile(path, ['trade_id,event_time_us,instrument,price,size,side', ...rows, ''].join('\n'));
}

beforeAll(async () => {
  const connections = stackConnections();
  await resetStores(connections);
  environment = environmentOf(connections);
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-commands-'));
  await writeTrades(join(folder, 'trades.csv'));
  for (const words of [['migrate'], ['activate'], ['ingest', 'file', join(folder, 'trades.csv'), '--accept-late']]) {
    const { exitCode, stderr } = await tapeproof(...words);
    expect(exitCode, stderr).toBe(0);
  }
  engine = startCommand(['engine', 'run'], environment);
  const kafka = createKafka(connections.kafkaBrokers, 'commands-test');
  await until(
    'the engine has read the tape',
    async () => (await groupLag(kafka, engineGroup(), [TAPE_TOPIC])).lag === 0,
  );
});
afterAll(async () => {
  engine.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

describe('preparing', () => {
  it.each([
    ['topics', 'check'],
    ['contracts', 'check'],
  ])('%s %s finds no drift', async (...words) => {
    expect(await tapeproof(...words)).toMatchObject({ exitCode: 0 });
  });

  it('activates once', async () => {
    const { exitCode, stdout } = await tapeproof('activate', '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ action: 'already in force' });
  });

  it('ingests once, and lists refused rows', async () => {
    const again = await tapeproof('ingest', 'file', join(folder, 'trades.csv'), '--accept-late', '--json');
    const report = JSON.parse(again.stdout) as IngestReport;
    expect(report).toMatchObject({ trades: 4_000, appended: 0, deadLetters: 2 });
    expect(report.repeated).toBeGreaterThan(0);
    expect(report.alreadyThere + report.repeated).toBe(4_000);
    type Listed = Omit<DeadLetterList, 'letters'> & { letters: (DeadLetter & { readonly payload: string })[] };
    const { total, letters } = JSON.parse((await tapeproof('dead-letters', '--json')).stdout) as Listed;
    expect(total).toBe(2);
    expect(letters.map(({ reason, source }) => [reason, source.position])).toEqual([
      ['NOT_POSITIVE', 12],
      ['INSTRUMENT_MALFORMED', 13],
    ]);
    expect(Buffer.from(letters[0]?.payload ?? '', 'base64').toString()).toBe(
      'x1,1742943600000000,BTC-USDT@binance,1,-1,BUY',
    );
    expect((await tapeproof('dead-letters', '--reason', 'PRECISION')).stdout).toContain('No dead letters');
  });

  it('says that partitions are fixed if another number is requested', async () => {
    const { exitCode, stderr } = await tapeproof('topics', 'apply', '--partitions', '3');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('The topics have 6 partitions, which are fixed');
    expect(await tapeproof('topics', 'apply')).toMatchObject({ exitCode: 0 });
  });
});

describe('audit', () => {
  const auditJson = async (...words: string[]): Promise<AuditReport> =>
    JSON.parse((await tapeproof('audit', ...words, '--json')).stdout) as AuditReport;

  it('audits the latest decision, verified from the nearest anchor, and the one at a time', async () => {
    const { exitCode, stdout } = await tapeproof('audit', '--latest', INSTRUMENT, '--verify');
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toMatch(/(\d+) of \1 checks passed/);
    const { decision } = await auditJson('--at', '2025-03-25T23:30:00Z', '--instrument', INSTRUMENT);
    expect(decision?.event.eventTime).toBeLessThanOrEqual(Date.parse('2025-03-25T23:30:00Z') * 1_000);
  });

  it('reaches the same trades from an outcome as in the file', async () => {
    const { decision } = await auditJson('--at', '2025-03-25T23:20:00Z', '--instrument', INSTRUMENT);
    const report = await auditJson(decision?.event.eventId ?? '', '--trades');
    expect(report.trades.all).toHaveLength(report.trades.count);
    const file = await readFile(join(folder, 'trades.csv'), 'utf8');
    for (const { event } of report.trades.all) {
      expect(file).toContain(`${event.tradeId},${event.eventTime},${event.instrument},${String(event.price)},`);
    }
  });

  it.each([
    [['audit', 'decision-0-999999999-0'], 1, 'There is no event'],
    [['audit', 'decision-99-1-0'], 1, 'There is no partition 99'],
    [['audit', 'nonsense'], 2, 'is not an event id'],
    [['audit', 'decision-0-1-0', '--latest', INSTRUMENT], 2, 'Name one thing to audit'],
    [['audit', 'decision-0-1-0', '--at', '2025-03-25T23:30:00Z'], 2, 'Name one thing to audit'],
    [['audit', '--latest', INSTRUMENT, '--at', '2025-03-25T23:30:00Z'], 2, 'Name one thing to audit'],
    [['audit'], 2, 'Name what to audit'],
    [['audit', '--latest', 'nonsense'], 2, 'The instrument'],
    [['audit', '--latest', 'NONE-USD@binance'], 1, 'no decision'],
    [['audit', '--at', 'yesterday', '--instrument', INSTRUMENT], 2, 'is not a valid'],
  ] as const)('%j exits %i with a sentence', async (words, exitCode, sentence) => {
    const result = await tapeproof(...words);
    expect(result.exitCode).toBe(exitCode);
    expect(result.stderr).toContain(sentence);
    expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('scoreboard', () => {
  it('counts each outcome once and shows how reliable a hit rate is', async () => {
    const board = JSON.parse((await tapeproof('scoreboard', '--json')).stdout) as Scoreboard;
    for (const { hits, misses, n, effectiveN, hitRate, withheld } of board.rows) {
      expect(hits + misses).toBe(n);
      expect(effectiveN).toBeLessThanOrEqual(n);
      // The sample is short: no figure is shown that nothing stands behind.
      expect([hitRate, withheld[0]?.reason]).toEqual([null, 'TOO_FEW']);
    }
    expect(board.rows.reduce((sum, { n, voids }) => sum + n + voids, 0)).toBe(board.events['decision.outcomes']);
    expect((await tapeproof('scoreboard')).stdout).toContain('too few');
  });

  it('prints rows by instrument, merged and split as asked for, and as CSV', async () => {
    const rows = async (...words: readonly string[]) =>
      (JSON.parse((await tapeproof('scoreboard', '--json', ...words)).stdout) as Scoreboard).rows;
    const all = await rows();
    const own = await rows('--instrument', INSTRUMENT, '--forecast', 'DECISION');
    expect(own).toEqual(all.filter((row) => row.instrument === INSTRUMENT && row.forecast === 'DECISION'));
    const merged = await rows('--merge', 'instrument');
    expect(merged.reduce((sum, { n }) => sum + n, 0)).toBe(all.reduce((sum, { n }) => sum + n, 0));
    const parts = (await rows('--by', 'direction')).filter(({ part }) => part !== null);
    expect(parts.reduce((sum, { n, voids }) => sum + n + voids, 0)).toBe(
      all.reduce((sum, { n, voids }) => sum + n + voids, 0),
    );
    const { stdout } = await tapeproof('scoreboard', '--csv');
    expect(stdout.trimEnd().split('\n')).toHaveLength(1 + all.length);
  });

  it.each([
    [['--instrument', 'BTC-USDT@binanc'], 2, 'did you mean BTC-USDT@binance?'],
    [['--forecast', 'DECISIONS'], 2, 'did you mean DECISION?'],
    [['--merge', 'engine,configuratoin'], 2, '--merge does not know "configuratoin": did you mean configuration?'],
    [['--by', 'weather'], 2, '--by does not know "weather": give direction, level, horizon, period, lead.'],
    [['--by', 'period', '--period', '1 day'], 2, '"1 day" is not a valid period'],
    [['--period', '1d'], 2, 'give --by period with --period'],
    [['--since', 'yesterday'], 2, '"yesterday" is not a valid time'],
    [['--since', '2025-03-25T00:00:00Z', '--until', '2025-03-25T00:00:00Z'], 2, 'give an earlier --since'],
    [['--json', '--csv'], 2, 'not both'],
    [['--plot', 'no/such/folder/x.svg'], 2, 'no/such/folder/x.svg cannot be written'],
    [['--plot', '.'], 2, '. is a folder: name a file with --plot.'],
    [['--plot', 'too-few.svg'], 1, 'There is nothing to draw into too-few.svg: too few: an effective n of'],
  ])('says in one sentence what is wrong with %j', async (words, exitCode, sentence) => {
    const result = await tapeproof('scoreboard', ...words);
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toContain(sentence);
    expect(result.stderr).toMatch(/^tapeproof: .*\n$/);
    expect(existsSync('too-few.svg')).toBe(false);
  });
});

describe('usage', () => {
  it('groups its help and lists only working commands', async () => {
    const { exitCode, stdout } = await tapeproof('--help');
    expect(exitCode).toBe(0);
    for (const part of ['Run:', 'Prove:', 'Operate:', 'Examples:', 'Exit codes:']) expect(stdout).toContain(part);
    const listed = [...stdout.matchAll(/^ {2}([a-z][a-z-]+) .*/gm)].map(([, word]) => word);
    expect(listed).toEqual(
      expect.arrayContaining([
        'demo',
        'ingest',
        'engine',
        'projector',
        'audit',
        'derive',
        'stack',
        'topics',
        'dead-letters',
      ]),
    );
    expect((await tapeproof('projector', '--help')).stdout).toContain('rebuild');
  });

  it.each([
    [['nonsense'], 2],
    [['projector', 'run', 'nonsense'], 2],
    [['ingest', 'file', '/nonexistent/file.csv'], 2],
    [['ingest', 'file', 'package.json'], 2],
    [['ingest', 'file', 'x', '--speed', 'fast'], 2],
    [['ingest', 'file', 'package.json', '--allow', 'nonsense'], 2],
    [['dead-letters', '--reason', 'BOGUS'], 2],
    [['activate', '--config', '/nonexistent.yaml'], 2],
  ])('%j exits %i with one sentence', async (words, exitCode) => {
    const result = await tapeproof(...words);
    expect(result.exitCode, result.stderr).toBe(exitCode);
    expect(result.stderr).toMatch(/^tapeproof: /);
    expect(result.stderr).not.toContain('    at ');
  });

  it.each([['dead-letters'], ['audit --trades --latest BTC-USDT@binance'], ['derive --accept-late --trades FILE']])(
    '%s ends quietly when its reader has enough',
    async (words) => {
      const script = `node bin/tapeproof.js ${words.replace('FILE', '"$0"')} | head -n 1 >&2; echo "\${PIPESTATUS[0]}"`;
      const child = spawn('bash', ['-c', script, join(folder, 'trades.csv')], {
        cwd: join(import.meta.dirname, '..'),
        env: { ...process.env, ...environment },
      });
      const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
      expect(stdout).toBe('0\n');
    },
  );

  it.each([
    ['an unknown key', 'cadenceMS: 5\n', 'cadenceMs'],
    ['an unknown tag', 'cadenceMs: !milli 5\n', 'line 1: Unresolved tag'],
    ['broken YAML', 'cadenceMs: [\n', 'line 2: '],
    [
      'a parameter against another',
      'strategies: {VWAP_REVERSION: {parameters: {entryDeviations: 5}}}',
      'maxDeviations',
    ],
  ])('names %s of a configuration, and its file, in one line', async (_what, text, sentence) => {
    const path = join(folder, 'wrong.yaml');
    await writeFile(path, text);
    const { exitCode, stderr } = await tapeproof('derive', '--trades', join(folder, 'trades.csv'), '--config', path);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(path);
    expect(stderr).toContain(sentence);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it('exits 3 when a service is unreachable, with one sentence and nothing else', async () => {
    const elsewhere = { ...environment, TAPEPROOF_KAFKA_BROKERS: '127.0.0.1:1' };
    const commands = [
      ['topics', 'check'],
      ['audit', '--latest', INSTRUMENT],
      ['activate'],
      ['ingest', 'file', join(folder, 'trades.csv')],
    ];
    for (const { exitCode, stderr } of await Promise.all(commands.map((words) => runCommand(words, elsewhere)))) {
      expect(exitCode, stderr).toBe(3);
      expect(stderr).toMatch(/^tapeproof: Kafka does not answer.*\n$/);
    }
  });
});

describe('derive', () => {
  it('writes the same bytes twice, and those that the engine wrote', async () => {
    const [first, second] = await Promise.all(
      ['first', 'second'].map(async (name) => {
        const out = join(folder, name);
        const words = ['--trades', join(folder, 'trades.csv'), '--accept-late', '--out', out];
        expect((await tapeproof('derive', ...words)).exitCode).toBe(0);
        return await readFile(out, 'utf8');
      }),
    );
    expect(first).toBe(second);
    const { events } = JSON.parse((await tapeproof('scoreboard', '--json')).stdout) as Scoreboard;
    expect(first?.trimEnd().split('\n')).toHaveLength(Object.values(events).reduce((sum, count) => sum + count, 0));
  });

  it('does not touch its output if the trades cannot be read', async () => {
    const [cut, out] = [join(folder, 'cut.csv.gz'), join(folder, 'kept')];
    await writeFile(cut, gzipSync(await readFile(join(folder, 'trades.csv'))).subarray(0, -20));
    await writeFile(out, 'an older derivation');
    const { exitCode, stderr } = await tapeproof('derive', '--trades', cut, '--out', out);
    expect(exitCode, stderr).toBe(2);
    expect(stderr).toContain('compressed data ends too early');
    expect(await readFile(out, 'utf8')).toBe('an older derivation');
  });
});

describe('a market that falls quiet', () => {
  const connections = stackConnections();
  const kafka = createKafka(connections.kafkaBrokers, 'commands-test-live');

  /** The records of a live producer when a trade follows a hole, and then none for ten minutes. */
  async function fallQuiet(): Promise<void> {
    const last = syntheticTrades({ seed: 11, count: 4_000 }).reduce((left, right) =>
      right.eventTime > left.eventTime ? right : left,
    );
    const eventTime = last.eventTime + 1_000_000;
    const trade: Trade = { ...last, tradeId: '900010', eventTime, receivedAt: eventTime };
    const quietUs = Math.floor(eventTime / 1_000_000 + 600) * 1_000_000;
    const contents = [
      missed(gapBefore(trade, 900_000, 10)),
      traded(trade),
      watermarked(watermarkOf([INSTRUMENT], quietUs)),
    ];
    const partition = partitionOf(INSTRUMENT, await partitionCount(kafka));
    const producer = createRecordProducer(kafka, createRegistry(connections.registryUrl));
    await producer.send(contents.map((content) => tapeRecordOf({ partition, content })));
    await producer.disconnect();
  }

  async function lastOutcome(): Promise<Outcome> {
    const reader = createLogReader(connections.kafkaBrokers);
    const partition = partitionOf(INSTRUMENT, await partitionCount(kafka));
    const to = await reader.endOffset('decision.outcomes', partition);
    try {
      for await (const [record] of reader.read({ topic: 'decision.outcomes', partition, from: to - 1, to })) {
        return decodeBody('Outcome', bodyOf(record?.value ?? Buffer.alloc(0)));
      }
    } finally {
      await reader.close();
    }
    throw new Error('there is no outcome');
  }

  const voidsOnBoard = async (): Promise<number> => {
    const { rows } = JSON.parse((await tapeproof('scoreboard', '--json')).stdout) as Scoreboard;
    return rows.reduce((sum, { voids }) => sum + voids, 0);
  };

  it('has its forecasts VOID by the watermark, audited and derived again, and missing trades are reported', async () => {
    const before = await voidsOnBoard();
    await fallQuiet();
    await until(
      'the engine has read the tape',
      async () => (await groupLag(kafka, engineGroup(), [TAPE_TOPIC])).lag === 0,
    );
    const outcome = await lastOutcome();
    expect(outcome).toMatchObject({ verdict: 'VOID', observedPrice: null });
    const { exitCode, stdout } = await tapeproof('audit', outcome.eventId, '--verify');
    expect(exitCode, stdout).toBe(0);
    expect(stdout).toContain('known by the watermark');
    expect(stdout).toMatch(new RegExp(`raw\\.trades-\\d @ ${outcome.tape.offset} `));
    expect(stdout).toMatch(/(\d+) of \1 events have the same bytes/);
    expect(stdout).toMatch(/(\d+) of \1 checks passed/);
    expect(await voidsOnBoard()).toBeGreaterThan(before);

    const latest = await tapeproof('audit', '--latest', INSTRUMENT, '--verify');
    expect(latest.exitCode, latest.stdout).toBe(0);
    expect(latest.stdout).toContain('10 trades of this instrument are missing in this range');
    expect(latest.stdout).toContain('gap  900000 to 900009  10 trades  NOT_SERVED');
  });
});

describe('engine run', () => {
  it('finishes, leaves and exits 0 within 10 s of SIGTERM', async () => {
    const exited = once(engine, 'exit');
    engine.kill('SIGTERM');
    const force = setTimeout(() => engine.kill('SIGKILL'), STOP_DEADLINE_MS);
    const [exitCode, signal] = (await exited) as [number | null, string | null];
    clearTimeout(force);
    expect({ exitCode, signal }).toEqual({ exitCode: 0, signal: null });
  });
});
