import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BacktestReport } from '../proofs/backtest.ts';
import { runCommand, startCommand, type CommandResult } from './support/command.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const PAGE = join(REPOSITORY, 'docs', 'backtest.md');
const SAMPLE = join(REPOSITORY, 'data', 'binance-sample', 'binance-spot-2025-03-25.jsonl.gz');
/** A block of the page whose first line names its file. */
const BLOCK = /^```(?:ts|yaml)\n((?:\/\/|#) (\S+)\n[\s\S]*?)^```$/gm;
const COMMAND = /^ {4}npx tapeproof (backtest .+)$/gm;

/** A folder outside the repository, in which a user works. */
let folder: string;
const inFolder = (name: string) => join(folder, name);
/** No service answers there: none may be contacted. */
const NO_SERVICES = {
  TAPEPROOF_KAFKA_BROKERS: '127.0.0.1:1',
  TAPEPROOF_REGISTRY_URL: 'http://127.0.0.1:1',
  TAPEPROOF_POSTGRES_URL: 'postgres://127.0.0.1:1/x',
  TAPEPROOF_REDIS_URL: 'redis://127.0.0.1:1',
};

async function backtest(...words: readonly string[]): Promise<CommandResult> {
  return await runCommand(['backtest', '--trades', 'trades.csv.gz', ...words], NO_SERVICES, folder);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-backtest-'));
  await cp(SAMPLE, inFolder('trades.csv.gz'));
  await mkdir(inFolder('config'));
  await cp(join(REPOSITORY, 'config', 'engine.yaml'), inFolder('config/engine.yaml'));
  await writeFile(inFolder('slower.yaml'), 'cadenceMs: 5000\nhitRule: { horizonMs: 30000 }\n');
  for (const [, code = '', file = ''] of (await readFile(PAGE, 'utf8')).matchAll(BLOCK)) {
    await writeFile(inFolder(file), code);
  }
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('docs/backtest.md, followed word for word', () => {
  it('has commands that work in a folder outside the repository', async () => {
    const commands = [...(await readFile(PAGE, 'utf8')).matchAll(COMMAND)].map(([, words = '']) => words);
    expect(commands).toHaveLength(4);
    const results = await Promise.all(commands.map((words) => runCommand(words.split(' '), NO_SERVICES, folder)));
    for (const { exitCode, stdout, stderr } of results) {
      expect(exitCode, stderr).toBe(0);
      expect(stdout).toContain('hypothetical');
      expect(stdout).toContain('11,032');
    }
    expect(results[1]?.stdout).toContain('B − A');
  });

  it('has a strategy that forecasts, set by its configuration', async () => {
    const { exitCode, stdout, stderr } = await backtest(
      ...['--strategy', './mine.ts', '--config', 'mine.yaml', '--json'],
    );
    expect(exitCode, stderr).toBe(0);
    const report = JSON.parse(stdout) as BacktestReport;
    expect(report).toMatchObject({
      schema: 'tapeproof.backtest/2',
      hypothetical: true,
      complete: true,
      trades: 11_032,
      files: [{ path: 'trades.csv.gz', format: 'barter-jsonl', trades: 11_032 }],
      strategies: [{ name: 'CONTROL_RETURN', path: './mine.ts' }],
      configurations: [{ label: 'A', path: 'mine.yaml', counts: { trades: 11_032 } }],
      differences: [],
    });
    const strategies = report.configurations[0]?.scoreboard.rows.map(({ strategy }) => strategy);
    expect(strategies).toContain('CONTROL_RETURN');
    expect(strategies).not.toContain('VWAP_REVERSION');
  });
});

describe('backtest', () => {
  it('writes with --events what derive writes, over files in the given order', async () => {
    await writeFile(inFolder('first.csv'), canonicalRows(0, 400));
    await writeFile(inFolder('second.csv'), `${canonicalRows(400, 400)}not a row\n`);
    await writeFile(inFolder('whole.csv'), canonicalRows(0, 800));
    const words = ['backtest', '--trades', 'first.csv', '--trades', 'second.csv', '--events', 'events.jsonl'];
    const [run] = await Promise.all([
      runCommand(words, NO_SERVICES, folder),
      runCommand(['derive', '--trades', 'whole.csv', '--out', 'derived.jsonl'], NO_SERVICES, folder),
    ]);
    expect(run.exitCode, run.stderr).toBe(0);
    expect(run.stdout).toContain('Rows that are not valid trades: 1 × MALFORMED');
    expect(run.stdout).toContain('second.csv line 402: ');
    expect(await readFile(inFolder('events.jsonl'), 'utf8')).toBe(await readFile(inFolder('derived.jsonl'), 'utf8'));
  });

  it('reports the partial results at Ctrl-C, leaves no partial file of events, and exits 130', async () => {
    await writeFile(inFolder('long.csv'), canonicalRows(0, 200_000));
    const child = startCommand(['backtest', '--trades', 'long.csv', '--events', 'half.jsonl'], NO_SERVICES, folder);
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => {
      const isAsked = stderr.includes('long.csv: 25 %');
      stderr += chunk.toString();
      // The run's bar, for the survey has one too; and once, for a second Ctrl-C ends at once.
      if (!isAsked && stderr.includes('long.csv: 25 %')) child.kill('SIGINT');
    });
    const [exitCode] = (await once(child, 'close')) as [number];
    expect(exitCode, stderr).toBe(130);
    expect(stdout).toMatch(/Stopped after [\d,]+ trades, before the end/);
    expect(stdout).toContain('A@bench');
    expect(stderr).toContain('half.jsonl is not written');
    expect(existsSync(inFolder('half.jsonl'))).toBe(false);
  });

  it.each([
    [['--config', 'slower.yaml', '--config', 'mine.yaml', '--config', 'slower.yaml'], 'compare two at a time'],
    [['--config', 'slower.yaml', '--config', 'slower.yaml', '--events', 'x'], 'give one --config with --events'],
    [['--events', '-'], 'name a file with --events'],
    [['--trades', 'nowhere.csv'], 'The file nowhere.csv cannot be read: the file does not exist'],
    [['--config', 'mine.yaml'], 'unknown key "CONTROL_RETURN" in strategies'],
  ])('exits 2 for %j, with one sentence', async (words, sentence) => {
    expectOneSentence(await backtest(...words), sentence);
  });

  it.each([
    ['is missing', undefined, '%s cannot be read: the file does not exist'],
    ['is not valid TypeScript', 'export default ({ z }) => {\n  return z.;\n};\n', '%s line 2 is not valid TypeScript'],
    [
      'declares twice',
      'export const a = 1;\nconst b = 1;\nconst b = 2;\n',
      "%s line 3 is not valid TypeScript: Identifier 'b'",
    ],
    ['has an enum', 'enum Way { Up }\nexport default Way;\n', '%s line 1 is not valid TypeScript: TypeScript enum'],
    ['exports nothing', 'const a = 1;\n', '%s does not export a strategy'],
    ['exports several', 'export const a = 1;\nexport const b = 2;\n', '%s exports a, b but none of them as default'],
    [
      'imports nothing that is there',
      "import { z } from 'no-such-zod';\nexport default z;\n",
      '%s imports something that does not exist',
    ],
    ['throws at once', "const a = 1;\nthrow new Error('no ' + a);\n", '%s line 2 throws while it is loaded: no 1'],
    [
      'throws when made',
      "export default () => {\n  throw new Error('not yet');\n};\n",
      '%s line 2 throws while it is made',
    ],
    [
      'has the name of another',
      declared("name: 'VWAP_REVERSION'"),
      '%s is named VWAP_REVERSION, like one that already exists',
    ],
    ['throws at a trade', declared("name: 'MINE'", 'snapshot.nothing.here'), '(%s) throws in its line 4: Cannot read'],
    ['returns NaN', declared("name: 'MINE'", '0 / 0'), '(%s) returns the probability NaN'],
  ])('exits 2 for a strategy that %s, with one sentence', async (what, code, sentence) => {
    const path = `./${what.replaceAll(' ', '-')}.ts`;
    if (code !== undefined) await writeFile(inFolder(path), code);
    expectOneSentence(await backtest('--strategy', path), sentence.replace('%s', path));
  });
});

function expectOneSentence({ exitCode, stdout, stderr }: CommandResult, sentence: string): void {
  expect(exitCode, stderr).toBe(2);
  expect(stderr).toContain(sentence);
  expect(stderr).toMatch(/^tapeproof: .*\.\n$/);
  expect(stdout).toBe('');
}

/** A strategy whose probability is in line 4. */
function declared(name: string, probability = '0.6'): string {
  return [
    'export default ({ defineStrategy, z }: any) =>',
    `  defineStrategy({ ${name}, parameters: z.strictObject({}),`,
    '    evaluate: (snapshot: any) => ({',
    `      probability: ${probability},`,
    "      direction: 'LONG', quality: 1, indicators: {}, reasoning: () => 'because' }) });",
  ].join('\n');
}

/** Rows of canonical CSV, a second apart. */
function canonicalRows(from: number, count: number): string {
  const rows = Array.from({ length: count }, (_, index) => {
    const number = from + index;
    const price = `${100 + ((number * 7) % 13)}.5`;
    return `${number},${1_700_000_000_000_000 + number * 1_000_000},A@bench,${price},1.5,BUY`;
  });
  return ['trade_id,event_time_us,instrument,price,size,side', ...rows, ''].join('\n');
}
