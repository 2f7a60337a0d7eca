import type { Kafka } from 'kafkajs';
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
import { firstSentence, readYaml } from './yaml-file.ts';

/**
 * The addresses of the services: the environment's TAPEPROOF_… variables, else the running local stack. The variables
 * for TLS and passwords apply from here on to every connection of the process.
 *
 * @throws TapeproofError UNREACHABLE where no services are known; CONFIGURATION where a variable is wrong.
 */
export function connections(): Connections {
  return connectionsBy(withLocalStack(process.env));
}

/** Like {@link connections}, but always the running local stack, whatever the environment names. */
export function localConnections(): Connections {
  return connectionsBy(withLocalStack(withoutServices(process.env)));
}

function connectionsBy(environment: Environment): Connections {
  useSettings(environment);
  // Wrong settings are reported before anything is begun.
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
    'No services are known: run "npx tapeproof stack up", or name your own in TAPEPROOF_KAFKA_BROKERS, TAPEPROOF_REGISTRY_URL, TAPEPROOF_POSTGRES_URL and TAPEPROOF_REDIS_URL.',
  );
}

/** After this long without an answer a person wants to know why the command waits. */
const SAID_AFTER_MS = 2_000;

/**
 * Kafka, once it answers, for a command that ends on its own. An outage is reported once, by the last sentence, unless
 * the environment asks for more.
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
 * @param changed - changes what was read before it is validated.
 * @throws TapeproofError CONFIGURATION, naming file and key.
 */
export async function readConfiguration(
  path: string,
  known: readonly Strategy[] = STRATEGIES,
  changed: (raw: unknown) => unknown = (raw) => raw,
): Promise<EngineConfiguration> {
  const raw = await readYaml(path, 'configuration');
  // Loaded on demand: time zone data would cost each command's start a tenth of a second.
  const { parseNewConfiguration } = await import('../evaluators/new-configuration.ts');
  try {
    return parseNewConfiguration(changed(raw), known);
  } catch (error) {
    throw new TapeproofError('CONFIGURATION', `${path}: ${firstSentence(error as Error)}`, { cause: error });
  }
}

/** Prints for people, or as JSON where --json was given. */
export function print(json: boolean | undefined, data: unknown, text: () => string): void {
  process.stdout.write(json === true ? `${JSON.stringify(data, undefined, 2)}\n` : `${text()}\n`);
}
