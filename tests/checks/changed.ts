/**
 * The checks for the files that differ from `main` (on `main`, from the last commit): format, lint, types, and the fast tests that reach them.
 * `npm run check` covers everything.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

const files = changedFiles(baseCommit());
const sources = files.filter((path) => /\.tsx?$/.test(path));
const checks: readonly (readonly string[])[] = [
  ...(files.length === 0
    ? []
    : [
        ['prettier', '--check', '--ignore-unknown', '--no-error-on-unmatched-pattern', '--log-level', 'warn', ...files],
      ]),
  ...(sources.length === 0
    ? []
    : [
        ['node', 'tests/checks/lint.ts', ...sources],
        ['tsc', '--noEmit'],
        ['tsc', '--noEmit', '--project', 'dashboard/web'],
        ['vitest', 'related', '--run', '--project', 'fast', '--passWithNoTests', ...sources],
      ]),
];
const codes = await Promise.all(checks.map(run));
process.exitCode = codes.every((code) => code === 0) ? 0 : 1;

/**
 * The base of the work: the last commit shared with `main`, or the last commit where this is `main` or `main` is
 * missing.
 */
function baseCommit(): string {
  const shared = git('merge-base', 'HEAD', 'main').trim();
  return shared === '' ? 'HEAD' : shared;
}

/** Changed and new files that exist. */
function changedFiles(base: string): string[] {
  const changed = git('diff', '--name-only', '-z', '--diff-filter=d', base);
  const added = git('ls-files', '-z', '--others', '--exclude-standard');
  return (changed + added).split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

function git(...words: string[]): string {
  return spawnSync('git', words, { cwd: ROOT, encoding: 'utf8' }).stdout;
}

/** Runs a program of the checks; its output is shown. @returns its exit code, 1 where it was killed */
function run([program = '', ...words]: readonly string[]): Promise<number> {
  const child = spawn(program, words, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve(code ?? 1);
    });
  });
}
