/**
 * The local stack: Kafka, a schema registry, Postgres and Redis as plain processes on this machine, without a container
 * engine. Everything it writes is in two folders (see {@link StackOptions}); everything it starts listens on 127.0.0.1.
 */
import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { brokersOf, ensureCluster, removeCluster, wantedBrokers } from './cluster.ts';
import { custodyOf, removeOutside } from './custody.ts';
import { diskFull, folderRefused, StackError, systemCode } from './errors.ts';
import { javaProgram } from './java.ts';
import * as lifecycle from './lifecycle.ts';
import { LOCK_FILE, withFolderLock } from './lock.ts';
import { mavenProgram } from './maven.ts';
import {
  ALL_SERVICES,
  assertSeparatePorts,
  endpointsOf,
  servicesOf,
  type ServiceName,
  type StackEndpoints,
  type StackOptions,
} from './options.ts';
import { BITSTAMP_TRADES_FILE, freeMegabytesOf, Parts } from './parts.ts';
import { residentBytes } from './process.ts';
import { bringHome } from './postgres-launch.ts';
import { privateFolder, writePrivateFile } from './private-file.ts';
import { readServiceRecord, removeEndpoints, serviceFolder, serviceLog, writeEndpoints } from './record.ts';
import { ensureSecrets, readSecrets, removeSecrets } from './secrets.ts';
import { authorityFile } from './security.ts';
import { SERVICES } from './services.ts';

export { ROLES, type Role } from './kafka-principals.ts';
export {
  DEFAULT_STACK_OPTIONS,
  freePorts,
  SERVICE_NAMES,
  stackOptionsFromEnvironment,
  withoutPasswords,
  type BrokerCount,
  type ServiceName,
  type StackEndpoints,
  type StackOptions,
} from './options.ts';
export { endpointsFile, readEndpoints } from './record.ts';

/** A progress message. Show a `lasting` one on a separate line; the next text replaces any other. */
export interface StackProgress {
  readonly subject: ServiceName | 'downloads' | 'stack';
  readonly text: string;
  readonly lasting: boolean;
  /** Milliseconds since the command began. */
  readonly elapsedMs: number;
}

export type StackProgressListener = (progress: StackProgress) => void;

export interface ServiceStatus {
  readonly name: ServiceName;
  /** `unhealthy`: the process is alive but does not answer. */
  readonly state: 'running' | 'stopped' | 'unhealthy';
  readonly port: number;
  /** Absent when stopped. */
  readonly pid?: number;
  /** Physical memory of the service's processes. Absent when stopped. */
  readonly residentBytes?: number;
  /** Why it is unhealthy, or that it ended unexpectedly. */
  readonly detail?: string;
}

const FREE_MEGABYTES_MIN = 300;
const REFUSALS: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR']);

/**
 * Brings all services up and waits until each answers. Running ones are left unchanged.
 * @throws StackError (exit code 3) if one cannot be brought up; those that this call started are stopped again; exit
 *   code 2 where its data is that of another number of brokers.
 */
export function stackUp(options: StackOptions, report: StackProgressListener): Promise<StackEndpoints> {
  return exclusively(options, report, async (tell) => {
    lifecycle.assertNothingOpen(options);
    const brokers = wantedBrokers(options);
    assertSeparatePorts(options.ports, brokers);
    const parts = partsOf(options, tell);
    const missing = servicesOf(brokers).filter((name) => lifecycle.runningService(options.folder, name) === undefined);
    await assertStartable(missing, options, parts);
    try {
      return await startAll(options, parts, tell);
    } catch (error) {
      const started = missing.filter((name) => lifecycle.runningService(options.folder, name) !== undefined);
      // Reports the cause of the failure, not its consequences.
      await endAll(started, options, tell).catch(() => undefined);
      throw error;
    }
  });
}

/** Ends all running services. @throws StackError if a process cannot be ended. */
export function stackDown(options: StackOptions, report: StackProgressListener): Promise<void> {
  return exclusively(options, report, async (tell) => {
    await removeEndpoints(options.folder);
    await endAll(namesOf(options), options, tell);
  });
}

