import { execFileSync, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { StackError, systemCode } from './errors.ts';

/** Identifies a process for certain: pids are reused, a pid together with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque: on Linux the boot's id and the start in watermarks since boot, elsewhere what `ps` prints. */
  readonly started: string;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Run as this user: only root can. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

const POLL_MS = 50;
const KILL_DEADLINE_MS = 10_000;
const IS_LINUX = process.platform === 'linux';
// Services get only these of the caller's variables: the caller's PGDATA or QUARKUS_… would change them.
const ENVIRONMENT_KEPT = ['PATH', 'HOME', 'TMPDIR', 'JAVA_HOME', 'LD_LIBRARY_PATH'];

/** The process with a pid, or undefined where there is none (a zombie does not count). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  try {
    if (!IS_LINUX) {
      const printed = execFileSync('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)], {
        encoding: 'utf8',
      }).trim();
      const started = printed.replace(/^\S+\s+/, '');
      return printed === '' || printed.startsWith('Z') ? undefined : { pid, started };
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses, which may itself contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, threads, startWatermarks] = [fields[0], Number(fields[17]), fields[19]];
    if (startWatermarks === undefined || state === 'X') return undefined;
    // A killed JVM shows as a zombie while its other threads, and so its ports, are still there.
    if (state === 'Z' && threads <= 1) return undefined;
    return { pid, started: `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${startWatermarks}` };
  } catch {
    return undefined;
  }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.started === identity.started;
}

/** The command line of a process, or undefined where there is none. */
export function commandLine(pid: number): string | undefined {
  if (identifyProcess(pid) === undefined) return undefined;
  try {
    if (IS_LINUX) return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return undefined;
  }
}

const OWNER_ONLY = 0o600;
const OTHERS_NOTHING = 0o077;

/** Spawns a program whose files only its user may read. */
export function spawnPrivately(command: Command, options: SpawnOptions): ChildProcess {
  const before = process.umask(OTHERS_NOTHING);
  try {
    return spawn(command.file, command.args, {
      ...options,
      cwd: command.cwd,
      env: { ...serviceEnvironment(), ...command.env },
      ...(command.user && { uid: command.user.uid, gid: command.user.gid }),
    });
  } finally {
    process.umask(before);
  }
}

/**
 * Starts a service in a separate session, so that neither a Ctrl-C nor the end of the caller ends it. Its output goes
 * to `logFile`.
 */
export async function startDetached(command: Command, logFile: string): Promise<ProcessIdentity> {
  const log = openSync(logFile, 'a', OWNER_ONLY);
  try {
    const child = spawnPrivately(command, { detached: true, stdio: ['ignore', log, log] });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    child.unref();
    const identity = child.pid === undefined ? undefined : identifyProcess(child.pid);
    // It may already be gone; then the identity matches no process, which callers detect.
    return identity ?? { pid: child.pid ?? -1, started: 'ended' };
  } catch (error) {
    throw new StackError(`${command.file} cannot be started (${systemCode(error) ?? 'unknown cause'}).`, 3, error);
  } finally {
    closeSync(log);
  }
}

export function serviceEnvironment(): Record<string, string> {
  // Java reads and writes file names in the locale's encoding, and a folder may be named in any script.
  const kept: Record<string, string> = { LC_ALL: 'C.UTF-8', TZ: 'UTC' };
  for (const name of ENVIRONMENT_KEPT) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

/**
 * Ends a process and its children: the gentle signal, a bounded wait, then SIGKILL. Resolves when all are gone.
 * @param signal SIGKILL ends it at once.
 */
export async function endProcess(identity: ProcessIdentity, signal: NodeJS.Signals, deadlineMs: number): Promise<void> {
  const family = [identity, ...descendants(identity.pid)].filter(isAlive);
  if (!isAlive(identity)) return;
  if (signal !== 'SIGKILL') {
    send(identity, signal);
    if (await untilGone(family, deadlineMs)) return;
  }
  for (const member of family) send(member, 'SIGKILL');
  if (!(await untilGone(family, KILL_DEADLINE_MS))) {
    throw new StackError(
      `Process ${identity.pid} does not end even after kill -9: inspect it with "ps ${identity.pid}".`,
    );
  }
}

function send(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    // It ended on its own between the check and the signal.
    if (systemCode(error) === 'ESRCH') return;
    throw new StackError(`Process ${identity.pid} belongs to another user: run this command as that user.`, 3, error);
  }
}

async function untilGone(family: readonly ProcessIdentity[], deadlineMs: number): Promise<boolean> {
  const deadline = Date.now() + deadlineMs;
  while (family.some(isAlive)) {
    if (Date.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** Physical memory of a process and its children in bytes; shared pages are counted once. */
export function residentBytes(identity: ProcessIdentity): number {
  if (!isAlive(identity)) return 0;
  if (!IS_LINUX) {
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(identity.pid)], { encoding: 'utf8' })) * 1024;
  }
  const children = descendants(identity.pid).map((child) => memoryField(child.pid, 'RssAnon'));
  return children.reduce((sum, bytes) => sum + bytes, memoryField(identity.pid, 'VmRSS'));
}

function memoryField(pid: number, field: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function descendants(pid: number): ProcessIdentity[] {
  if (!IS_LINUX) return [];
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
    return children.flatMap((child) => {
      const identity = identifyProcess(child);
      return identity === undefined ? [] : [identity, ...descendants(child)];
    });
  } catch {
    return [];
  }
}
