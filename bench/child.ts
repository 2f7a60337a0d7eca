import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import options from '../bin/node-options.json' with { type: 'json' };
import type { Connections } from '../platform/connections.ts';

/** On a busy machine a process that has much in hand takes long to end. */
const STOP_DEADLINE_MS = 120_000;

/** A process's own report at its end. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly peakResidentBytes: number;
}

/** A part of Tapeproof in a separate process, so that its CPU time and memory are measured separately. */
export interface Child {
  readonly pid: number;
  /** The part's result and its usage; rejects when it failed. */
  readonly ended: Promise<{ readonly result: unknown; readonly usage: Usage }>;
  /** Asks it to end, as an operator would. */
  stop(): Promise<Usage>;
}

export interface ChildTask {
  readonly role: string;
  readonly connections: Connections;
  readonly argument: string | number;
}

/** Holds the task of a process that {@link startChild} started. */
export const TASK_VARIABLE = 'TAPEPROOF_BENCH_TASK';

/** As bin/tapeproof.js keeps it: otherwise each start would compile all sources anew. */
const COMPILED = join(import.meta.dirname, '..', '.tapeproof', 'compiled');

/** Those in which the engine runs, with the options of Node that its command has. */
const ENGINES: readonly string[] = ['engine', 'engine-over-tape', 'growth'];

const INSIDE = join(import.meta.dirname, 'inside.ts');

/** Starts `bench/inside.ts`, in which the task runs. */
export function startChild(task: ChildTask): Child {
  const child = spawn(process.execPath, ['--disable-warning=TimeoutNegativeWarning', INSIDE], {
    // Not an argument: everybody on the machine may read arguments, and connections hold passwords.
    env: {
      ...{ NODE_COMPILE_CACHE: COMPILED, ...process.env },
      ...(ENGINES.includes(task.role)
        ? { NODE_OPTIONS: `${options.engine} ${process.env['NODE_OPTIONS'] ?? ''}`.trim() }
        : {}),
      [TASK_VARIABLE]: JSON.stringify(task),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`the ${task.role} process cannot be started`);
  endWithUs(child);
  const ended = outcomeOf(child, task.role);
  ended.catch(() => undefined);
  return {
    pid,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      try {
        return (await ended).usage;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** Kills a child when this process exits before it: nobody else would. */
export function endWithUs(child: ChildProcess): void {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('close', () => process.off('exit', kill));
}

async function outcomeOf(child: ChildProcess, role: string): Promise<{ result: unknown; usage: Usage }> {
  let output = '';
  child.stdout?.on('data', (text: Buffer) => (output += text.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code !== 0) throw new Error(`the ${role} process ended with ${signal ?? `exit code ${code}`}`);
  return JSON.parse(output) as { result: unknown; usage: Usage };
}

/** This process's usage so far. */
export function usageNow(): Usage {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return { cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakResidentBytes: maxRSS * 1024 };
}
