import { readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second, whatever the kernel's own clock. */
const TICKS_PER_SECOND = 100;
const BYTES_PER_KIBIBYTE = 1_024;

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
