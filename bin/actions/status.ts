import { setTimeout as sleep } from 'node:timers/promises';
import { stackOptionsFromEnvironment } from '../../stack/options.ts';
import { connections, print } from '../context.ts';
import { interruption } from '../interruption.ts';
import { collectStatus } from '../status/collect.ts';
import { announcedProcesses, type ProcessPlace } from '../status/processes.ts';
import { needsAttention, type Status } from '../status/status.ts';
import { statusText } from '../status/text.ts';

const WATCH_INTERVAL_MS = 5_000;
const CLEAR_SCREEN = '\u001b[2J\u001b[H';
const NEEDS_ATTENTION = 1;
const NOTHING_ANSWERS = 3;

export interface StatusOptions {
  readonly processes: readonly ProcessPlace[];
  readonly watch?: true;
  readonly json?: true;
}

export async function printStatus({ processes, watch, json }: StatusOptions): Promise<void> {
  const where = connections();
  const { folder } = stackOptionsFromEnvironment(process.env);
  const signal = watch === true ? interruption() : AbortSignal.abort();
  do {
    const status = await collectStatus(where, [...announcedProcesses(folder), ...processes]);
    if (watch === true && json !== true && process.stdout.isTTY) process.stdout.write(CLEAR_SCREEN);
    print(json, { needsAttention: needsAttention(status), ...status }, () => statusText(status));
    process.exitCode = exitCodeOf(status);
    await sleep(WATCH_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  } while (!signal.aborted);
}

function exitCodeOf(status: Status): number {
  if (status.services.every(({ up }) => !up)) return NOTHING_ANSWERS;
  return needsAttention(status).length === 0 ? 0 : NEEDS_ATTENTION;
}
