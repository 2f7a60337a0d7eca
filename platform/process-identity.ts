import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Names a process among all that its machine has had since it was started: the machine's start, the namespace that its
 * number belongs to, its number, and when it was started (proc(5): a number is used again).
 */
const IDENTITY = /^([0-9a-f-]{36}) pid:\[(\d+)\] (\d+) (\d+)$/;
/** Where `/proc/PID/stat` tells a process's state and when it was started, counted after its name. */
const [STATE, STARTED] = [0, 19];

/** The identity of this process; undefined where the system does not tell, as outside Linux. */
export function processIdentity(): string | undefined {
  try {
    return `${machine()} ${process.pid} ${startOf(process.pid)}`;
  } catch {
    return undefined;
  }
}

/** True where a process is known to have ended: it ran on this machine and in this namespace, and is not there. */
export function hasEnded(identity: string): boolean {
  const [, , , pid, started] = IDENTITY.exec(identity) ?? [];
  if (pid === undefined) return false;
  try {
    if (!identity.startsWith(`${machine()} `)) return false;
  } catch {
    return false;
  }
  try {
    return startOf(Number(pid)) !== started;
  } catch {
    return true;
  }
}

function machine(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
}

/** When a process was started, in ticks. @throws where there is none, or only what its parent has not looked at yet. */
function startOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name is in brackets, and may contain any character.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const started = fields[STARTED];
  if (fields[STATE] === 'Z' || started === undefined) throw new Error(`process ${pid} has ended`);
  return started;
}
