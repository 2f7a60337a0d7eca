/**
 * docker-compose.secure.yml, which is laid over docker-compose.yml: Kafka and the registry admit only principals with
 * a password, each with the rules of `stack up --secure`. Without TLS: what they say stays on this machine, in the network of its containers.
 */
import { stringify } from 'yaml';
import { KAFKA_PASSWORD_VARIABLES, passwordVariableOf } from '../../stack/kafka-passwords.ts';
import { KAFKA_ADMINISTRATOR, principalOf, REGISTRY_PRINCIPAL, ROLES } from '../../stack/kafka-principals.ts';
import { REGISTRY_USER } from '../../stack/security.ts';
import { SERVICES, type DeployedService } from '../services.ts';
import { COMPOSE_YAML, ENDS, KAFKA_BROKERS, OURS } from './ours.ts';
import { required, type ComposeService } from './file.ts';

export const SECURED_FILE = 'docker-compose.secure.yml';

const ACCESS = 'kafka-access';
const REGISTRY_PASSWORD = 'TAPEPROOF_REGISTRY_PASSWORD';
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
const SCRAM = 'org.apache.kafka.common.security.scram.ScramLoginModule required';
const SCRAM_MECHANISM = 'SCRAM-SHA-512';
const GRANTED = { [ACCESS]: { condition: 'service_completed_successfully' } } as const;

const administrator = required(KAFKA_PASSWORD_VARIABLES.administrator);
const asAdministrator = `${PLAIN} username="${KAFKA_ADMINISTRATOR}" password="${administrator}"`;
/** Who connects so is the administrator, and who is connected to knows him: the broker must before it stores passwords. */
const administration = `${asAdministrator} user_${KAFKA_ADMINISTRATOR}="${administrator}";`;

/** The image reads the names of Kafka's settings from variables: `_` is a dot, `___` a hyphen. */
const KAFKA: Partial<ComposeService> = {
  environment: {
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'HOST:SASL_PLAINTEXT,INTERNAL:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT',
    KAFKA_SASL_MECHANISM_INTER_BROKER_PROTOCOL: 'PLAIN',
    KAFKA_SASL_MECHANISM_CONTROLLER_PROTOCOL: 'PLAIN',
    KAFKA_LISTENER_NAME_HOST_SASL_ENABLED_MECHANISMS: SCRAM_MECHANISM,
    KAFKA_LISTENER_NAME_HOST_SCRAM___SHA___512_SASL_JAAS_CONFIG: `${SCRAM};`,
    KAFKA_LISTENER_NAME_INTERNAL_SASL_ENABLED_MECHANISMS: `PLAIN,${SCRAM_MECHANISM}`,
    KAFKA_LISTENER_NAME_INTERNAL_PLAIN_SASL_JAAS_CONFIG: administration,
    KAFKA_LISTENER_NAME_INTERNAL_SCRAM___SHA___512_SASL_JAAS_CONFIG: `${SCRAM};`,
    KAFKA_LISTENER_NAME_CONTROLLER_SASL_ENABLED_MECHANISMS: 'PLAIN',
    KAFKA_LISTENER_NAME_CONTROLLER_PLAIN_SASL_JAAS_CONFIG: administration,
    KAFKA_AUTHORIZER_CLASS_NAME: 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND: 'false',
    KAFKA_SUPER_USERS: `User:${KAFKA_ADMINISTRATOR}`,
    // Of the check of health; it does not begin with KAFKA_, and so is no setting.
    CHECK_JAAS: `${asAdministrator};`,
  },
  healthcheck: {
    test: [
      'CMD-SHELL',
      // In a file that nobody else reads, so that no password is among a process's arguments.
      [
        'umask 077',
        `printf 'security.protocol=SASL_PLAINTEXT\\nsasl.mechanism=PLAIN\\nsasl.jaas.config=%s\\n' "$$CHECK_JAAS" > /tmp/check.properties`,
        '/opt/kafka/bin/kafka-broker-api-versions.sh --bootstrap-server localhost:9092 --command-config /tmp/check.properties',
      ].join(' && '),
    ],
    ...{ interval: '5s', timeout: '10s', retries: 24 },
  },
};

