import { TapeproofError } from './errors.ts';

/** Where the services answer. */
export interface Connections {
  /** `host:port` each. */
  readonly kafkaBrokers: readonly string[];
  /** Base address of a Confluent-compatible schema registry, path included. */
  readonly registryUrl: string;
  /** As a role that may write rows. */
  readonly postgresUrl: string;
  /** As the role that makes schemas, tables and views. Absent where `postgresUrl` may do that too: {@link migratorUrlOf}. */
  readonly postgresMigratorUrl?: string;
  readonly redisUrl: string;
}

/** Where schemas, tables and views are made. */
export function migratorUrlOf({
  postgresUrl,
  postgresMigratorUrl,
}: Pick<Connections, 'postgresUrl' | 'postgresMigratorUrl'>): string {
  return postgresMigratorUrl ?? postgresUrl;
}

type Environment = Readonly<Record<string, string | undefined>>;

const BROKER = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/;
const PORT_MAX = 65_535;

/**
 * Reads TAPEPROOF_KAFKA_BROKERS (comma-separated), TAPEPROOF_REGISTRY_URL, TAPEPROOF_POSTGRES_URL,
 * TAPEPROOF_POSTGRES_MIGRATOR_URL and TAPEPROOF_REDIS_URL; what is unset or empty is left out.
 *
 * @throws TapeproofError CONFIGURATION when a value is no address. The message never repeats a URL: it may hold a password.
 */
export function connectionsFrom(environment: Environment): Partial<Connections> {
  const brokers = environment['TAPEPROOF_KAFKA_BROKERS'];
  return {
    ...(brokers === undefined || brokers === '' ? {} : { kafkaBrokers: parseBrokers(brokers) }),
    ...url(environment, 'registryUrl', 'TAPEPROOF_REGISTRY_URL', ['http:', 'https:']),
    ...url(environment, 'postgresUrl', 'TAPEPROOF_POSTGRES_URL', ['postgres:', 'postgresql:']),
    ...url(environment, 'postgresMigratorUrl', 'TAPEPROOF_POSTGRES_MIGRATOR_URL', ['postgres:', 'postgresql:']),
    ...url(environment, 'redisUrl', 'TAPEPROOF_REDIS_URL', ['redis:', 'rediss:']),
  };
}

function parseBrokers(text: string): string[] {
  const brokers = text.split(',').map((broker) => broker.trim());
  for (const broker of brokers) {
    const port = Number(BROKER.exec(broker)?.[1] ?? 0);
    if (port < 1 || port > PORT_MAX) {
      throw new TapeproofError(
        'CONFIGURATION',
        `TAPEPROOF_KAFKA_BROKERS holds ${JSON.stringify(broker.slice(0, 100))}: give host:port, several separated by commas.`,
      );
    }
  }
  return brokers;
}

function url<Name extends 'registryUrl' | 'postgresUrl' | 'postgresMigratorUrl' | 'redisUrl'>(
  environment: Environment,
  name: Name,
  variable: string,
  protocols: readonly string[],
): Partial<Record<Name, string>> {
  const text = environment[variable];
  if (text === undefined || text === '') return {};
  if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
    throw new TapeproofError(
      'CONFIGURATION',
      `${variable} is no address: give one that begins with ${protocols[0]}//.`,
    );
  }
  return { [name]: text } as Partial<Record<Name, string>>;
}
