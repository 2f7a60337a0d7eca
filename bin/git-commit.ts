import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TapeproofError } from '../platform/errors.ts';

/** Names the commit where there is no git checkout, as in a container. */
const COMMIT_VARIABLE = 'TAPEPROOF_GIT_COMMIT';
/** What runs: the configuration is on the tape, and tests and pages decide nothing. */
const CODE = [
  ...['bin', 'contracts', 'evaluators', 'migrations', 'platform', 'producers', 'projectors', 'proofs', 'stack'],
  ...['pipeline.ts', 'package.json', 'package-lock.json'],
];

/** The commit of the running code, and whether the code differs from it. */
export interface BuildSource {
  /** With `+changes` where the code differs; as the environment names it outside a git checkout, else 'unknown'. */
  readonly commit: string;
  /** Null when unknown: outside a git checkout. */
  readonly hasUncommittedChanges: boolean | null;
}

/** @throws TapeproofError CONFIGURATION where the environment names something else than a commit. */
export async function buildSource(
  environment: NodeJS.ProcessEnv = process.env,
  folder = join(import.meta.dirname, '..'),
): Promise<BuildSource> {
  return (await checkedOut(folder)) ?? { commit: namedIn(environment) ?? 'unknown', hasUncommittedChanges: null };
}

/** The commit of {@link buildSource}. */
export async function gitCommit(): Promise<string> {
  return (await buildSource()).commit;
}

async function checkedOut(folder: string): Promise<BuildSource | undefined> {
  const git = async (...words: string[]) =>
    (await promisify(execFile)('git', ['-C', folder, ...words], { encoding: 'utf8' })).stdout.trim();
  try {
    // Installed within another project, the checkout around it is that project's.
    if ((await git('rev-parse', '--show-toplevel')) !== (await realpath(folder))) return undefined;
    const commit = await git('rev-parse', 'HEAD');
    const changes = await git('status', '--porcelain', '--untracked-files=no', '--', ...CODE);
    const hasUncommittedChanges = changes !== '';
    return { commit: hasUncommittedChanges ? `${commit}+changes` : commit, hasUncommittedChanges };
  } catch {
    return undefined;
  }
}

function namedIn(environment: NodeJS.ProcessEnv): string | undefined {
  const commit = environment[COMMIT_VARIABLE]?.trim() ?? '';
  if (commit === '') return undefined;
  if (/^[0-9a-f]{7,64}$/.test(commit)) return commit;
  throw new TapeproofError(
    'CONFIGURATION',
    `${COMMIT_VARIABLE} is not a commit: give 7 to 64 of its hexadecimal digits, in lower case.`,
  );
}
