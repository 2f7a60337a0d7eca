import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Admin } from '@platformatic/kafka';
import type { Connections } from '../../platform/connections.ts';
import { COMPILED, environmentOf } from './command.ts';
import { until } from './until.ts';

const CLI = join(import.meta.dirname, '..', '..', 'bin', 'cli.ts');
const LOG_LINES_SHOWN = 8;

/** A `tapeproof` command in a separate process. */
export interface TapeproofProcess {
  /** True until it has ended. */
  isAlive(): boolean;
  /** Stops it where it is, and lets it continue. */
  freeze(): void;
  thaw(): void;
  /** kill -9, and awaits the end. */
  kill(): Promise<void>;
  /** SIGTERM, and awaits the end. @throws Error unless it ends well. */
  stop(): Promise<void>;
}

/** Starts commands against the services of a test, and ends the remaining ones. */
export class Processes {
  readonly #connections: Connections;
  readonly #logFolder: string;
  readonly #running = new Set<ChildProcess>();
  #started = 0;

  constructor(connections: Connections, logFolder: string) {
    this.#connections = connections;
    this.#logFolder = logFolder;
    // Kept after the test, for debugging.
    rmSync(logFolder, { recursive: true, force: true });
    mkdirSync(logFolder, { recursive: true });
  }

  /** @param words for example `engine`, `run`. */
  start(...words: string[]): TapeproofProcess {
    this.#started += 1;
    // Words may be addresses, which are not valid file names.
    const name = words.join('-').replaceAll(/[^\w.-]+/g, '-');
    const logFile = join(this.#logFolder, `${String(this.#started).padStart(3, '0')}-${name}.log`);
    const log = openSync(logFile, 'w');
    const child = spawn(process.execPath, ['--disable-warning=TimeoutNegativeWarning', CLI, ...words], {
      stdio: ['ignore', log, log],
      env: {
        PATH: process.env['PATH'],
        ...COMPILED,
        ...environmentOf(this.#connections),
      },
    });
    closeSync(log);
    this.#running.add(child);
    const ended = once(child, 'exit').then(() => {
      this.#running.delete(child);
    });
    const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
    return {
      isAlive,
      freeze: () => child.kill('SIGSTOP'),
      thaw: () => child.kill('SIGCONT'),
      async kill() {
        child.kill('SIGKILL');
        await ended;
      },
      async stop() {
        // Before its first line it may not yet listen for signals.
        await until(`"${words.join(' ')}" has begun`, () => !isAlive() || statSync(logFile).size > 0);
        if (isAlive()) child.kill('SIGTERM');
        await ended;
        if (child.exitCode === 0) return;
        const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
        throw new Error(`"${words.join(' ')}" ended with ${child.exitCode ?? child.signalCode ?? '?'}:\n${lines}`);
      },
    };
  }

  async killAll(): Promise<void> {
    const ends = [...this.#running].map((child) => once(child, 'exit'));
    for (const child of this.#running) child.kill('SIGKILL');
    await Promise.all(ends);
  }

  /** Does at once what the broker does when a dead member's session ends. Live members rejoin. */
  async buryMembers(groupId: string): Promise<void> {
    const admin = new Admin({ clientId: 'test-bury', bootstrapBrokers: [...this.#connections.kafkaBrokers] });
    try {
      await admin.removeMembersFromConsumerGroup({ groupId });
    } finally {
      await admin.close();
    }
  }
}
