import type { Connections } from '../connections.ts';
import { kafkaProbe } from '../kafka/probe.ts';
import { registryProbe } from '../kafka/registry.ts';
import type { Log } from '../log.ts';
import { LOG_EVENTS, type Service } from '../log-events.ts';
import { beginDeadLetters } from '../dead-letter-telemetry.ts';
import { Metrics } from '../metrics/metrics.ts';
import type { Telemetry } from '../telemetry.ts';
import { postgresProbe } from '../postgres.ts';
import { redisProbe } from '../redis.ts';
import { HealthBoard } from './board.ts';
import { watchDependencies } from './dependencies.ts';
import { watchEventLoop } from './event-loop.ts';
import type { Probe } from './probe.ts';
import { startHealthServer } from './server.ts';

export interface TelemetryOptions {
  /** Decides which metrics exist. */
  readonly service: Service;
  /** For people, where it is more specific than the service: a projector's name. */
  readonly name?: string;
  readonly build: { readonly version: string; readonly commit: string };
  /** The dependencies to watch: exactly those that the process needs. */
  readonly dependencies: Partial<Connections>;
  readonly host: string;
  /** 0 takes a free one, which is logged. */
  readonly port: number;
  /** Names by which it may be addressed, besides its address and localhost. */
  readonly names?: readonly string[];
  readonly log: Log;
}

export interface RunningTelemetry extends Telemetry {
  readonly address: { readonly host: string; readonly port: number };
  close(): Promise<void>;
}

/**
 * Makes a process observable: its metrics and health over HTTP, its dependencies watched. Pass the result to the
 * process's main part, and close it afterwards.
 *
 * @throws TapeproofError UNREACHABLE when the address cannot be listened on.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<RunningTelemetry> {
  const { service, name = service, build, dependencies, host, port, names = [], log } = options;
  const telemetry = { metrics: new Metrics(service), health: new HealthBoard() };
  const { metrics } = telemetry;
  const eventLoop = watchEventLoop();
  const server = await startHealthServer({ service: name, host, port, names, telemetry, eventLoop }).catch(
    (error: unknown) => {
      eventLoop.close();
      throw error;
    },
  );
  metrics.includeProcess();
  metrics.set('tapeproof_build_info', { service: name, ...build, node: process.version }, 1);
  beginErrorCounters(metrics, name);
  metrics.beforeScrape(() => {
    for (const [action, lines] of log.suppressed) {
      if (!LOG_EVENTS[action].at.some((at) => at === service)) continue;
      metrics.countUpTo('tapeproof_log_lines_suppressed_total', { action }, lines);
    }
  });
  metrics.beforeScrape(() => {
    for (const [check, { ready }] of telemetry.health.parts) {
      metrics.set('tapeproof_check_ready', { check }, ready ? 1 : 0);
    }
  });
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${server.port}/metrics`;
  log.event('http-listening', `${name} answers at ${url}, /health and /ready`, { 'url.full': url });
  const watch = watchDependencies(probesOf(dependencies, name), telemetry, log);
  return {
    ...telemetry,
    address: { host, port: server.port },
    async close() {
      eventLoop.close();
      await Promise.all([server.close(), watch.close()]);
    },
  };
}

/** Begins each series at 0, like {@link beginDeadLetters}. */
function beginErrorCounters(metrics: Metrics, name: string): void {
  beginDeadLetters(metrics, name);
  metrics.count('tapeproof_projector_conflicts_total', { projector: name }, 0);
  for (const result of ['exported', 'lost']) metrics.count('tapeproof_trace_spans_total', { result }, 0);
}

function probesOf({ kafkaBrokers, registryUrl, postgresUrl, redisUrl }: Partial<Connections>, name: string): Probe[] {
  return [
    ...(kafkaBrokers === undefined ? [] : [kafkaProbe(kafkaBrokers)]),
    ...(registryUrl === undefined ? [] : [registryProbe(registryUrl)]),
    ...(postgresUrl === undefined ? [] : [postgresProbe(postgresUrl, `tapeproof-${name}-probe`)]),
    ...(redisUrl === undefined ? [] : [redisProbe(redisUrl, `tapeproof-${name}-probe`)]),
  ];
}
