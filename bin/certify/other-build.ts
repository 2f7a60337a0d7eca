import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TapeproofError } from '../../platform/errors.ts';
import { buildSource } from '../git-commit.ts';

const GIT_DEADLINE_MS = 120_000;
const NPM_DEADLINE_MS = 900_000;
const OUTPUT_BYTES_MAX = 64 * 1_024 * 1_024;
/** Of a commit, in the name of a folder and for people. */
const COMMIT_DIGITS = 12;
const URL_TEXT = /[a-z][a-z0-9+.-]*:\/\/\S+/gi;

/** What a command of another build printed. */
export interface OtherResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The build of another commit, in a git worktree that is removed after use. */
export interface OtherBuild {
  readonly commit: string;
  /** Runs `tapeproof …` of that build. @throws TapeproofError UNREACHABLE where it cannot be started. */
  run(words: readonly string[], signal: AbortSignal): Promise<OtherResult>;
  remove(): Promise<void>;
}

export interface OtherBuildOptions {
  /** The git checkout of this build. */
  readonly project: string;
  /** The folder for worktrees. */
  readonly folder: string;
  /** All that the other build learns from the environment. */
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Takes a sentence about what is done next, before it is done. */
  readonly announce: (sentence: string) => void;
}

/**
 * The commit that an activation names, if a build can be made of it.
 *
 * @throws TapeproofError NOT_FOUND
 */
export function commitOf(gitCommit: string): string {
  const [commit] = /^[0-9a-f]{7,64}/.exec(gitCommit) ?? [];
  if (commit === undefined) {
    throw new TapeproofError(
      'NOT_FOUND',
      'Its activation names no commit: only the build that wrote it can derive it.',
    );
  }
  if (commit === gitCommit) return commit;
  throw new TapeproofError(
    'NOT_FOUND',
    `Its activation names ${shortened(commit)} with uncommitted changes: no commit has that code, so only the folder that it was activated in can derive it.`,
  );
}

/**
 * Checks a commit out into a git worktree of its own, with the packages that it was built with.
 *
 * @throws TapeproofError NOT_FOUND where this checkout does not have the commit; UNREACHABLE where git or npm fails.
 */
export async function otherBuildOf(commit: string, options: OtherBuildOptions): Promise<OtherBuild> {
  const { project, folder, announce, environment } = options;
  await assertHas(project, commit);
  await mkdir(folder, { recursive: true });
  const worktree = await mkdtemp(join(folder, `${shortened(commit)}-`));
  const remove = async (): Promise<void> => {
    // Git keeps a note of each worktree; the folder is removed even where git is not willing to.
    await git(project, 'worktree', 'remove', '--force', worktree).catch(() => undefined);
    await rm(worktree, { recursive: true, force: true });
    await git(project, 'worktree', 'prune').catch(() => undefined);
  };
  try {
    announce(`Checking commit ${shortened(commit)} out into ${worktree}, until it has run.`);
    await checkOut(project, worktree, commit);
    await install(worktree, commit, options);
  } catch (error) {
    await remove();
    throw error;
  }
  const entry = join(worktree, 'bin', 'tapeproof.js');
  return {
    commit,
    run: (words, stop) => run(process.execPath, [entry, ...words], { env: environment, signal: stop }),
    remove,
  };
}

/** @throws TapeproofError NOT_FOUND */
async function assertHas(project: string, commit: string): Promise<void> {
  const { hasUncommittedChanges } = await buildSource({}, project);
  if (hasUncommittedChanges === null) {
    throw new TapeproofError(
      'NOT_FOUND',
      `${project} is not a git checkout, so commit ${shortened(commit)} cannot be built here: run this in a clone of the repository.`,
    );
  }
  try {
    await git(project, 'cat-file', '-e', `${commit}^{commit}`);
  } catch (error) {
    const isShallow = await git(project, 'rev-parse', '--is-shallow-repository').catch(() => 'false');
    const advice =
      isShallow === 'true'
        ? 'the clone is shallow: run "git fetch --unshallow" first'
        : 'run "git fetch" first, or run this in a clone of the repository that it was committed to';
    throw new TapeproofError('NOT_FOUND', `Commit ${shortened(commit)} is not in this clone: ${advice}.`, {
      cause: error,
    });
  }
}

async function checkOut(project: string, worktree: string, commit: string): Promise<void> {
  try {
    await git(project, 'worktree', 'add', '--detach', '--quiet', worktree, commit);
  } catch (error) {
    throw new TapeproofError(
      'UNREACHABLE',
      `Commit ${shortened(commit)} cannot be checked out into ${worktree} (${lastLineOf((error as { stderr?: string }).stderr ?? '')}): see that there is room and that git may write there.`,
      { cause: error },
    );
  }
}

/** The packages of the commit's lockfile: this checkout's, where it has the same lockfile. */
async function install(
  worktree: string,
  commit: string,
  { project, environment, announce, signal }: OtherBuildOptions,
): Promise<void> {
  const [own, other] = await Promise.all([project, worktree].map(lockfileOf));
  if (own !== undefined && own === other) {
    await symlink(join(project, 'node_modules'), join(worktree, 'node_modules'), 'dir');
    return;
  }
  announce(`Installing its packages by "npm ci": its package-lock.json differs from this one's.`);
  const words = ['ci', '--omit=dev', '--no-audit', '--no-fund'];
  const { exitCode, stderr } = await run('npm', words, {
    cwd: worktree,
    env: environment,
    timeout: NPM_DEADLINE_MS,
    signal,
  });
  if (exitCode === 0) return;
  throw new TapeproofError(
    'UNREACHABLE',
    `"npm ci" fails for commit ${shortened(commit)} (${lastLineOf(stderr)}): run it in a worktree of that commit to see why, then run this again.`,
  );
}

async function lockfileOf(folder: string): Promise<string | undefined> {
  return await readFile(join(folder, 'package-lock.json'), 'utf8').catch(() => undefined);
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeout?: number;
  readonly signal: AbortSignal;
}

/** Runs a program to its end. What it prints beyond a bound is left out, at its beginning. */
function run(program: string, words: readonly string[], options: RunOptions): Promise<OtherResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        printed[name] = (printed[name] + text).slice(-OUTPUT_BYTES_MAX);
      });
    }
    child.once('error', (error) => {
      if (options.signal.aborted) resolve({ exitCode: 130, ...printed });
      else reject(cannotStart(program, error));
    });
    child.once('close', (code) => {
      resolve({ exitCode: code ?? 130, ...printed });
    });
  });
}

function cannotStart(program: string, error: Error): TapeproofError {
  return new TapeproofError('UNREACHABLE', `${program} cannot be started (${error.message}).`, { cause: error });
}

async function git(folder: string, ...words: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['-C', folder, ...words], {
    encoding: 'utf8',
    timeout: GIT_DEADLINE_MS,
  });
  return stdout.trim();
}

/** The last line that says something; without addresses, which may have a password. */
export function lastLineOf(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  const said = lines.findLast((line) => line !== '' && !/A complete log of this run|^npm error\s*$/.test(line));
  return (said ?? 'it says nothing').replace(URL_TEXT, '…');
}

export function shortened(commit: string): string {
  return commit.slice(0, COMMIT_DIGITS);
}
