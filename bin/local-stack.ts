import type { Command } from 'commander';
import type { Environment } from '../platform/security/settings.ts';
import type { ServiceKey } from '../platform/security/variables.ts';
import { readEndpoints, stackOptionsFromEnvironment, type Role, type StackEndpoints } from '../stack/main.ts';

/** Whom a command is towards a secured local stack; one that is not here reads. */
const ROLE_OF_COMMAND: Readonly<Record<string, Role>> = {
  demo: 'operator',
  'ingest file': 'ingest',
  'ingest live': 'ingest',
  'engine run': 'engine',
  'projector run': 'projector',
  'projector rebuild': 'projector',
  'topics apply': 'operator',
  'contracts register': 'operator',
  migrate: 'operator',
  activate: 'operator',
  'tape cancel': 'operator',
  'tape correct': 'operator',
  'tape release': 'operator',
  'tape revoke-file': 'operator',
};

let role: Role = 'reader';

export function actAs(chosen: Role): void {
  role = chosen;
}

export function roleOf(command: Command): Role {
  const parent = command.parent?.parent ? `${command.parent.name()} ` : '';
  return ROLE_OF_COMMAND[`${parent}${command.name()}`] ?? 'reader';
}

const SERVICES = ['KAFKA', 'REGISTRY', 'POSTGRES', 'REDIS'] as const satisfies ServiceKey[];

/**
 * The environment, and for each service of which it says nothing what the running local stack says: an address of
 * somebody's own is not mixed with the local stack's certificates.
 */
export function withLocalStack(environment: Environment): Environment {
  const isNamed = (service: ServiceKey): boolean =>
    Object.entries(environment).some(([name, value]) => name.startsWith(`TAPEPROOF_${service}_`) && value !== '');
  const missing = SERVICES.filter((service) => !isNamed(service));
  if (missing.length === 0) return environment;
  const local = readEndpoints(stackOptionsFromEnvironment(environment).folder);
  if (local === undefined) return environment;
  const taken = Object.entries(variablesOf(local)).filter(([name]) =>
    missing.some((service) => name.startsWith(`TAPEPROOF_${service}_`)),
  );
  return { ...environment, ...Object.fromEntries(taken) };
}

function variablesOf({ settings, ...local }: StackEndpoints): Readonly<Record<string, string>> {
  return {
    TAPEPROOF_KAFKA_BROKERS: local.kafkaBrokers,
    TAPEPROOF_REGISTRY_URL: local.registryUrl,
    TAPEPROOF_POSTGRES_URL: local.postgresUrl,
    TAPEPROOF_REDIS_URL: local.redisUrl,
    ...settings?.[role],
  };
}
