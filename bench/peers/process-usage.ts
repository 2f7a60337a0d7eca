import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second, whatever the kernel's own clock. */
const TICKS_PER_SECOND = 100;
const BYTES_PER_KIBIBYTE = 1_024;
const NANOSECONDS_PER_MILLISECOND = 1_000_000;

/** What a thread has done so far, milliseconds. */
export interface ThreadTime {
  readonly ranMs: number;
  /** It could have run, and had no processor. */
  readonly waitedMs: number;
}

/** Processor time of a process so far, user and system, all threads; Linux only. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in parentheses, which may itself contain spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The most physical memory that a process has had. */
export function peakResidentBytesOf(pid: number): number {
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(peak) * BYTES_PER_KIBIBYTE;
}

/** The physical memory that a process has now; undefined once it has ended. */
export function residentBytesOf(pid: number): number | undefined {
  try {
    const resident = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return resident === undefined ? undefined : Number(resident) * BYTES_PER_KIBIBYTE;
  } catch {
    return undefined;
  }
}

/** Of each thread of a process, by the thread's number; Linux only. */
export function threadTimesOf(pid: number): Map<string, ThreadTime> {
  const times = new Map<string, ThreadTime>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const [ran, waited] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ').map(Number);
      if (ran === undefined || waited === undefined) continue;
      times.set(thread, { ranMs: ran / NANOSECONDS_PER_MILLISECOND, waitedMs: waited / NANOSECONDS_PER_MILLISECOND });
    } catch {
      // The thread has just ended.
    }
  }
  return times;
}

/** What the thread that ran most has done between two answers of {@link threadTimesOf}. */
export function busiestThread(before: ReadonlyMap<string, ThreadTime>, after: ReadonlyMap<string, ThreadTime>) {
  let busiest: ThreadTime = { ranMs: 0, waitedMs: 0 };
  for (const [thread, { ranMs, waitedMs }] of after) {
    const began = before.get(thread) ?? { ranMs: 0, waitedMs: 0 };
    const time = { ranMs: ranMs - began.ranMs, waitedMs: waitedMs - began.waitedMs };
    if (time.ranMs > busiest.ranMs) busiest = time;
  }
  return busiest;
}
