import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { diskFull, StackError } from './errors.ts';
import { onPath } from './run.ts';

const MAVEN_DEADLINE_MS = 20 * 60_000;
const OUTPUT_KEPT_CHARACTERS_MAX = 20_000;
const SENTENCE_CHARACTERS_MAX = 300;
const BYTES_PER_UNIT: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };

/**
 * Runs one execution of stack/pom.xml, which puts a part into `<stage>/part`.
 * @param goal for example `dependency:unpack@registry`.
 * @param onBytes called with the bytes downloaded so far, as Maven prints them.
 */
export async function runMaven(goal: string, stage: string, onBytes: (bytes: number) => void): Promise<void> {
  // -U: Maven remembers a failed download and would not retry it. -C: a wrong checksum is an error.
  const args = [
    '-U',
    '-C',
    '-Dstyle.color=never',
    '-f',
    join(import.meta.dirname, 'pom.xml'),
    `-Dstage=${stage}`,
    goal,
  ];
  const logFile = `${stage}.log`;
  const child = spawn(mavenProgram(), args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: MAVEN_DEADLINE_MS });
  const output = followOutput(child, logFile, onBytes);
  const exitCode = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve(code ?? signal ?? 1);
    });
  });
  if (exitCode !== 0) throw mavenFailed(exitCode, output(), logFile);
}

function followOutput(child: ChildProcess, logFile: string, onBytes: (bytes: number) => void): () => string {
  const log = createWriteStream(logFile);
  // A full disk shows in Maven's own output; its log must not end this process.
  log.on('error', () => undefined);
  let output = '';
  let downloaded = 0;
  const follow = (chunk: Buffer): void => {
    const text = chunk.toString('utf8');
    log.write(chunk);
    output = (output + text).slice(-OUTPUT_KEPT_CHARACTERS_MAX);
    for (const found of text.matchAll(/Downloaded from [^(]*\(([\d.]+) (\w+)/g))
      downloaded += bytesOf(found[1], found[2]);
    onBytes(downloaded + bytesUnderWay(text));
  };
  child.stdout?.on('data', follow);
  child.stderr?.on('data', follow);
  child.once('close', () => log.end());
  return () => output;
}

/** `Progress (2): 1.2/6.7 MB | 512 B`: the progress of the downloads under way, by the last such line of the text. */
export function bytesUnderWay(text: string): number {
  const line = text.split(/[\r\n]/).findLast((candidate) => candidate.startsWith('Progress ('));
  if (line === undefined || text.lastIndexOf('Downloaded from') > text.lastIndexOf(line)) return 0;
  const items = line.slice(line.indexOf(':') + 1).matchAll(/([\d.]+)(?: (\w+))?(?:\/[\d.]+ (\w+))?/g);
  return [...items].reduce((sum, item) => sum + bytesOf(item[1], item[2] ?? item[3]), 0);
}

function bytesOf(number: string | undefined, unit: string | undefined): number {
  return Number(number ?? 0) * (BYTES_PER_UNIT[unit ?? 'B'] ?? 1);
}

/** @throws StackError where Maven is missing. */
export function mavenProgram(): string {
  const program = onPath('mvn');
  if (program !== undefined) return program;
  throw new StackError(
    'Maven fetches the parts of the local stack, but `mvn` is not on the PATH: install it (Debian, Ubuntu: "apt install maven"; macOS: "brew install maven").',
  );
}

function mavenFailed(exitCode: number | NodeJS.Signals, output: string, logFile: string): StackError {
  if (/No space left on device/.test(output)) return diskFull(dirname(logFile));
  if (exitCode === 'SIGTERM') {
    return new StackError(
      `Maven did not finish within ${MAVEN_DEADLINE_MS / 60_000} minutes (log: ${logFile}): run the command again.`,
    );
  }
  const line = /^\[ERROR\] (.*)$/m.exec(output)?.[1] ?? output.trim().split('\n').at(-1) ?? '';
  const reason = line.replace(/ -> \[Help \d+\].*$/, '').slice(0, SENTENCE_CHARACTERS_MAX);
  return new StackError(
    `Maven could not fetch a part of the local stack (log: ${logFile}): ${reason.replace(/\.?$/, '.')} Check the network, or the mirror and proxy in Maven's settings.xml, and run the command again.`,
  );
}
