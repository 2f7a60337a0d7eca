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
}

/** Adds --http-port and --http-host to a command that runs until it is stopped. */
export function withHttpOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--http-port <port>', 'where /metrics, /health and /ready answer; 0 takes a free one and logs it')
        .env('TAPEPROOF_HTTP_PORT')
        .default(0)
        .argParser(parsePort),
    )
    .addOption(new Option('--http-host <host>', 'the address that they answer at').default('127.0.0.1'));
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
    log,
  });
  try {
    return await work(observation);
  } finally {
    await observation.close();
  }
}
