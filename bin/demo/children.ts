import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { TapeproofError } from '../../platform/errors.ts';

const STOP_DEADLINE_MS = 15_000;
const LOG_LINES_SHOWN = 3;

/**
 * Tapeproof's own long-running commands as child processes, each with a log file. They end with this process even if
 * it is killed: their IPC channel closes.
 */
export class Children {
  readonly folder: string;
  private readonly environment: NodeJS.ProcessEnv;
  private readonly running = new Map<string, ChildProcess>();
  private stopping = false;
  private fail: (error: Error) => void = () => undefined;
  /** Rejects when a child ends unasked. */
  readonly failure: Promise<never>;

  /** @param environment - the children's environment; each child gets its own port. */
  constructor(folder: string, environment: NodeJS.ProcessEnv = process.env) {
    this.folder = folder;
    this.environment = { ...environment, TAPEPROOF_HTTP_PORT: '0' };
    this.failure = new Promise((_resolve, reject) => {
      this.fail = reject;
    });
    // Observed through race(); without a listener an early failure would count as unhandled.
    this.failure.catch(() => undefined);
  }

  /** Starts `tapeproof ${words}`. @returns the first line that it prints. */
  async start(words: readonly string[]): Promise<{ readonly firstLine: Promise<string> }> {
    const name = words.join('-');
    await mkdir(this.folder, { recursive: true });
    const logFile = join(this.folder, `${name}.log`);
    const child = fork(join(import.meta.dirname, '..', 'cli.ts'), words, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: this.environment,
    });
    const file = createWriteStream(logFile);
    child.stdout?.pipe(file, { end: false });
    child.stderr?.pipe(file, { end: false });
    if (child.stderr !== null) this.failWhereItWaits(child.stderr);
    this.running.set(name, child);
    const { promise: firstLine, resolve } = Promise.withResolvers<string>();
    if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code, signal) => {
      this.running.delete(name);
      file.end();
      if (this.stopping) return;
      void tail(logFile).then((lines) => {
        this.fail(
          new TapeproofError(
            'UNREACHABLE',
            `"tapeproof ${words.join(' ')}" ended (${signal ?? code ?? '?'}); ${logFile} ends with:\n${lines}`,
          ),
        );
      });
    });
    return { firstLine };
  }

  /** On this tape another engine version is in force, and nobody runs it: waiting would be in vain. */
  private failWhereItWaits(log: Readable): void {
    createInterface({ input: log }).on('line', (line) => {
      if (!line.includes('"event.action":"hand-over-awaited"')) return;
      const { message } = JSON.parse(line) as { readonly message: string };
      this.fail(
        new TapeproofError(
          'USAGE',
          `${message}. Or start over: "npx tapeproof stack reset" deletes the tape and everything derived from it.`,
        ),
      );
    });
  }

  /** A promise's result, or the failure of a child that the promise would wait for in vain. */
  async whileRunning<Result>(work: Promise<Result>): Promise<Result> {
    return Promise.race([work, this.failure]);
  }

  /**
   * Asks them to finish and commit; kills those that do not in time.
   *
   * @param kept - the words of one that goes on.
   */
  async stop(kept: readonly string[] = []): Promise<void> {
    this.stopping = true;
    await Promise.all(
      [...this.running].map(async ([name, child]) => {
        if (name === kept.join('-')) return;
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        const force = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
        await ended;
        clearTimeout(force);
      }),
    );
  }
}

async function tail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
}
