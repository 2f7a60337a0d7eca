import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { identifyProcess, isAlive } from '../../stack/process.ts';

const FOLDER = 'processes';
const ANSWER_DEADLINE_MS = 2_000;
const ANSWER_BYTES_MAX = 1_048_576;
const PROCESSES_MAX = 256;

/** The HTTP address of a long-running process of this machine. */
export interface ProcessPlace {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Absent for a process that was named only by its address. */
  readonly pid?: number;
}

/** Its answer at /ready. */
export interface ProcessState extends ProcessPlace {
  readonly ready: boolean;
  /** Why it is not ready; otherwise its own description. */
  readonly detail: string;
  /** How often it joined its consumer group again since it began; null where it has none. */
  readonly rebalances: number | null;
}

interface Announcement extends ProcessPlace {
  readonly pid: number;
  readonly started: string;
}

/**
 * Writes this process's HTTP address to a folder, for `status`. Where that cannot be written the process still runs,
 * and is found by `--processes`.
 *
 * @returns the function that removes it.
 */
export function announceProcess(stackFolder: string, { name, host, port }: ProcessPlace): () => void {
  const file = join(stackFolder, FOLDER, `${process.pid}.json`);
  const identity = identifyProcess(process.pid);
  try {
    mkdirSync(join(stackFolder, FOLDER), { recursive: true });
    if (identity !== undefined) writeFileSync(file, JSON.stringify({ name, host, port, ...identity }));
  } catch {
    // Another user's folder, or a full disk.
  }
  return () => {
    rmSync(file, { force: true });
  };
}

/** The live processes that wrote their address; a killed one's is removed. */
export function announcedProcesses(stackFolder: string): ProcessPlace[] {
  const folder = join(stackFolder, FOLDER);
  return filesIn(folder).flatMap((file) => {
    const announced = readAnnouncement(join(folder, file));
    if (announced !== undefined && isAlive(announced)) {
      const { name, host, port, pid } = announced;
      return [{ name, host, port, pid }];
    }
    rmSync(join(folder, file), { force: true });
    return [];
  });
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+\.json$/.test(name))
      .sort()
      .slice(0, PROCESSES_MAX);
  } catch {
    return [];
  }
}

function readAnnouncement(file: string): Announcement | undefined {
  try {
    const { name, host, port, pid, started } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Announcement>;
    if (typeof name !== 'string' || typeof host !== 'string' || typeof started !== 'string') return undefined;
    return typeof port === 'number' && typeof pid === 'number' ? { name, host, port, pid, started } : undefined;
  } catch {
    return undefined;
  }
}

/** Requests /ready of a process, and its metrics. One that does not answer in time is not ready: it may be stopped or overloaded. */
export async function stateOf(place: ProcessPlace): Promise<ProcessState> {
  try {
    const [ready, metrics] = await Promise.all([
      answerOf(place, '/ready'),
      answerOf(place, '/metrics').catch(() => undefined),
    ]);
    return {
      ...place,
      ...readinessOf(ready.body, ready.status === 200),
      rebalances: rebalancesIn(metrics?.body ?? ''),
    };
  } catch (error) {
    return { ...place, ready: false, detail: (error as Error).message, rebalances: null };
  }
}

function answerOf(
  { host, port }: ProcessPlace,
  path: string,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const request = get({ host, port, path, agent: false, timeout: ANSWER_DEADLINE_MS }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        if (body.length < ANSWER_BYTES_MAX) body += chunk.toString();
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body });
      });
    });
    const timer = setTimeout(() => request.destroy(new Error('it does not answer in time')), ANSWER_DEADLINE_MS);
    request.on('error', reject);
    request.on('close', () => {
      clearTimeout(timer);
    });
  });
}

/** How often it joined its groups again; null where it has none. */
function rebalancesIn(metrics: string): number | null {
  const counts = [...metrics.matchAll(/^tapeproof_consumer_rebalances_total\{[^}]*\} (\d+)$/gm)];
  return counts.length === 0 ? null : counts.reduce((sum, [, count = '0']) => sum + Number(count), 0);
}

/** In its own words: the failing checks, or its consumer's detail. */
function readinessOf(body: string, ready: boolean): { readonly ready: boolean; readonly detail: string } {
  try {
    const { checks } = JSON.parse(body) as { checks: Record<string, { ok: boolean; detail: string }> };
    const failing = Object.entries(checks).filter(([, { ok }]) => !ok);
    const shown = ready ? Object.entries(checks).filter(([part]) => part === 'consumer') : failing;
    return { ready, detail: shown.map(([part, { detail }]) => `${part}: ${detail}`).join('; ') || 'ready' };
  } catch {
    return { ready: false, detail: 'it does not answer like /ready of Tapeproof' };
  }
}
