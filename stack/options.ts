import { randomInt } from 'node:crypto';
import { join, resolve } from 'node:path';
import { EXIT_BAD_CONFIGURATION, StackError } from './errors.ts';
import { ROLES, type Role } from './kafka-principals.ts';
import { isPortFree } from './port.ts';
import { POSTGRES_DATABASE, POSTGRES_ROLES } from './postgres-roles.ts';
import { REDIS_APPLICATION } from './redis-users.ts';
import type { SecuredSecrets, StackSecrets } from './secrets.ts';
import { REGISTRY_USER, roleSettings } from './security.ts';

/** The services of a stack with one broker, each after those it needs. */
export const SERVICE_NAMES = ['kafka', 'registry', 'postgres', 'redis'] as const;
/** Kafka's brokers: a stack has the first one, or all. */
export const BROKERS = ['kafka', 'kafka2', 'kafka3'] as const;
export type Broker = (typeof BROKERS)[number];
export type ServiceName = (typeof SERVICE_NAMES)[number] | Broker;
/** With three, one may fail: every record is on all of them, and acknowledged by two. */
export const BROKER_COUNTS = [1, 3] as const;
export type BrokerCount = (typeof BROKER_COUNTS)[number];

/** The services of a stack with so many brokers, each after those it needs. */
export function servicesOf(brokers: BrokerCount): readonly ServiceName[] {
  return [...BROKERS.slice(0, brokers), ...SERVICE_NAMES.filter((name) => name !== 'kafka')];
}

/** Every service that a stack may have. */
export const ALL_SERVICES = servicesOf(3);

/** TCP ports on 127.0.0.1. `controller…` is the second port of a broker, which only Kafka uses. */
export interface StackPorts {
  readonly kafka: number;
  readonly controller: number;
  readonly kafka2: number;
  readonly controller2: number;
  readonly kafka3: number;
  readonly controller3: number;
  readonly registry: number;
  readonly postgres: number;
  readonly redis: number;
}

export interface StackOptions {
  /** Absolute: data, logs and process records of this stack. */
  readonly folder: string;
  /** Absolute: downloads, shared by all stacks of this checkout. */
  readonly partsFolder: string;
  readonly ports: StackPorts;
  /** Bring it up with TLS, passwords and access rules; a secured stack stays secured until it is reset. */
  readonly secure?: boolean;
  /** Brokers of Kafka, fixed until the stack is reset: by default those that it has, or one. */
  readonly brokers?: BrokerCount;
  /** It is gone in minutes: Java compiles what Kafka runs quickly, not well, which takes half the processor time of a start. */
  readonly isShortLived?: boolean;
}

/** The ports of a broker: clients use the first, Kafka's controllers the second. */
export const PORTS_OF_BROKER = {
  kafka: ['kafka', 'controller'],
  kafka2: ['kafka2', 'controller2'],
  kafka3: ['kafka3', 'controller3'],
} as const satisfies Record<Broker, readonly (keyof StackPorts)[]>;

/** The addresses of Kafka's brokers, in the form of TAPEPROOF_KAFKA_BROKERS. */
export function brokerAddresses(ports: StackPorts, brokers: BrokerCount): string {
  return BROKERS.slice(0, brokers)
    .map((broker) => `127.0.0.1:${ports[broker]}`)
    .join(',');
}

/** The addresses of the four services, in the form of TAPEPROOF_KAFKA_BROKERS and its siblings. */
export interface StackEndpoints {
  readonly kafkaBrokers: string;
  /** The Confluent-compatible base address, path included. */
  readonly registryUrl: string;
  /** As the role of the projectors. The URLs of Postgres and Redis hold passwords. */
  readonly postgresUrl: string;
  /** As the role that creates schemas and tables. */
  readonly postgresMigratorUrl: string;
  /** As the role that reads the views, for your own tools. */
  readonly postgresReaderUrl: string;
  readonly redisUrl: string;
  /** 100,000 rows of Bitstamp BTC/USD: `timestamp,price,amount`, with that header. */
  readonly bitstampTradesFile: string;
  /**
   * For a secured stack: the other TAPEPROOF_… variables, by role. They hold passwords. A stack that an earlier version
   * started may lack a role.
   */
  readonly settings?: Readonly<Partial<Record<Role, Readonly<Record<string, string>>>>>;
}

const REPOSITORY = resolve(import.meta.dirname, '..');

export const DEFAULT_STACK_OPTIONS: StackOptions = {
  folder: join(REPOSITORY, '.tapeproof', 'stack'),
  partsFolder: join(REPOSITORY, '.tapeproof', 'parts'),
  ports: {
    ...{ kafka: 19092, controller: 19093, kafka2: 19094, controller2: 19095, kafka3: 19096, controller3: 19097 },
    ...{ registry: 18081, postgres: 15432, redis: 16379 },
  },
};

const PORT_NAMES = Object.keys(DEFAULT_STACK_OPTIONS.ports) as (keyof StackPorts)[];
const PORT_MAX = 65_535;
const URL_PASSWORD = /^(\w+:\/\/[^:@/]*):[^@/]*@/;

