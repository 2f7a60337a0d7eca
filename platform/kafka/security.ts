import type { ConnectionOptions as BaseOptions, SASLOptions as PlatformaticSasl } from '@platformatic/kafka';
import type { KafkaConfig, Mechanism, SASLOptions } from 'kafkajs';
import { isIP } from 'node:net';
import { TapeproofError } from '../errors.ts';
import { credentialSettings, secretSetting, setting, settings, type Environment } from '../security/settings.ts';
import { tlsFrom, type TlsOptions } from '../security/tls.ts';
import { tokenByAwsRole } from './msk-token.ts';
import { kafkajsOAuthBearer, refuseRefusedToken } from './oauth-bearer.ts';
import { tokenByClientCredentials } from './token.ts';

const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;

type PasswordMechanism = Exclude<(typeof MECHANISMS)[number], 'OAUTHBEARER'>;

type Sasl =
  | { readonly mechanism: PasswordMechanism; readonly username: string; readonly password: string }
  | { readonly mechanism: 'OAUTHBEARER'; readonly token: () => Promise<string> };

/** How to connect to Kafka: one description, converted for each client library. */
export interface KafkaSecurity {
  /** Absent: plain text. */
  readonly tls?: TlsOptions;
  /** Absent: the client does not authenticate, unless by a certificate. */
  readonly sasl?: Sasl;
}

/**
 * Reads TAPEPROOF_KAFKA_SECURITY_PROTOCOL and its companions.
 *
 * @throws TapeproofError CONFIGURATION when a setting is missing, contradicts another or cannot be used.
 */
export function kafkaSecurityFrom(environment: Environment = settings()): KafkaSecurity {
  const protocol = choice(environment, 'TAPEPROOF_KAFKA_SECURITY_PROTOCOL', PROTOCOLS) ?? 'PLAINTEXT';
  const withTls = protocol === 'SSL' || protocol === 'SASL_SSL';
  const tls = tlsFrom(environment, 'KAFKA');
  const sasl = saslFrom(environment);
  if (!withTls && tls !== undefined) throw contradiction(protocol, 'a certificate', 'SSL or SASL_SSL');
  if (!protocol.startsWith('SASL_') && sasl !== undefined) {
    throw contradiction(protocol, 'TAPEPROOF_KAFKA_SASL_MECHANISM', 'SASL_SSL');
  }
  if (protocol.startsWith('SASL_') && sasl === undefined) {
    throw new TapeproofError(
      'CONFIGURATION',
      `TAPEPROOF_KAFKA_SECURITY_PROTOCOL is ${protocol}: set TAPEPROOF_KAFKA_SASL_MECHANISM to one of ${MECHANISMS.join(', ')}.`,
    );
  }
  return { ...(withTls ? { tls: tls ?? {} } : {}), ...(sasl === undefined ? {} : { sasl }) };
}

function contradiction(protocol: string, what: string, wanted: string): TapeproofError {
  return new TapeproofError(
    'CONFIGURATION',
    `${what} is set for Kafka and TAPEPROOF_KAFKA_SECURITY_PROTOCOL is ${protocol}: set it to ${wanted}.`,
  );
}

function saslFrom(environment: Environment): Sasl | undefined {
  const mechanism = choice(environment, 'TAPEPROOF_KAFKA_SASL_MECHANISM', MECHANISMS);
  if (mechanism === undefined) return undefined;
  if (mechanism === 'OAUTHBEARER') return { mechanism, token: tokenSource(environment) };
  const { username, password } = credentialSettings(environment, 'KAFKA');
  if (username === undefined || password === undefined) {
    throw new TapeproofError(
      'CONFIGURATION',
      `${mechanism} needs a user name and a password: set TAPEPROOF_KAFKA_USERNAME, and TAPEPROOF_KAFKA_PASSWORD or TAPEPROOF_KAFKA_PASSWORD_FILE.`,
    );
  }
  return { mechanism, username, password };
}

function tokenSource(environment: Environment): () => Promise<string> {
  const read = (): string | undefined => secretSetting(environment, 'TAPEPROOF_KAFKA_TOKEN');
  // Read again each time: renewing the token replaces the file.
  const given = read() === undefined ? undefined : () => Promise.resolve().then(() => read() ?? '');
  const sources = [given, tokenByClientCredentials(environment), tokenByAwsRole(environment)];
  const [source, another] = sources.filter((each) => each !== undefined);
  if (source !== undefined && another === undefined) return source;
  throw new TapeproofError(
    'CONFIGURATION',
    'OAUTHBEARER needs one source of tokens: set TAPEPROOF_KAFKA_TOKEN_FILE, or TAPEPROOF_KAFKA_TOKEN_URL with TAPEPROOF_KAFKA_CLIENT_ID and TAPEPROOF_KAFKA_CLIENT_SECRET_FILE, or TAPEPROOF_KAFKA_AWS_REGION.',
  );
}

function choice<Choice extends string>(
  environment: Environment,
  variable: 'TAPEPROOF_KAFKA_SECURITY_PROTOCOL' | 'TAPEPROOF_KAFKA_SASL_MECHANISM',
  choices: readonly Choice[],
): Choice | undefined {
  const value = setting(environment, variable);
  if (value === undefined) return undefined;
  const found = choices.find((candidate) => candidate === value.toUpperCase());
  if (found !== undefined) return found;
  throw new TapeproofError('CONFIGURATION', `${variable} is not one of ${choices.join(', ')}: give one of these.`);
}

/** For kafkajs. Its `ssl` reaches our own socket factory. */
export function kafkajsSecurity({ tls, sasl }: KafkaSecurity): Pick<KafkaConfig, 'ssl' | 'sasl'> {
  return { ssl: tls ?? false, ...(sasl === undefined ? {} : { sasl: kafkajsSasl(sasl) }) };
}

function kafkajsSasl(sasl: Sasl): SASLOptions | Mechanism {
  if (sasl.mechanism === 'OAUTHBEARER') return kafkajsOAuthBearer(sasl.token);
  const { username, password } = sasl;
  const mechanism = sasl.mechanism.toLowerCase() as Lowercase<PasswordMechanism>;
  const named: SASLOptions = { mechanism, username, password };
  return named;
}

/** For `@platformatic/kafka`. @param brokers `host:port` each. */
export function platformaticSecurity(
  { tls, sasl }: KafkaSecurity,
  brokers: readonly string[],
): Pick<BaseOptions, 'tls' | 'tlsServerName' | 'sasl'> {
  // An IP address cannot be a server name, and brokers reached by address are advertised by address.
  const byName = brokers.every((broker) => isIP(broker.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')) === 0);
  const named: PlatformaticSasl | undefined =
    sasl?.mechanism === 'OAUTHBEARER' ? { ...sasl, authBytesValidator: refuseRefusedToken } : sasl;
  return {
    ...(tls === undefined ? {} : { tls, tlsServerName: byName }),
    ...(named === undefined ? {} : { sasl: named }),
  };
}