/** Ends all services and deletes their data and logs. Downloads are kept. */
export function stackReset(options: StackOptions, report: StackProgressListener): Promise<void> {
  return exclusively(options, report, async (tell) => {
    await removeEndpoints(options.folder);
    await endAll(namesOf(options), options, tell);
    await bringHome(serviceFolder(options.folder, 'postgres'));
    for (const name of ALL_SERVICES) {
      await rm(serviceFolder(options.folder, name), { recursive: true, force: true });
    }
    await removeOutside(options.folder);
    await removeSecrets(options.folder);
    await removeCluster(options.folder);
    await rm(authorityFile(options.folder), { force: true });
    await rm(join(options.folder, 'logs'), { recursive: true, force: true });
    tell('stack', 'all data is deleted', true);
  });
}

/** The state of each service, without waiting for a running command. */
export function stackStatus(options: StackOptions): Promise<readonly ServiceStatus[]> {
  return Promise.all(namesOf(options).map((name) => serviceStatus(options, name)));
}

/** Starts one service of a stack, or finds it up; the services that it needs must be up. @throws StackError */
export function startService(options: StackOptions, name: ServiceName): Promise<void> {
  return exclusively(options, silent, async (tell) => {
    const names = namesOf(options);
    for (const need of SERVICES[name].needs.filter((each) => names.includes(each))) {
      if (lifecycle.runningService(options.folder, need) === undefined) {
        throw new StackError(`${name} needs ${need}, which is not running: start it first.`);
      }
    }
    lifecycle.assertNothingOpen(options);
    await startOne(name, await groundOf(options, partsOf(options, tell)), () => Promise.resolve(), tell);
  });
}

/** Ends one service as an operator would, letting it finish its work. */
export function stopService(options: StackOptions, name: ServiceName): Promise<void> {
  return exclusively(options, silent, async () => {
    await lifecycle.stopService(SERVICES[name], options, SERVICES[name].stopSignal);
  });
}

/** Ends one service by SIGKILL, as a crash would. */
export function killService(options: StackOptions, name: ServiceName): Promise<void> {
  return exclusively(options, silent, async () => {
    await lifecycle.stopService(SERVICES[name], options, 'SIGKILL');
  });
}

/** The services of the stack that is there. */
function namesOf({ folder }: StackOptions): readonly ServiceName[] {
  return servicesOf(brokersOf(folder));
}

type Tell = (subject: StackProgress['subject'], text: string, lasting: boolean) => void;

const silent: StackProgressListener = () => undefined;

async function exclusively<T>(
  options: StackOptions,
  report: StackProgressListener,
  work: (tell: Tell) => Promise<T>,
): Promise<T> {
  const start = Date.now();
  const tell: Tell = (subject, text, lasting) => {
    report({ subject, text, lasting, elapsedMs: Date.now() - start });
  };
  const onWait = (): void => {
    tell('stack', `waiting: another stack command is running in ${options.folder}`, true);
  };
  try {
    return await withFolderLock(options.folder, onWait, async () => {
      await privateFolder(options.folder);
      await chmod(join(options.folder, LOCK_FILE), 0o600);
      await writePrivateFile(join(options.folder, '.gitignore'), '*\n');
      return await work(tell);
    });
  } catch (error) {
    throw readable(error, options.folder);
  }
}

/** The operating system's errors that a person can resolve. */
function readable(error: unknown, folder: string): unknown {
  const code = systemCode(error);
  if (code === 'ENOSPC') return diskFull(folder, error);
  return code !== undefined && REFUSALS.has(code) ? folderRefused('its folders', error) : error;
}

function partsOf(options: StackOptions, tell: Tell): Parts {
  return new Parts(options.partsFolder, (text, lasting) => {
    tell('downloads', text, lasting);
  });
}

async function groundOf(options: StackOptions, parts: Parts): Promise<lifecycle.Ground> {
  const secrets = await ensureSecrets(options.folder, options.secure);
  const authority = secrets.secured?.authority;
  if (authority !== undefined) await writePrivateFile(authorityFile(options.folder), authority.certificate);
  const cluster = await ensureCluster(options);
  return { options, parts, secrets, cluster, custody: await custodyOf(options.folder) };
}

