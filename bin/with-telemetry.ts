import packageJson from '../package.json' with { type: 'json' };
import type { Connections } from '../platform/connections.ts';
import { startTelemetry } from '../platform/health/start-telemetry.ts';
import type { Log } from '../platform/log.ts';
import type { Service } from '../platform/log-events.ts';
import type { Telemetry } from '../platform/telemetry.ts';
import { stackOptionsFromEnvironment } from '../stack/options.ts';
import type { HttpOptions } from './commands/options.ts';
import { announceProcess } from './status/processes.ts';

/** What README promises. */
const STOP_SECONDS_MAX = 10;

export interface TelemetrySettings {
  readonly service: Service;
  /** For people, where it says more than the service: a projector's name. */
  readonly name?: string;
  /** Those that the process needs, and no others. */
  readonly dependencies: Partial<Connections>;
  readonly commit: string;
  readonly log: Log;
  readonly options: HttpOptions;
  /** What asks it to end. */
  readonly signal: AbortSignal;
}

/**
 * Runs `work` with its metrics and health to be seen over HTTP.
 *
 * @throws TapeproofError UNREACHABLE when the port is in use; what `work` throws.
 */
export async function withTelemetry<Result>(
  { service, name, dependencies, commit, log, options, signal }: TelemetrySettings,
  work: (telemetry: Telemetry) => Promise<Result>,
): Promise<Result> {
  const telemetry = await startTelemetry({
    service,
    ...(name === undefined ? {} : { name }),
    dependencies,
    build: { version: packageJson.version, commit },
    host: options.httpHost,
    port: options.httpPort,
    names: options.httpNames,
    log,
  });
  const restoreWarnings = logWarnings(log);
  const sayThatItEnds = (): void => {
    log.event('stopping', stoppingText(name ?? service, service, String(signal.reason), telemetry.health.parts));
  };
  const { folder } = stackOptionsFromEnvironment(process.env);
  const withdraw = announceProcess(folder, { name: name ?? service, ...telemetry.address });
  signal.addEventListener('abort', sayThatItEnds, { once: true });
  try {
    return await work(telemetry);
  } finally {
    withdraw();
    signal.removeEventListener('abort', sayThatItEnds);
    await telemetry.close();
    restoreWarnings();
  }
}

/** Work is given to the next start where Kafka is away. */
const LEFT: Readonly<Record<Service, string>> = {
  engine: 'what was not committed is read again at the next start',
  projector: 'what was not committed is read again at the next start',
  'ingest-live': 'trades that it has not acknowledged are fetched again at the next start',
};

/** What a process does between the order to end and its end, said at once: with Kafka away that takes some seconds. */
export function stoppingText(
  name: string,
  service: Service,
  order: string,
  parts: ReadonlyMap<string, { readonly ready: boolean; readonly detail: string }>,
): string {
  const kafka = parts.get('kafka');
  if (kafka?.ready !== false) return `${name} ends by ${order}: it finishes what it has in hand, then leaves`;
  return `${name} ends by ${order}, within ${STOP_SECONDS_MAX} s: Kafka does not answer (${kafka.detail}), and ${LEFT[service]}`;
}

/**
 * Warnings of Node (a listener leak, something deprecated) come when they will and are text: standard error of a process
 * that logs holds lines of its log and nothing else. @returns what ends that.
 */
function logWarnings(log: Log): () => void {
  const before = process.listeners('warning');
  const write = (warning: Error): void => {
    // kafkajs computes such delays where the machine is slow: a timer is then late and nothing else.
    if (warning.name === 'TimeoutNegativeWarning') return;
    log.warn({ error: warning }, `Node warns: ${warning.message}`);
  };
  process.removeAllListeners('warning').on('warning', write);
  return () => {
    process.removeAllListeners('warning');
    for (const listener of before) process.on('warning', listener);
  };
}
