import { TapeproofError } from '../platform/errors.ts';
import type { Environment } from '../platform/security/settings.ts';
import type { ServiceKey } from '../platform/security/variables.ts';
import { stackOptionsFromEnvironment, type StackEndpoints } from '../stack/options.ts';
import { readEndpoints } from '../stack/record.ts';
import { currentRole } from './role.ts';

const SERVICES = ['KAFKA', 'REGISTRY', 'POSTGRES', 'REDIS'] as const satisfies ServiceKey[];

/**
 * The environment, completed for each service that it does not configure by the running local stack: a user's own
 * address is never combined with the local stack's certificates or its migrator.
 */
export function withLocalStack(environment: Environment): Environment {
  const missing = SERVICES.filter((service) => !isNamed(environment, service));
  if (missing.length === 0) return environment;
  const local = readEndpoints(stackOptionsFromEnvironment(environment).folder);
  if (local === undefined) return environment;
  const taken = Object.entries(variablesOf(local)).filter(([name]) => missing.some((service) => isOf(service, name)));
  return { ...environment, ...Object.fromEntries(taken) };
}

/** The missing address variable of a service that the environment otherwise configures. */
export function missingAddress(environment: Environment): string | undefined {
  return SERVICES.filter((service) => isNamed(environment, service))
    .map((service) => (service === 'KAFKA' ? 'TAPEPROOF_KAFKA_BROKERS' : `TAPEPROOF_${service}_URL`))
    .find((address) => !environment[address] && !environment[`${address}_FILE`]);
}

/** The environment without settings for services: with it a process works on the local stack. */
export function withoutServices(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !SERVICES.some((service) => isOf(service, name))),
  );
}

function isNamed(environment: Environment, service: ServiceKey): boolean {
  return Object.entries(environment).some(([name, value]) => isOf(service, name) && value !== '');
}

function isOf(service: ServiceKey, variable: string): boolean {
  return variable.startsWith(`TAPEPROOF_${service}_`);
}

/** @throws TapeproofError CONFIGURATION where an earlier version secured the stack, without this role. */
function variablesOf({ settings, ...local }: StackEndpoints): Readonly<Record<string, string>> {
  const role = currentRole();
  if (settings !== undefined && settings[role] === undefined) {
    throw new TapeproofError(
      'CONFIGURATION',
      `The local stack has no principal for the role ${role}, which an earlier version did not know: run "npx tapeproof stack up", which adds it.`,
    );
  }
  return {
    TAPEPROOF_KAFKA_BROKERS: local.kafkaBrokers,
    TAPEPROOF_REGISTRY_URL: local.registryUrl,
    TAPEPROOF_POSTGRES_URL: local.postgresUrl,
    TAPEPROOF_POSTGRES_MIGRATOR_URL: local.postgresMigratorUrl,
    TAPEPROOF_POSTGRES_READER_URL: local.postgresReaderUrl,
    TAPEPROOF_REDIS_URL: local.redisUrl,
    ...settings?.[role],
  };
}
