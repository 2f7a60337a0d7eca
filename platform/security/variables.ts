/**
 * The variables for the addresses of the services and the connections to them. docs/connections.md is generated from
 * this.
 */

export interface VariableDefinition {
  /** It may hold a password: it can also be given as a file, named by the variable with the suffix `_FILE`. */
  readonly secret?: true;
  readonly meaning: string;
}

const TLS = {
  ca: 'PEM file of the certificate authorities that are trusted, instead of those that Node knows',
  certificate: "PEM file of this process's certificate, with its chain, for mutual TLS",
  key: 'PEM file of the private key of that certificate',
  keyPassword: 'password of that key',
};

export const VARIABLES = {
  TAPEPROOF_KAFKA_BROKERS: { meaning: '`host:port`, several separated by commas' },
  TAPEPROOF_KAFKA_SECURITY_PROTOCOL: {
    meaning: '`PLAINTEXT` (without one), `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`, as in Kafka’s own settings',
  },
  TAPEPROOF_KAFKA_SASL_MECHANISM: { meaning: '`PLAIN`, `SCRAM-SHA-256`, `SCRAM-SHA-512` or `OAUTHBEARER`' },
  TAPEPROOF_KAFKA_USERNAME: { meaning: 'user name for PLAIN and SCRAM' },
  TAPEPROOF_KAFKA_PASSWORD: { secret: true, meaning: 'password for PLAIN and SCRAM' },
  TAPEPROOF_KAFKA_TOKEN: {
    secret: true,
    meaning: 'token for OAUTHBEARER; the file is read again each time Kafka asks for it',
  },
  TAPEPROOF_KAFKA_TOKEN_URL: { meaning: 'the address that issues tokens for client credentials (`https:`)' },
  TAPEPROOF_KAFKA_TOKEN_SCOPE: { meaning: 'scope requested there' },
  TAPEPROOF_KAFKA_TOKEN_CA_FILE: { meaning: 'PEM file of the certificate authorities trusted there' },
  TAPEPROOF_KAFKA_CLIENT_ID: { meaning: 'client id for TAPEPROOF_KAFKA_TOKEN_URL' },
  TAPEPROOF_KAFKA_CLIENT_SECRET: { secret: true, meaning: 'client secret for TAPEPROOF_KAFKA_TOKEN_URL' },
  TAPEPROOF_KAFKA_AWS_REGION: {
    meaning: 'region of an Amazon MSK cluster with IAM: tokens are signed with the AWS role of this process',
  },
  TAPEPROOF_KAFKA_CA_FILE: { meaning: TLS.ca },
  TAPEPROOF_KAFKA_CERTIFICATE_FILE: { meaning: TLS.certificate },
  TAPEPROOF_KAFKA_KEY_FILE: { meaning: TLS.key },
  TAPEPROOF_KAFKA_KEY_PASSWORD: { secret: true, meaning: TLS.keyPassword },

  TAPEPROOF_CHECKPOINT_KEY: {
    secret: true,
    meaning: 'private key that signs the heads of the logs, from `keygen`',
  },
  TAPEPROOF_DASHBOARD_TOKEN: {
    secret: true,
    meaning: 'token that `dashboard` requires, 16 characters or more',
  },

  TAPEPROOF_ALPACA_KEY_ID: {
    secret: true,
    meaning: 'key id of an account at Alpaca, for `ingest live` and `ingest past` of US stocks',
  },
  TAPEPROOF_ALPACA_SECRET_KEY: { secret: true, meaning: 'secret key of that account' },

  TAPEPROOF_REGISTRY_URL: { secret: true, meaning: '`http:` or `https:`, path included' },
  TAPEPROOF_REGISTRY_USERNAME: { meaning: 'user name for basic authentication' },
  TAPEPROOF_REGISTRY_PASSWORD: { secret: true, meaning: 'password for basic authentication' },
  TAPEPROOF_REGISTRY_TOKEN: { secret: true, meaning: 'bearer token; the file is read again for each request' },
  TAPEPROOF_REGISTRY_CA_FILE: { meaning: TLS.ca },
  TAPEPROOF_REGISTRY_CERTIFICATE_FILE: { meaning: TLS.certificate },
  TAPEPROOF_REGISTRY_KEY_FILE: { meaning: TLS.key },
  TAPEPROOF_REGISTRY_KEY_PASSWORD: { secret: true, meaning: TLS.keyPassword },

  TAPEPROOF_POSTGRES_URL: { secret: true, meaning: '`postgres://user:password@host:port/database`' },
  TAPEPROOF_POSTGRES_MIGRATOR_URL: {
    secret: true,
    meaning:
      'the same for the role that creates schemas, tables and views, where it differs; with user name and password',
  },
  TAPEPROOF_POSTGRES_READER_URL: {
    secret: true,
    meaning: 'the same for a role that only reads, for `dashboard`, where it differs; with user name and password',
  },
  TAPEPROOF_POSTGRES_USERNAME: { meaning: 'user name, where the URL has none' },
  TAPEPROOF_POSTGRES_PASSWORD: { secret: true, meaning: 'password, where the URL has none' },
  TAPEPROOF_POSTGRES_SSLMODE: {
    meaning:
      '`disable`, `no-verify`, `require`, `verify-ca` or `verify-full`, where the URL has no `sslmode`; see below',
  },
  TAPEPROOF_POSTGRES_CA_FILE: { meaning: TLS.ca },
  TAPEPROOF_POSTGRES_CERTIFICATE_FILE: { meaning: TLS.certificate },
  TAPEPROOF_POSTGRES_KEY_FILE: { meaning: TLS.key },
  TAPEPROOF_POSTGRES_KEY_PASSWORD: { secret: true, meaning: TLS.keyPassword },

  TAPEPROOF_REDIS_URL: { secret: true, meaning: '`redis:`, or `rediss:` for TLS' },
  TAPEPROOF_REDIS_USERNAME: { meaning: 'user name, where the URL has none' },
  TAPEPROOF_REDIS_PASSWORD: { secret: true, meaning: 'password, where the URL has none' },
  TAPEPROOF_REDIS_CA_FILE: { meaning: TLS.ca },
  TAPEPROOF_REDIS_CERTIFICATE_FILE: { meaning: TLS.certificate },
  TAPEPROOF_REDIS_KEY_FILE: { meaning: TLS.key },
  TAPEPROOF_REDIS_KEY_PASSWORD: { secret: true, meaning: TLS.keyPassword },
} as const satisfies Readonly<Record<`TAPEPROOF_${string}`, VariableDefinition>>;

export type Variable = keyof typeof VARIABLES;
export type SecretVariable = {
  [Name in Variable]: (typeof VARIABLES)[Name] extends { readonly secret: true } ? Name : never;
}[Variable];

/** A service, as named in the variables. */
export type ServiceKey = 'KAFKA' | 'REGISTRY' | 'POSTGRES' | 'REDIS';
