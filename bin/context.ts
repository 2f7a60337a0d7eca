import type { Kafka } from 'kafkajs';
import { readFile } from 'node:fs/promises';
import { parseDocument, YAMLError } from 'yaml';
import type { EngineConfiguration } from '../evaluators/configuration.ts';
import { STRATEGIES } from '../evaluators/strategies/registry.ts';
import type { Strategy } from '../evaluators/strategies/strategy.ts';
import { connectionsFrom, type Connections } from '../platform/connections.ts';
import { TapeproofError } from '../platform/errors.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { kafkaSecurityFrom } from '../platform/kafka/security.ts';
import { createLog } from '../platform/log.ts';
import { useSettings } from '../platform/security/settings.ts';
import { withLocalStack } from './local-stack.ts';

/** Who ends a whole process group reaches this process twice: directly, and through the launcher that passes it on. */
const SAME_ORDER_MS = 1_000;

/** Aborted by the first Ctrl-C, SIGTERM or SIGHUP: work finishes its batch, commits and leaves. A later one ends at once. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  let firstMs = 0;
  const interrupt = (signal: NodeJS.Signals) => {
    if (!controller.signal.aborted) {
      firstMs = performance.now();
      controller.abort(signal);
    } else if (performance.now() - firstMs > SAME_ORDER_MS) process.exit(130);
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt);
  return controller.signal;
}

/** Who started this process with a channel, the launcher or the demo, and goes, however it goes, ends it as by SIGTERM. */
export function endWithStarter(): void {
  const end = () => process.kill(process.pid, 'SIGTERM');
  // False where it went while the modules were loaded, undefined where there never was a channel.
  if ((process as { readonly connected?: boolean }).connected === false) end();
  process.once('disconnect', end);
  // Else the channel would keep a process alive that is done.
  process.channel?.unref();
}

/**
 * Where the services are: the environment's TAPEPROOF_… variables, else the running local stack. What else these
 * variables say, of TLS and passwords, holds from here on for every connection of the process.
 *
 * @throws TapeproofError UNREACHABLE where no services are known; CONFIGURATION where a variable is wrong.
 */
export function connections(): Connections {
  const environment = withLocalStack(process.env);
  useSettings(environment);
  // Wrong settings are said before anything is begun.
  kafkaSecurityFrom(environment);
  const { kafkaBrokers, registryUrl, postgresUrl, redisUrl } = connectionsFrom(environment);
  if (kafkaBrokers && registryUrl && postgresUrl && redisUrl) {
    return { kafkaBrokers, registryUrl, postgresUrl, redisUrl };
  }
  throw new TapeproofError(
    'UNREACHABLE',
    'No services are known: run "npx tapeproof stack up", or name yours in TAPEPROOF_KAFKA_BROKERS, TAPEPROOF_REGISTRY_URL, TAPEPROOF_POSTGRES_URL and TAPEPROOF_REDIS_URL.',
  );
}

/** Kafka for a command that ends by itself: an outage is said once, by its last sentence, unless the environment asks for more. */
export function kafkaFor(command: string): Kafka {
  const clientId = `tapeproof-${command}`;
  return createKafka(connections().kafkaBrokers, clientId, createLog(clientId, 'error'));
}

export const DEFAULT_CONFIGURATION_FILE = 'config/engine.yaml';

/**
 * Reads and validates an engine configuration.
 *
 * @param known - the strategies that it may name.
 * @throws TapeproofError CONFIGURATION, naming file and key.
 */
export async function readConfiguration(
  path: string,
  known: readonly Strategy[] = STRATEGIES,
): Promise<EngineConfiguration> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new TapeproofError(
      'CONFIGURATION',
      `The configuration ${path} cannot be read (${(error as Error).message}): name one with --config.`,
      { cause: error },
    );
  }
  try {
    const document = parseDocument(text);
    // What YAML only warns of, such as a tag that it does not know, is no configuration of ours either.
    const [wrong] = [...document.errors, ...document.warnings];
    if (wrong !== undefined) throw wrong;
    // Loaded where it is needed: the data of time zones would cost each command's start a tenth of a second.
    const { parseNewConfiguration } = await import('../evaluators/new-configuration.ts');
    return parseNewConfiguration(document.toJS(), known);
  } catch (error) {
    const place = error instanceof YAMLError && error.linePos ? ` line ${error.linePos[0].line}` : '';
    throw new TapeproofError('CONFIGURATION', `${path}${place}: ${sentenceOf(error as Error)}`, {
      cause: error,
    });
  }
}

/** The first line of a message, which YAML's ends with the place and a colon before an excerpt. */
function sentenceOf({ message }: Error): string {
  return (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:$/, '.');
}

/** Prints for people, or as JSON where --json was given. */
export function print(json: boolean | undefined, data: unknown, text: () => string): void {
  process.stdout.write(json === true ? `${JSON.stringify(data, undefined, 2)}\n` : `${text()}\n`);
}
