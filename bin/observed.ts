import { InvalidArgumentError, Option, type Command } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import type { Connections } from '../platform/connections.ts';
import { startObservation } from '../platform/health/observe.ts';
import type { Log } from '../platform/log.ts';
import type { Service } from '../platform/log-events.ts';
import type { Observation } from '../platform/observation.ts';

const PORT_MAX = 65_535;

/** What {@link withHttpOptions} gives to an action. */
export interface HttpOptions {
  readonly httpPort: number;
  readonly httpHost: string;
  readonly httpNames: readonly string[];
}

/** Adds --http-port, --http-host and --http-names to a command that runs until it is stopped. */
export function withHttpOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--http-port <port>', 'where /metrics, /health and /ready answer; 0 takes a free one and logs it')
        .env('TAPEPROOF_HTTP_PORT')
        .default(0)
        .argParser(parsePort),
    )
    .addOption(new Option('--http-host <host>', 'the address that they answer at').default('127.0.0.1'))
    .addOption(
      new Option('--http-names <names>', 'names by which they may be asked beside that address; separated by commas')
        .env('TAPEPROOF_HTTP_NAMES')
        .default([], 'localhost')
        .argParser(parseNames),
    );
}

function parseNames(text: string): string[] {
  const names = text.split(',').filter((name) => name !== '');
  const wrong = names.find((name) => !/^[a-z0-9._-]+$/i.test(name));
  if (wrong === undefined) return names;
  throw new InvalidArgumentError('Give names of hosts without a port, separated by commas.');
}

/** An empty variable is as good as none. */
function parsePort(text: string): number {
  if (text === '') return 0;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= PORT_MAX) return port;
  throw new InvalidArgumentError(`Give a number from 0 to ${PORT_MAX}.`);
}

export interface Observed {
  readonly service: Service;
  /** For people, where it says more than the service: a projector's name. */
  readonly name?: string;
  /** Those that the process needs, and no others. */
  readonly dependencies: Partial<Connections>;
  readonly commit: string;
  readonly log: Log;
  readonly options: HttpOptions;
}

/**
 * Runs `work` with its metrics and health to be seen over HTTP.
 *
 * @throws TapeproofError UNREACHABLE when the port is in use; what `work` throws.
 */
export async function observed<Result>(
  { service, name, dependencies, commit, log, options }: Observed,
  work: (observation: Observation) => Promise<Result>,
): Promise<Result> {
  const observation = await startObservation({
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
  try {
    return await work(observation);
  } finally {
    await observation.close();
    restoreWarnings();
  }
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
