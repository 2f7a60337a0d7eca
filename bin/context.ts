import type { Kafka } from 'kafkajs';
import { readFile } from 'node:fs/promises';
import type { EngineConfiguration } from '../evaluators/configuration.ts';
import { STRATEGIES } from '../evaluators/strategies/catalogue.ts';
import type { Strategy } from '../evaluators/strategies/strategy.ts';
import { connectionsFrom, type Connections } from '../platform/connections.ts';
import { TapeproofError } from '../platform/errors.ts';
import { assertKafkaAnswers, createKafka } from '../platform/kafka/client.ts';
import { kafkaSecurityFrom } from '../platform/kafka/security.ts';
import { createLog } from '../platform/log.ts';
import { useSettings, type Environment } from '../platform/security/settings.ts';
import { missingAddress, withLocalStack, withoutServices } from './local-stack.ts';

/**
 * Where the services are: the environment's TAPEPROOF_… variables, else the running local stack. What else these
 * variables say, of TLS and passwords, holds from here on for every connection of the process.
 *
 * @throws TapeproofError UNREACHABLE where no services are known; CONFIGURATION where a variable is wrong.
 */
export function connections(): Connections {
  return connectionsBy(withLocalStack(process.env));
}

/** As {@link connections}, where the services of the running local stack are, whatever the environment names. */
export function localConnections(): Connections {
  return connectionsBy(withLocalStack(withoutServices(process.env)));
}

function connectionsBy(environment: Environment): Connections {
  useSettings(environment);
  // Wrong settings are said before anything is begun.
  kafkaSecurityFrom(environment);
  const named = connectionsFrom(environment);
  const { kafkaBrokers, registryUrl, postgresUrl, redisUrl } = named;
  if (kafkaBrokers && registryUrl && postgresUrl && redisUrl) {
    return { ...named, kafkaBrokers, registryUrl, postgresUrl, redisUrl };
  }
  const missing = missingAddress(environment);
  if (missing !== undefined) {
    throw new TapeproofError(
      'CONFIGURATION',
      `${missing} is not set, but other variables of the same service are: set it too, or none of them for the local stack.`,
    );
  }
  throw new TapeproofError(
    'UNREACHABLE',
    'No services are known: run "npx tapeproof stack up", or name yours in TAPEPROOF_KAFKA_BROKERS, TAPEPROOF_REGISTRY_URL, TAPEPROOF_POSTGRES_URL and TAPEPROOF_REDIS_URL.',
  );
}

/** After this long without an answer a person wants to know what is waited for. */
const SAID_AFTER_MS = 2_000;

/**
 * Kafka for a command that ends by itself, once it answers. An outage is said once, by the last sentence, unless the
 * environment asks for more.
 *
 * @throws TapeproofError UNREACHABLE, before anything is done.
 */
export async function answeringKafka(command: string): Promise<Kafka> {
  const clientId = `tapeproof-${command}`;
  const { kafkaBrokers } = connections();
  const timer = setTimeout(() => {
    process.stderr.write('tapeproof: Kafka has not answered yet: still waiting …\n');
  }, SAID_AFTER_MS);
  try {
    await assertKafkaAnswers(kafkaBrokers, clientId);
  } finally {
    clearTimeout(timer);
  }
  return createKafka(kafkaBrokers, clientId, createLog(clientId, 'error'));
}

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
  // Loaded where it is needed: most commands read no configuration.
  const { parseDocument, YAMLError } = await import('yaml');
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
