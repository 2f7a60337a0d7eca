/**
 * ESLint over the repository, or over the files named as arguments. A clean file is skipped while it, all its imports,
 * the rules and the packages are unchanged: see lint-keys.ts. ESLint's own cache considers only the file, and would
 * miss the effect of another file's types.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ESLint } from 'eslint';
import { z } from 'zod';
import { lintKeys } from './lint-keys.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const CLEAN_KEYS_FILE = join(ROOT, '.tapeproof', 'cache', 'lint.json');
/** The inputs of a result besides sources: rules, compiler options, and the installed packages. */
const COMMON_FILES = [
  'eslint.config.js',
  'tsconfig.json',
  'dashboard/web/tsconfig.json',
  'node_modules/.package-lock.json',
  'deploy/aws/tsconfig.json',
  'deploy/aws/node_modules/.package-lock.json',
];

const eslint = new ESLint({ cwd: ROOT });
const sources = await notIgnored(trackedSources());
const keys = lintKeys(sources, textOf, [process.version, ...COMMON_FILES.map((path) => textOf(path) ?? '')].join('\n'));
const clean = readCleanKeys();
const named = new Set(process.argv.slice(2));
const stale = sources.filter((path) => (named.size === 0 || named.has(path)) && !clean.has(keys.get(path) ?? ''));
const results = stale.length === 0 ? [] : await eslint.lintFiles(stale);
const faulty = results.filter(({ errorCount, warningCount }) => errorCount + warningCount > 0);
const faultyPaths = new Set(faulty.map(({ filePath }) => filePath));
keep(stale.filter((path) => !faultyPaths.has(join(ROOT, path))));
if (faulty.length > 0) {
  const formatter = await eslint.loadFormatter('stylish');
  process.stdout.write(await formatter.format(faulty));
  process.exitCode = 1;
}

/** All existing TypeScript files that git tracks or would add. */
function trackedSources(): string[] {
  const output = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx'],
    {
      cwd: ROOT,
      encoding: 'utf8',
    },
  );
  return [...new Set(output.split('\0'))].filter((path) => path !== '' && textOf(path) !== undefined).sort();
}

async function notIgnored(paths: readonly string[]): Promise<string[]> {
  const ignored = await Promise.all(paths.map((path) => eslint.isPathIgnored(path)));
  return paths.filter((_, index) => ignored[index] !== true);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(join(ROOT, path), 'utf8');
  } catch {
    return undefined;
  }
}

/** A cache file that is missing or foreign counts as empty. */
function readCleanKeys(): ReadonlySet<string> {
  try {
    return new Set(z.array(z.string()).parse(JSON.parse(readFileSync(CLEAN_KEYS_FILE, 'utf8'))));
  } catch {
    return new Set();
  }
}

/** Keeps the keys of the present clean files: those found now, and those known before. */
function keep(found: readonly string[]): void {
  const now = new Set(found);
  const known = sources.filter((path) => now.has(path) || clean.has(keys.get(path) ?? ''));
  mkdirSync(dirname(CLEAN_KEYS_FILE), { recursive: true });
  const partial = `${CLEAN_KEYS_FILE}.${process.pid}`;
  writeFileSync(partial, JSON.stringify(known.map((path) => keys.get(path))));
  renameSync(partial, CLEAN_KEYS_FILE);
}
