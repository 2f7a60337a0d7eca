import type { Connections } from '../connections.ts';
import { kafkaProbe } from '../kafka/probe.ts';
import { registryProbe } from '../kafka/registry.ts';
import type { Log } from '../log.ts';
import type { Service } from '../log-events.ts';
import { Metrics } from '../metrics/metrics.ts';
import type { Observation } from '../observation.ts';
import { postgresProbe } from '../postgres.ts';
import { redisProbe } from '../redis.ts';
import { HealthBoard } from './board.ts';
import { watchDependencies } from './dependencies.ts';
import { watchEventLoop } from './event-loop.ts';
import type { Probe } from './probe.ts';
import { startHealthServer } from './server.ts';

export interface ObservationOptions {
  /** Decides which metrics there are. */
  readonly service: Service;
  /** For people, where it says more than the service: a projector's name. */
  readonly name?: string;
  readonly build: { readonly version: string; readonly commit: string };
  /** Watched: exactly those that the process needs. */
  readonly dependencies: Partial<Connections>;
  readonly host: string;
  /** 0 takes a free one, which is logged. */
  readonly port: number;
  readonly log: Log;
}

export interface RunningObservation extends Observation {
  readonly address: { readonly host: string; readonly port: number };
  close(): Promise<void>;
}

/**
 * Makes a process observable: its metrics and health over HTTP, its dependencies watched. Pass the result to what runs;
 * close it after that.
 *
 * @throws TapeproofError UNREACHABLE when the address cannot be listened on.
 */
export async function startObservation(options: ObservationOptions): Promise<RunningObservation> {
  const { service, name = service, build, dependencies, host, port, log } = options;
  const observation = { metrics: new Metrics(service), health: new HealthBoard() };
  const { metrics } = observation;
  const eventLoop = watchEventLoop();
  const server = await startHealthServer({ service: name, host, port, observation, eventLoop }).catch(
    (error: unknown) => {
      eventLoop.close();
      throw error;
    },
  );
  metrics.includeProcess();
  metrics.set('tapeproof_build_info', { service: name, ...build, node: process.version }, 1);
  metrics.beforeScrape(() => {
    for (const [action, lines] of log.suppressed) {
      metrics.countUpTo('tapeproof_log_lines_suppressed_total', { action }, lines);
    }
  });
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${server.port}/metrics`;
  log.event('http-listening', `${name} answers at ${url}, /health and /ready`, { 'url.full': url });
  const watch = watchDependencies(probesOf(dependencies, name), observation, log);
  return {
    ...observation,
    address: { host, port: server.port },
    async close() {
      eventLoop.close();
      await Promise.all([server.close(), watch.close()]);
    },
  };
}

function probesOf({ kafkaBrokers, registryUrl, postgresUrl, redisUrl }: Partial<Connections>, name: string): Probe[] {
  return [
    ...(kafkaBrokers === undefined ? [] : [kafkaProbe(kafkaBrokers)]),
    ...(registryUrl === undefined ? [] : [registryProbe(registryUrl)]),
    ...(postgresUrl === undefined ? [] : [postgresProbe(postgresUrl, `tapeproof-${name}-probe`)]),
    ...(redisUrl === undefined ? [] : [redisProbe(redisUrl, `tapeproof-${name}-probe`)]),
  ];
}