async function startAll(options: StackOptions, parts: Parts, tell: Tell): Promise<StackEndpoints> {
  const ground = await groundOf(options, parts);
  // Requested first: everything waits for Kafka, and nothing for the trades.
  const trades = parts.folder('kafka').then(() => parts.folder('trades'));
  const started = new Map<ServiceName, Promise<void>>();
  const { brokers } = ground.cluster;
  // There a service follows those it needs.
  for (const name of servicesOf(brokers)) {
    const needed = SERVICES[name].needs.map((need) => started.get(need) ?? Promise.resolve());
    started.set(
      name,
      startOne(name, ground, () => Promise.all(needed), tell),
    );
  }
  const outcomes = await Promise.allSettled([...started.values(), trades]);
  throwFirst(
    new Set(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))),
  );
  const endpoints = endpointsOf({ ...options, brokers }, ground.secrets, join(await trades, BITSTAMP_TRADES_FILE));
  await writeEndpoints(options.folder, endpoints);
  return endpoints;
}

async function startOne(
  name: ServiceName,
  ground: lifecycle.Ground,
  needed: () => Promise<unknown>,
  tell: Tell,
): Promise<void> {
  const { options } = ground;
  const freeMegabytes = await freeMegabytesOf(options.folder);
  if (freeMegabytes < FREE_MEGABYTES_MIN && lifecycle.runningService(options.folder, name) === undefined) {
    throw new StackError(
      `The disk that holds ${options.folder} has ${freeMegabytes} MB free but the stack needs ${FREE_MEGABYTES_MIN}: free some space and run the command again.`,
    );
  }
  await lifecycle.startService(SERVICES[name], ground, needed, (text, lasting) => {
    tell(name, text, lasting);
  });
}

/** Runs before anything is downloaded or started: certain failures should be known at once. */
async function assertStartable(names: readonly ServiceName[], options: StackOptions, parts: Parts): Promise<void> {
  for (const name of names) await lifecycle.assertPortsFree(SERVICES[name], options.ports);
  if (names.some((name) => name.startsWith('kafka')) || names.includes('registry')) await javaProgram();
  if (!parts.isComplete()) mavenProgram();
}

async function endAll(names: readonly ServiceName[], options: StackOptions, tell: Tell): Promise<void> {
  const end = async (name: ServiceName): Promise<void> => {
    tell(name, 'stopping', false);
    const wasRunning = await lifecycle.stopService(SERVICES[name], options, SERVICES[name].stopSignal);
    tell(name, wasRunning ? 'stopped' : 'was not running', true);
  };
  // A service is ended before those it needs, so that none waits for an answer that will not come.
  const ended = new Map<ServiceName, Promise<void>>();
  for (const name of names.toReversed()) {
    const dependants = names.filter((other) => SERVICES[other].needs.includes(name));
    ended.set(
      name,
      Promise.allSettled(dependants.map((other) => ended.get(other) ?? Promise.resolve())).then(() => end(name)),
    );
  }
  const outcomes = await Promise.allSettled(ended.values());
  throwFirst(
    new Set(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))),
  );
}

async function serviceStatus(options: StackOptions, name: ServiceName): Promise<ServiceStatus> {
  const record = lifecycle.runningService(options.folder, name);
  if (record === undefined) {
    const port = SERVICES[name].ports(options.ports)[0] ?? 0;
    const crashed = readServiceRecord(options.folder, name) !== undefined;
    const detail = crashed ? { detail: `it ended unexpectedly: see ${serviceLog(options.folder, name)}` } : {};
    return { name, state: 'stopped', port, ...detail };
  }
  const trouble = await lifecycle.troubleOf(SERVICES[name], record, readSecrets(options.folder));
  const facts = { port: record.ports[0] ?? 0, pid: record.pid, residentBytes: residentBytes(record) };
  return trouble === undefined
    ? { name, state: 'running', ...facts }
    : { name, state: 'unhealthy', ...facts, detail: trouble };
}

function throwFirst(failures: ReadonlySet<unknown>): void {
  for (const failure of failures) throw failure;
}
