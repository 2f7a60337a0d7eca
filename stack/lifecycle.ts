import { existsSync, readFileSync } from 'node:fs';
import { chmod, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import type { Custody } from './custody.ts';
import { diskFull, EXIT_BAD_CONFIGURATION, messageOf, StackError } from './errors.ts';
import { ALL_SERVICES, type ServiceName, type StackOptions, type StackPorts } from './options.ts';
import type { Parts } from './parts.ts';
import { isPortFree } from './port.ts';
import { privateFolder } from './private-file.ts';
import { endProcess, isAlive, startDetached, type Command } from './process.ts';
import {
  readServiceRecord,
  removeServiceRecord,
  serviceFolder,
  serviceLog,
  writeServiceRecord,
  type ServiceRecord,
} from './record.ts';
import { tellingLine } from './run.ts';
import { readSecrets, secretsFile, type StackSecrets } from './secrets.ts';
import { authorityFile } from './security.ts';
import type { Service } from './service.ts';

const PROBE_EVERY_MS = 100;
const START_ATTEMPTS_MAX = 20;
const RETRY_AFTER_MS = 500;

/** Reports a service's progress; `lasting` texts deserve a separate line. */
export type ServiceProgressListener = (text: string, lasting: boolean) => void;

/** The live process of a service with the ports it holds, or undefined. */
export function runningService(stackFolder: string, name: ServiceName): ServiceRecord | undefined {
  const record = readServiceRecord(stackFolder, name);
  return record !== undefined && isAlive(record) ? record : undefined;
}

/** Why a live service does not do its work, or undefined if it does. */
export async function troubleOf(
  service: Service,
  record: ServiceRecord,
  secrets: StackSecrets | undefined,
): Promise<string | undefined> {
  if (secrets === undefined) return WITHOUT_SECRETS;
  try {
    await service.probe(record.ports[0] ?? 0, secrets);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

const WITHOUT_SECRETS = 'the stack has no file of passwords, so it may run without any';

/**
 * @throws StackError where a service is, or would be started, more open than it should be: it may accept anybody, because an
 *   earlier version started it, it uses plain text where the stack should be secured, or the stack was secured and its
 *   passwords are lost.
 */
export function assertNothingOpen({ folder, secure }: StackOptions): void {
  const running = ALL_SERVICES.filter((name) => runningService(folder, name) !== undefined);
  const secrets = readSecrets(folder);
  const downFirst = running.length === 0 ? '' : '"npx tapeproof stack down", then ';
  if (secrets === undefined && existsSync(authorityFile(folder)) && (secure !== true || running.length > 0)) {
    throw new StackError(
      `This stack is secured, but its file of passwords ${secretsFile(folder)} is missing or cannot be read: put it back, or run ${downFirst}"npx tapeproof stack up --secure", which makes new ones; the data stays.`,
      EXIT_BAD_CONFIGURATION,
    );
  }
  if (running.length === 0) return;
  if (secrets !== undefined && secure === true && secrets.secured === undefined) {
    throw new StackError(
      `This stack runs in plain text: run ${downFirst}"npx tapeproof stack up --secure"; the data stays.`,
      EXIT_BAD_CONFIGURATION,
    );
  }
  if (secrets !== undefined) return;
  throw new StackError(
    `${capital(running.join(', '))}: ${WITHOUT_SECRETS}: run ${downFirst}"npx tapeproof stack up"; the data stays.`,
    EXIT_BAD_CONFIGURATION,
  );
}

/** The context in which every service of a stack is started. */
export interface Ground {
  readonly options: StackOptions;
  readonly parts: Parts;
  readonly secrets: StackSecrets;
  readonly cluster: Cluster;
  readonly custody: Custody;
}

/**
 * Brings one service up, or finds it up. Resolves when it answers.
 * @param needed resolves when the services it needs answer.
 * @throws StackError if its port is taken, it dies, or it does not answer within its deadline.
 */
export async function startService(
  service: Service,
  ground: Ground,
  needed: () => Promise<unknown>,
  report: ServiceProgressListener,
): Promise<void> {
  const { options, parts, secrets, cluster, custody } = ground;
  const running = runningService(options.folder, service.name);
  if (running !== undefined) {
    assertSamePorts(service, options.ports, running);
    if ((await troubleOf(service, running, secrets)) !== undefined) {
      report('does not answer yet', true);
      await untilHealthy(service, ground, running, report);
    }
    await secure(service, ground);
    report(`already up on port ${running.ports[0] ?? 0}`, true);
    return;
  }
  await assertPortsFree(service, options.ports);
  await privateFolder(serviceFolder(options.folder, service.name));
  const { user } = custody;
  const handOver = (): Promise<void> => custody.handOver(service.name);
  const prepared = service.prepare({
    ...{ options, secrets, cluster, user, handOver },
    folder: await custody.folder(service.name),
    part: async (name) => custody.lend(await parts.folder(name)),
    lend: (programs) => custody.lend(programs),
  });
  const required = needed();
  // Waits for both, even if one fails: a failed command must not continue downloading.
  await Promise.allSettled([prepared, required]);
  const [command] = await Promise.all([prepared, required]);
  await handOver();
  report('starting', false);
  const start = Date.now();
  await startPrepared(service, ground, user === undefined ? command : { ...command, user }, report);
  await secure(service, ground);
  report(
    `up on port ${service.ports(options.ports)[0] ?? 0} after ${((Date.now() - start) / 1000).toFixed(1)} s`,
    true,
  );
}

/** Also a service that was up: this version may know more principals than the one that started it. */
async function secure(service: Service, { options, secrets }: Ground): Promise<void> {
  if (secrets.secured !== undefined) await service.secure?.(service.ports(options.ports)[0] ?? 0, secrets.secured);
}

async function startPrepared(
  service: Service,
  ground: Ground,
  command: Command,
  report: ServiceProgressListener,
): Promise<void> {
  const { options } = ground;
  for (let attempt = 1; ; attempt++) {
    const logFile = await freshLog(options.folder, service.name);
    const identity = await startDetached(command, logFile);
    const record = { ...identity, ports: [...service.ports(options.ports)] };
    await writeServiceRecord(options.folder, service.name, record);
    try {
      await untilHealthy(service, ground, record, report);
      return;
    } catch (error) {
      // The caller ends a service that is alive but late.
      if (isAlive(record)) throw error;
      await removeServiceRecord(options.folder, service.name);
      const passing = service.passingFailure?.test(readLog(logFile)) ?? false;
      if (!passing || attempt === START_ATTEMPTS_MAX) throw error;
      await sleep(RETRY_AFTER_MS);
    }
  }
}

async function untilHealthy(
  service: Service,
  { options, secrets }: Ground,
  record: ServiceRecord,
  report: ServiceProgressListener,
): Promise<void> {
  const start = Date.now();
  const logFile = serviceLog(options.folder, service.name);
  while (true) {
    const trouble = await troubleOf(service, record, secrets);
    // Checked after the probe: a foreign program on the port may answer for a service that could not bind it.
    if (!isAlive(record)) throw diedAtStart(service, logFile);
    if (trouble === undefined) return;
    const waitedMs = Date.now() - start;
    if (waitedMs > service.startDeadlineMs) {
      throw new StackError(
        `${capital(service.title)} (pid ${record.pid}) did not answer within ${service.startDeadlineMs / 1000} s: ${trouble}. See its log ${logFile}, then run "stack down" and "stack up".`,
      );
    }
    report(`starting, ${Math.floor(waitedMs / 1000)} s`, false);
    await sleep(PROBE_EVERY_MS);
  }
}

function diedAtStart(service: Service, logFile: string): StackError {
  const log = readLog(logFile);
  if (/No space left on device/.test(log)) return diskFull(dirname(dirname(logFile)));
  const line = tellingLine(log);
  return new StackError(
    `${capital(service.title)} ended while it was starting. Its log ${logFile} says: ${line ?? 'nothing'}`,
  );
}

/** Ends a running service. Returns whether there was one. */
export async function stopService(service: Service, options: StackOptions, signal: NodeJS.Signals): Promise<boolean> {
  const running = runningService(options.folder, service.name);
  if (running !== undefined) await endProcess(running, signal, service.stopDeadlineMs);
  await removeServiceRecord(options.folder, service.name);
  return running !== undefined;
}

/** @throws StackError naming the first port that another program holds. */
export async function assertPortsFree(service: Service, ports: StackPorts): Promise<void> {
  for (const port of service.ports(ports)) {
    if (await isPortFree(port)) continue;
    const name = Object.entries(ports).find(([, value]) => value === port)?.[0] ?? service.name;
    throw new StackError(
      `Port ${port} on 127.0.0.1, meant for ${service.title}, is in use by another program: end that program or set TAPEPROOF_STACK_PORT_${name.toUpperCase()} to a free port.`,
    );
  }
}

function assertSamePorts(service: Service, wanted: StackPorts, running: ServiceRecord): void {
  const ports = service.ports(wanted);
  if (ports.every((port, index) => running.ports[index] === port)) return;
  throw new StackError(
    `${capital(service.title)} of this stack runs on port ${running.ports.join(' and ')} but should run on ${ports.join(' and ')}: run "stack down", then "stack up".`,
    EXIT_BAD_CONFIGURATION,
  );
}

/** Creates an empty log for this start; the previous one is kept beside it. */
async function freshLog(stackFolder: string, name: ServiceName): Promise<string> {
  const logFile = serviceLog(stackFolder, name);
  await privateFolder(dirname(logFile));
  if (existsSync(logFile)) {
    await chmod(logFile, 0o600);
    await rename(logFile, logFile.replace(/\.log$/, '.previous.log'));
  }
  return logFile;
}

function readLog(logFile: string): string {
  return existsSync(logFile) ? readFileSync(logFile, 'utf8') : '';
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
