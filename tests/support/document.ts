import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const REPOSITORY = join(import.meta.dirname, '..', '..');
/** A block of code whose first line names its file. */
const BLOCK = /^```ts\n(\/\/ (\S+\.ts)\n[\s\S]*?)^```$/gm;

/** A copy of the project in which the instructions of a page of docs/ were followed: each of its files was written. */
export interface FollowedDocument {
  readonly folder: string;
  /** The files that the page tells the reader to write. */
  readonly files: readonly string[];
  /** Runs a program of node_modules/.bin there; output and exit code. */
  run(program: string, ...words: string[]): Promise<{ readonly exitCode: number; readonly output: string }>;
  /** Runs `tapeproof …` there; output and exit code. */
  tapeproof(...words: string[]): Promise<{ readonly exitCode: number; readonly output: string }>;
  remove(): Promise<void>;
}

/** Follows the instructions of a page of docs/, in a copy of the project. */
export async function followDocument(page: string): Promise<FollowedDocument> {
  const folder = await mkdtemp(join(tmpdir(), 'tapeproof-document-'));
  for (const name of await projectFiles()) await cp(join(REPOSITORY, name), join(folder, name));
  await linkPackages(folder);
  await copyTypeCheck(folder);
  const files: string[] = [];
  for (const [, code = '', file = ''] of (await readFile(join(REPOSITORY, page), 'utf8')).matchAll(BLOCK)) {
    await mkdir(join(folder, dirname(file)), { recursive: true });
    await writeFile(join(folder, file), code.slice(code.indexOf('\n') + 1));
    files.push(file);
  }
  return {
    folder,
    files,
    run: (program, ...words) => runNode(folder, join(REPOSITORY, 'node_modules', '.bin', program), words),
    tapeproof: (...words) => runNode(folder, join(folder, 'bin', 'cli.ts'), words),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Hard links, where there can be: the type checker knows a file by its real path. */
async function linkPackages(folder: string): Promise<void> {
  const [packages, target] = [join(REPOSITORY, 'node_modules'), join(folder, 'node_modules')];
  try {
    await promisify(execFile)('cp', ['-al', packages, target]);
  } catch {
    await rm(target, { recursive: true, force: true });
    await symlink(packages, target);
  }
}

/** What the type checker found here, where it ran: then it checks only what the page changes. */
async function copyTypeCheck(folder: string): Promise<void> {
  const found = join('.tapeproof', 'cache', 'tsc.tsbuildinfo');
  if (existsSync(join(REPOSITORY, found))) await cp(join(REPOSITORY, found), join(folder, found));
}

/** The project's own files, also those that are not committed yet; a deleted one is left out. */
async function projectFiles(): Promise<readonly string[]> {
  const words = ['-C', REPOSITORY, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await promisify(execFile)('git', words, { maxBuffer: 16_777_216 });
  return stdout.split('\0').filter((name) => name !== '' && existsSync(join(REPOSITORY, name)));
}

function runNode(
  folder: string,
  file: string,
  words: readonly string[],
): Promise<{ readonly exitCode: number; readonly output: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [file, ...words],
      { cwd: folder, encoding: 'utf8', maxBuffer: 16_777_216 },
      (error, stdout, stderr) => {
        resolve({
          exitCode: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1,
          output: stdout + stderr,
        });
      },
    );
  });
}
