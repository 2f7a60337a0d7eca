import packageJson from '../package.json' with { type: 'json' };
import type { Connections } from '../platform/connections.ts';
import { startTelemetry } from '../platform/health/start-telemetry.ts';
import type { Log } from '../platform/log.ts';
import type { Service } from '../platform/log-events.ts';
import type { Telemetry } from '../platform/telemetry.ts';
import { isTracingConfigured } from '../platform/tracing/settings.ts';
import { startTracing } from '../platform/tracing/start-tracing.ts';
import { stackOptionsFromEnvironment } from '../stack/options.ts';
import type { HttpOptions } from './commands/options.ts';
import { announceProcess } from './status/processes.ts';

/** As promised in README. */
const STOP_SECONDS_MAX = 10;

export interface TelemetrySettings {
  readonly service: Service;
  /** For people, where it is more specific than the service: a projector's name. */
  readonly name?: string;
  /** Exactly the dependencies that the process needs. */
  readonly dependencies: Partial<Connections>;
  readonly commit: string;
  readonly log: Log;
  readonly options: HttpOptions;
  /** The signal that asks it to stop. */
  readonly signal: AbortSignal;
}

/**
 * Runs `work` with its metrics and health served over HTTP.
 *
 * @throws TapeproofError UNREACHABLE when the port is in use; CONFIGURATION where OpenTelemetry's variables are wrong; any
 *   error of `work`.
 */
export async function withTelemetry<Result>(
  { service, name, dependencies, commit, log, options, signal }: TelemetrySettings,
  work: (telemetry: Telemetry) => Promise<Result>,
): Promise<Result> {
  // A wrong address is reported before anything is begun.
  isTracingConfigured(process.env);
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
  const tracing = await startTracing({
    service: name ?? service,
    version: packageJson.version,
    environment: process.env,
    log,
    metrics: telemetry.metrics,
  });
  const sayThatItEnds = (): void => {
    log.event('stopping', stoppingText(name ?? service, service, String(signal.reason), telemetry.health.parts));
  };
  const { folder } = stackOptionsFromEnvironment(process.env);
  const withdraw = announceProcess(folder, { name: name ?? service, ...telemetry.address });
  signal.addEventListener('abort', sayThatItEnds, { once: true });
  try {
    return await work(tracing === undefined ? telemetry : { ...telemetry, tracing });
  } finally {
    withdraw();
    signal.removeEventListener('abort', sayThatItEnds);
    await tracing?.close();
    await telemetry.close();
    restoreWarnings();
  }
}

/** Work left to the next start where Kafka is down. */
const LEFT: Readonly<Record<Service, string>> = {
  engine: 'uncommitted records are read again at the next start',
  projector: 'uncommitted records are read again at the next start',
  checkpoints: 'what is not signed yet is signed after the next start',
  dashboard: 'nothing is lost: it only reads',
  'ingest-live': 'trades that it has not acknowledged are fetched again at the next start',
};

/**
 * Reports at once what a process does between the order to stop and its end: with Kafka down that takes some seconds.
 */
export function stoppingText(
  name: string,
  service: Service,
  order: string,
  parts: ReadonlyMap<string, { readonly ready: boolean; readonly detail: string }>,
): string {
  const kafka = parts.get('kafka');
  if (kafka?.ready !== false) return `${name} stops by ${order}: it finishes its work in hand, then leaves`;
  return `${name} stops by ${order}, within ${STOP_SECONDS_MAX} s: Kafka does not answer (${kafka.detail}), and ${LEFT[service]}`;
}

/**
 * Node's warnings (a listener leak, a deprecation) appear at any time and are plain text: a logging process's standard
 * error must hold only lines of its log. @returns the function that ends that.
 */
function logWarnings(log: Log): () => void {
  const before = process.listeners('warning');
  const write = (warning: Error): void => {
    // kafkajs computes such delays where the machine is slow: the only effect is a late timer.
    if (warning.name === 'TimeoutNegativeWarning') return;
    log.warn({ error: warning }, `Node warns: ${warning.message}`);
  };
  process.removeAllListeners('warning').on('warning', write);
  return () => {
    process.removeAllListeners('warning');
    for (const listener of before) process.on('warning', listener);
  };
}
