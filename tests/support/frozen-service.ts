import { execFileSync } from 'node:child_process';
import { stackStatus, type ServiceName } from '../../stack/main.ts';
import { stackOptions } from './stack.ts';

/** Runs `work` while the processes of a service stand still: its connections stay open, and nothing answers. */
export async function whileFrozen(service: ServiceName, work: () => Promise<void>): Promise<void> {
  const pid = (await stackStatus(stackOptions())).find(({ name }) => name === service)?.pid;
  if (pid === undefined) throw new Error(`${service} does not run`);
  const family = [pid, ...childrenOf(pid)];
  for (const each of family) signal(each, 'SIGSTOP');
  try {
    await work();
  } finally {
    for (const each of family) signal(each, 'SIGCONT');
  }
}

/** A child may have ended: its parent learns of that as soon as it goes on. */
function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function childrenOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' }).trim().split('\n');
  return lines.flatMap((line) => {
    const [parent, child] = line.trim().split(/\s+/).map(Number);
    return parent === pid && child !== undefined ? [child] : [];
  });
}