const REGISTRY: Partial<ComposeService> = {
  environment: {
    APICURIO_KAFKA_COMMON_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
    APICURIO_KAFKA_COMMON_SASL_MECHANISM: SCRAM_MECHANISM,
    APICURIO_KAFKA_COMMON_SASL_JAAS_CONFIG: `${SCRAM} username="${REGISTRY_PRINCIPAL}" password="${required(KAFKA_PASSWORD_VARIABLES.registry)}";`,
    QUARKUS_HTTP_AUTH_BASIC: 'true',
    QUARKUS_SECURITY_USERS_EMBEDDED_ENABLED: 'true',
    QUARKUS_SECURITY_USERS_EMBEDDED_PLAIN_TEXT: 'true',
    [`QUARKUS_SECURITY_USERS_EMBEDDED_USERS_${REGISTRY_USER.toUpperCase()}`]: required(REGISTRY_PASSWORD),
    [`QUARKUS_SECURITY_USERS_EMBEDDED_ROLES_${REGISTRY_USER.toUpperCase()}`]: 'sr-admin',
    QUARKUS_HTTP_AUTH_PERMISSION_EVERYTHING_PATHS: '/*',
    QUARKUS_HTTP_AUTH_PERMISSION_EVERYTHING_POLICY: 'authenticated',
  },
  depends_on: GRANTED,
  healthcheck: {
    test: [
      'CMD-SHELL',
      // Curl reads the password from its standard input.
      `printf 'user = "${REGISTRY_USER}:%s"' "$$QUARKUS_SECURITY_USERS_EMBEDDED_USERS_${REGISTRY_USER.toUpperCase()}" | curl --config - --fail --silent http://localhost:8080/apis/ccompat/v7/subjects`,
    ],
    ...{ interval: '5s', timeout: '5s', retries: 36 },
  },
};

/** Gives the principals their passwords and rules, at each start. */
const GRANTING: ComposeService = {
  ...OURS,
  entrypoint: ['node', 'stack/grant-access.ts'],
  command: [KAFKA_BROKERS],
  environment: Object.fromEntries(
    [...Object.values(KAFKA_PASSWORD_VARIABLES), ...ROLES.map(passwordVariableOf)].map((name) => [
      name,
      required(name),
    ]),
  ),
  depends_on: { kafka: { condition: 'service_healthy' } },
  ...ENDS,
};

/** The profile `kafka-ui` only reads. */
const KAFKA_UI: Partial<ComposeService> = {
  environment: {
    KAFKA_CLUSTERS_0_PROPERTIES_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
    KAFKA_CLUSTERS_0_PROPERTIES_SASL_MECHANISM: SCRAM_MECHANISM,
    KAFKA_CLUSTERS_0_PROPERTIES_SASL_JAAS_CONFIG: `${SCRAM} username="${principalOf('reader')}" password="${required(passwordVariableOf('reader'))}";`,
    KAFKA_CLUSTERS_0_SCHEMAREGISTRYAUTH_USERNAME: REGISTRY_USER,
    KAFKA_CLUSTERS_0_SCHEMAREGISTRYAUTH_PASSWORD: required(REGISTRY_PASSWORD),
  },
};

export function securedServices(): Readonly<Record<string, Partial<ComposeService>>> {
  const ingest = SERVICES.find(({ name }) => name === 'ingest');
  if (ingest === undefined) throw new Error('the list has no ingest');
  return {
    kafka: KAFKA,
    [ACCESS]: GRANTING,
    registry: REGISTRY,
    ...Object.fromEntries(SERVICES.map((service) => [service.name, asPrincipal(service)])),
    sample: asPrincipal(ingest),
    'kafka-ui': KAFKA_UI,
  };
}

export function securedText(): string {
  return `# Generated from deploy/services.ts and deploy/compose/ by \`npm run generate\`. Do not edit.
#   docker compose --file docker-compose.yml --file ${SECURED_FILE} up --detach --wait
# Kafka and the registry with passwords and access rules. The passwords have no defaults: docs/security.md has the lines
# that write them to a file .env.
${stringify({ services: securedServices() }, COMPOSE_YAML)}`;
}

function asPrincipal({ role }: DeployedService): Partial<ComposeService> {
  return {
    environment: {
      TAPEPROOF_KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
      TAPEPROOF_KAFKA_SASL_MECHANISM: SCRAM_MECHANISM,
      TAPEPROOF_KAFKA_USERNAME: principalOf(role),
      TAPEPROOF_KAFKA_PASSWORD: required(passwordVariableOf(role)),
      TAPEPROOF_REGISTRY_USERNAME: REGISTRY_USER,
      TAPEPROOF_REGISTRY_PASSWORD: required(REGISTRY_PASSWORD),
    },
    depends_on: GRANTED,
  };
}
