import { TapeproofError } from './errors.ts';
import { keepSecret } from './security/redaction.ts';
import { credentialSettings, secretSetting, setting, type Environment } from './security/settings.ts';
import type { SecretVariable, ServiceKey } from './security/variables.ts';

/** The addresses of the services. */
export interface Connections {
  /** `host:port` each. */
  readonly kafkaBrokers: readonly string[];
  /** Base address of a Confluent-compatible schema registry, path included. */
  readonly registryUrl: string;
  /** Connects as a role that may write rows. */
  readonly postgresUrl: string;
  /**
   * Connects as the role that creates schemas, tables and views. Absent where `postgresUrl` may do that too: {@link
   * migratorUrlOf}.
   */
  readonly postgresMigratorUrl?: string;
  /** Connects as a role that only reads the stable views. Absent where there is none: {@link readerUrlOf}. */
  readonly postgresReaderUrl?: string;
  readonly redisUrl: string;
}

/** The URL for creating schemas, tables and views. */
export function migratorUrlOf({
  postgresUrl,
  postgresMigratorUrl,
}: Pick<Connections, 'postgresUrl' | 'postgresMigratorUrl'>): string {
  return postgresMigratorUrl ?? postgresUrl;
}

/** The URL for a process that only reads. */
export function readerUrlOf({
  postgresUrl,
  postgresReaderUrl,
}: Pick<Connections, 'postgresUrl' | 'postgresReaderUrl'>): string {
  return postgresReaderUrl ?? postgresUrl;
}

const BROKER = /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/;
const PORT_MAX = 65_535;
const POSTGRES_PROTOCOLS = ['postgres:', 'postgresql:'];

type UrlVariable = Extract<SecretVariable, `${string}_URL`>;

/**
 * Reads TAPEPROOF_KAFKA_BROKERS (comma-separated), TAPEPROOF_REGISTRY_URL, TAPEPROOF_POSTGRES_URL,
 * TAPEPROOF_POSTGRES_MIGRATOR_URL, TAPEPROOF_POSTGRES_READER_URL and TAPEPROOF_REDIS_URL; unset or empty ones are left out. User names and passwords
 * that have separate variables become part of the URL.
 *
 * @throws TapeproofError CONFIGURATION when a value is not an address. The message never repeats a URL: it may hold a password.
 */
export function connectionsFrom(environment: Environment): Partial<Connections> {
  const brokers = setting(environment, 'TAPEPROOF_KAFKA_BROKERS');
  const registryUrl = serviceUrl(environment, 'REGISTRY', ['http:', 'https:']);
  const postgresUrl = serviceUrl(environment, 'POSTGRES', POSTGRES_PROTOCOLS);
  const postgresMigratorUrl = urlSetting(environment, 'TAPEPROOF_POSTGRES_MIGRATOR_URL', POSTGRES_PROTOCOLS);
  const postgresReaderUrl = urlSetting(environment, 'TAPEPROOF_POSTGRES_READER_URL', POSTGRES_PROTOCOLS);
  const redisUrl = serviceUrl(environment, 'REDIS', ['redis:', 'rediss:']);
  return {
    ...(brokers === undefined ? {} : { kafkaBrokers: parseBrokers(brokers) }),
    ...(registryUrl === undefined ? {} : { registryUrl }),
    ...(postgresUrl === undefined ? {} : { postgresUrl }),
    ...(postgresMigratorUrl === undefined ? {} : { postgresMigratorUrl }),
    ...(postgresReaderUrl === undefined ? {} : { postgresReaderUrl }),
    ...(redisUrl === undefined ? {} : { redisUrl }),
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

/** A URL completed with the user name and password from the variables that accompany it. */
function serviceUrl(
  environment: Environment,
  service: Exclude<ServiceKey, 'KAFKA'>,
  protocols: readonly string[],
): string | undefined {
  const variable = `TAPEPROOF_${service}_URL` as const;
  const text = urlSetting(environment, variable, protocols);
  if (text === undefined) return undefined;
  const address = new URL(text);
  const { username, password } = credentialSettings(environment, service);
  for (const [part, name, value] of [
    ['username', 'USERNAME', username],
    ['password', 'PASSWORD', password],
  ] as const) {
    if (value === undefined) continue;
    if (address[part] !== '') {
      throw new TapeproofError(
        'CONFIGURATION',
        `${variable} holds a ${name.toLowerCase()} and TAPEPROOF_${service}_${name} is set too: give one of them.`,
      );
    }
    address[part] = encodeURIComponent(value);
  }
  // Kept as written: reassembling a URL may add a slash.
  return username === undefined && password === undefined ? text : address.href;
}

/** A URL as written; its password is registered for redaction. */
function urlSetting(environment: Environment, variable: UrlVariable, protocols: readonly string[]): string | undefined {
  const text = secretSetting(environment, variable);
  if (text === undefined) return undefined;
  if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
    throw new TapeproofError(
      'CONFIGURATION',
      `${variable} is not a valid address: give one that begins with ${protocols[0]}//.`,
    );
  }
  keepUrlPassword(text);
  return text;
}

/** Registers a URL's password for redaction. */
function keepUrlPassword(text: string): void {
  const { username, password } = new URL(text);
  keepSecret(decoded(password), decoded(username));
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A percent sign that encodes nothing is literal.
    return part;
  }
}
