import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../tests/support/command.ts';

const HEADER = 'trade_id,event_time_us,instrument,price,size,side';
const START_US = 1_735_689_600_000_000;
const SECOND_US = 1_000_000;
const CASES = join(import.meta.dirname, '../../../shared/cases');

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-derive-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const rowAt = (second: number): string =>
  `${second},${START_US + second * SECOND_US},BTC-USDT@binance,${93_000 + (second % 40)}.5,0.01,BUY`;

async function written(name: string, rows: readonly string[]): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `${[HEADER, ...rows].join('\n')}\n`);
  return path;
}

/** Runs a command that a refusal named, word for word. */
const follow = (text: string, option: string) => {
  const command = text.split('\n').find((line) => line.endsWith(option));
  const [, words = ''] = /npx tapeproof (.*)$/.exec(command ?? '') ?? [];
  return runCommand(words.split(' '));
};

const seconds = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);
const decisionsIn = (lines: string): number => lines.split('"ProbabilityDecision"').length - 1;

describe('derive', () => {
  it('refuses an order that silences decisions, and gives all of them when its remedy is followed', async () => {
    const ordered = [...seconds(60), ...seconds(60, 27 * 86_400)];
    const mixed = ordered.map((_, index) => ordered[(index % 2) * 60 + Math.floor(index / 2)] ?? 0);
    const sorted = await runCommand(['derive', '--trades', await written('sorted.csv', ordered.map(rowAt))]);
    expect(sorted.exitCode, sorted.stderr).toBe(0);
    expect(sorted.stderr).toBe('');
    const path = await written('mixed.csv', mixed.map(rowAt));
    const refused = await runCommand(['derive', '--trades', path]);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain('BTC-USDT@binance: 59 of 120 rows are stamped far ahead');
    expect(await follow(refused.stderr, '--sort')).toMatchObject({ exitCode: 0, stdout: sorted.stdout });
    const asItIs = await follow(refused.stderr, '--accept-late');
    expect(asItIs.exitCode).toBe(0);
    expect(decisionsIn(asItIs.stdout)).toBeLessThan(decisionsIn(sorted.stdout));
    expect(asItIs.stderr).toContain('59 of 120 rows are stamped far ahead');
  });

  it('reports what it leaves out and why, and ends if that is too much', async () => {
    const rows = seconds(60).map(rowAt);
    const path = await written('refused.csv', [...rows, 'x,1,BTC-USDT@binance,NaN,1,BUY']);
    const refused = await runCommand(['derive', '--trades', path]);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain('1 of 61 rows');
    expect(refused.stderr).toMatch(/NOT_A_NUMBER 1:\n +line 62: .*NaN/);
    const loose = await follow(refused.stderr, '--refused-max 2');
    expect(loose.exitCode).toBe(0);
    expect(decisionsIn(loose.stdout)).toBe(60);
    expect(loose.stderr).toMatch(/Left out as not a trade: 1 row\.\n +NOT_A_NUMBER 1:\n +line 62/);
    const out = join(folder, 'none.jsonl');
    const none = await runCommand(['derive', '--trades', await written('none.csv', ['a,b', 'c,d']), '--out', out]);
    expect(none.exitCode).toBe(1);
    expect(none.stderr).toContain('None of the 2 rows');
    expect(existsSync(out)).toBe(false);
  });

  it('reports the rows that a file repeats, and counts each once', async () => {
    const rows = seconds(60).map(rowAt);
    const path = await written('repeated.csv', [...rows, ...rows.slice(30)]);
    const { exitCode, stdout, stderr } = await runCommand(['derive', '--trades', path]);
    expect(exitCode).toBe(0);
    expect(decisionsIn(stdout)).toBe(60);
    expect(stderr).toContain('BTC-USDT@binance: 30 of 90 rows repeat an earlier one: lines 62, 63, 64, 65, 66 …');
  });

  it.skipIf(!existsSync(CASES))('gives case 01 its 400 decisions', async () => {
    const [mixed, sorted] = [join(CASES, '01-interleaved.csv'), join(CASES, '01-sorted.csv')];
    const outs = [join(folder, '01-mixed.jsonl'), join(folder, '01-sorted.jsonl')] as const;
    await runCommand(['derive', '--trades', mixed, '--sort', '--out', outs[0]]);
    await runCommand(['derive', '--trades', sorted, '--out', outs[1]]);
    const [first, second] = [await readFile(outs[0], 'utf8'), await readFile(outs[1], 'utf8')];
    expect(decisionsIn(first)).toBe(400);
    expect(first).toBe(second);
  });
});