/**
 * The defaults, changed by TAPEPROOF_STACK_FOLDER, TAPEPROOF_STACK_PARTS_FOLDER and a variable for each port:
 * TAPEPROOF_STACK_PORT_{KAFKA,CONTROLLER,KAFKA2,…}.
 * @throws StackError (exit code 2) for an invalid port, or one that two services share.
 */
export function stackOptionsFromEnvironment(environment: Readonly<Record<string, string | undefined>>): StackOptions {
  const ports = { ...DEFAULT_STACK_OPTIONS.ports };
  for (const name of PORT_NAMES) {
    const variable = `TAPEPROOF_STACK_PORT_${name.toUpperCase()}`;
    const text = environment[variable];
    if (text !== undefined && text !== '') ports[name] = parsePort(variable, text);
  }
  assertSeparatePorts(ports, 1);
  return {
    folder: resolve(environment['TAPEPROOF_STACK_FOLDER'] ?? DEFAULT_STACK_OPTIONS.folder),
    partsFolder: resolve(environment['TAPEPROOF_STACK_PARTS_FOLDER'] ?? DEFAULT_STACK_OPTIONS.partsFolder),
    ports,
  };
}

/** @throws StackError (exit code 2) where two services of a stack with so many brokers share a port. */
export function assertSeparatePorts(ports: StackPorts, brokers: BrokerCount): void {
  const unused: readonly string[] = BROKERS.slice(brokers).flatMap((broker) => PORTS_OF_BROKER[broker]);
  const used = PORT_NAMES.filter((name) => !unused.includes(name));
  if (new Set(used.map((name) => ports[name])).size === used.length) return;
  const list = used.map((name) => `${name} ${String(ports[name])}`).join(', ');
  throw new StackError(
    `Two services of the stack share a port (${list}): give each a separate one.`,
    EXIT_BAD_CONFIGURATION,
  );
}

function parsePort(variable: string, text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > PORT_MAX) {
    throw new StackError(`${variable} is "${text}": give a port from 1 to ${PORT_MAX}.`, EXIT_BAD_CONFIGURATION);
  }
  return port;
}

// Below the range from which Linux (32768) and macOS (49152) take ports for outgoing connections, so that a free port
// stays free until its service binds it.
const FREE_PORT_FROM = 20_000;
const FREE_PORT_TO = 32_000;
const FREE_PORT_ATTEMPTS = 1_000;

/** Ports that are free now, for a test that runs its own stack. */
export async function freePorts(): Promise<StackPorts> {
  const found = new Set<number>();
  for (let attempt = 0; attempt < FREE_PORT_ATTEMPTS && found.size < PORT_NAMES.length; attempt++) {
    const port = randomInt(FREE_PORT_FROM, FREE_PORT_TO);
    if (await isPortFree(port)) found.add(port);
  }
  if (found.size < PORT_NAMES.length) {
    throw new StackError(
      `There are not ${PORT_NAMES.length} free ports between ${FREE_PORT_FROM} and ${FREE_PORT_TO} on 127.0.0.1.`,
    );
  }
  const numbers = [...found];
  return Object.fromEntries(PORT_NAMES.map((name, index) => [name, numbers[index]])) as unknown as StackPorts;
}

export function endpointsOf(
  { ports, folder, brokers = 1 }: Pick<StackOptions, 'ports' | 'folder' | 'brokers'>,
  secrets: StackSecrets,
  bitstampTradesFile: string,
): StackEndpoints {
  const { secured } = secrets;
  const postgresUrl = (role: string, password: string): string =>
    `postgres://${role}:${password}@127.0.0.1:${ports.postgres}/${POSTGRES_DATABASE}`;
  const registry = secured === undefined ? 'http://' : `https://${REGISTRY_USER}:${secured.registry}@`;
  const redis = secured === undefined ? 'redis' : 'rediss';
  return {
    kafkaBrokers: brokerAddresses(ports, brokers),
    registryUrl: `${registry}127.0.0.1:${ports.registry}/apis/ccompat/v7`,
    postgresUrl: postgresUrl(POSTGRES_ROLES.projector, secrets.postgresProjector),
    postgresMigratorUrl: postgresUrl(POSTGRES_ROLES.migrator, secrets.postgresMigrator),
    postgresReaderUrl: postgresUrl(POSTGRES_ROLES.reader, secrets.postgresReader),
    redisUrl: `${redis}://${REDIS_APPLICATION}:${secrets.redisApplication}@127.0.0.1:${ports.redis}`,
    bitstampTradesFile,
    ...(secured === undefined ? {} : { settings: settingsByRole(folder, secured) }),
  };
}

function settingsByRole(folder: string, secured: SecuredSecrets): NonNullable<StackEndpoints['settings']> {
  const entries = ROLES.map((role) => [role, roleSettings(folder, secured, role)] as const);
  return Object.fromEntries(entries);
}

/** The addresses for display: passwords in URLs are left out, and so are the settings, which also hold some. */
export function withoutPasswords({
  settings: _settings,
  ...addresses
}: StackEndpoints): Omit<StackEndpoints, 'settings'> {
  return Object.fromEntries(
    Object.entries(addresses).map(([name, value]) => [name, value.replace(URL_PASSWORD, '$1@')]),
  ) as unknown as Omit<StackEndpoints, 'settings'>;
}
