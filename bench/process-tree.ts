import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second, whatever the kernel's own clock. */
const TICKS_PER_SECOND = 100;

interface ProcessTime {
  readonly parent: number;
  /** User and system, of its threads and of its children that have ended. */
  readonly ticks: number;
}

/** Processor time so far of a process and all that it started, such as Postgres's connections; Linux only. */
export function cpuSecondsOfTree(pid: number): number {
  const processes = new Map<number, ProcessTime>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const time = timeOf(Number(name));
    if (time !== undefined) processes.set(Number(name), time);
  }
  let ticks = 0;
  for (const [child, time] of processes) {
    let ancestor: number | undefined = child;
    while (ancestor !== undefined && ancestor !== pid) ancestor = processes.get(ancestor)?.parent;
    if (ancestor === pid) ticks += time.ticks;
  }
  return ticks / TICKS_PER_SECOND;
}

/** Undefined for a process that has just ended. */
function timeOf(pid: number): ProcessTime | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses, which may itself contain spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [parent, user, system, ofChildren, systemOfChildren] = [1, 11, 12, 13, 14].map((at) => Number(fields[at]));
    return {
      parent: parent ?? 0,
      ticks: (user ?? 0) + (system ?? 0) + (ofChildren ?? 0) + (systemOfChildren ?? 0),
    };
  } catch {
    return undefined;
  }
}
