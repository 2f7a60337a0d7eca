/** The four services that `tapeproof stack up` starts, as containers: same ports, settings and versions. */
import { DEFAULT_STACK_OPTIONS, type SERVICE_NAMES } from '../../stack/options.ts';
import { REDIS_APPLICATION_RULES } from '../../stack/redis-users.ts';
import { required, type ComposeService } from './file.ts';

type ServiceName = (typeof SERVICE_NAMES)[number];

/** Runs without rights. */
export const CLOSED = { cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] } as const;

const OFFSETS_RETENTION_MINUTES = 10 * 365 * 24 * 60;
/** Written inside from the environment, so that no password is among a process's arguments. */
const REDIS_START = `umask 077
printf 'user default reset off\\nuser tapeproof reset on >%s %s\\n' "$$REDISCLI_AUTH" "$$RULES" > /run/tapeproof/users.acl
exec redis-server --appendonly yes --save '' --maxmemory-policy noeviction --aclfile /run/tapeproof/users.acl
`;

const KAFKA: ComposeService = {
  ...CLOSED,
  image: 'apache/kafka:4.3.1',
  user: 'appuser',
  ports: [published('kafka', 19092)],
  environment: {
    KAFKA_HEAP_OPTS: '-Xms256m -Xmx1g',
    KAFKA_NODE_ID: 1,
    KAFKA_PROCESS_ROLES: 'broker,controller',
    // Clients on this machine come by HOST, the containers beside it by INTERNAL.
    KAFKA_LISTENERS: 'HOST://:19092,INTERNAL://:9092,CONTROLLER://:9093',
    KAFKA_ADVERTISED_LISTENERS: `HOST://127.0.0.1:${portOf('kafka')},INTERNAL://kafka:9092`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'HOST:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    KAFKA_INTER_BROKER_LISTENER_NAME: 'INTERNAL',
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
    KAFKA_LOG_DIRS: '/var/lib/kafka/data',
    // Topics come only from the list in contracts/, never from a typing mistake.
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: 0,
    KAFKA_DEFAULT_REPLICATION_FACTOR: 1,
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: 1,
    KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: 8,
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: 1,
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: 1,
    KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS: 8,
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: 1,
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: 1,
    KAFKA_LOG_RETENTION_MS: -1,
    KAFKA_LOG_RETENTION_BYTES: -1,
    KAFKA_OFFSETS_RETENTION_MINUTES: OFFSETS_RETENTION_MINUTES,
  },
  volumes: ['kafka:/var/lib/kafka/data'],
  healthcheck: {
    test: ['CMD', '/opt/kafka/bin/kafka-broker-api-versions.sh', '--bootstrap-server', 'localhost:9092'],
    ...{ interval: '5s', timeout: '10s', retries: 24 },
  },
};

const REGISTRY: ComposeService = {
  ...CLOSED,
  image: 'apicurio/apicurio-registry:3.0.9',
  user: '185',
  ports: [published('registry', 8080)],
  environment: { APICURIO_STORAGE_KIND: 'kafkasql', APICURIO_KAFKASQL_BOOTSTRAP_SERVERS: 'kafka:9092' },
  depends_on: { kafka: { condition: 'service_healthy' } },
  healthcheck: {
    test: ['CMD', 'curl', '--fail', '--silent', 'http://localhost:8080/apis/ccompat/v7/subjects'],
    ...{ interval: '5s', timeout: '5s', retries: 36 },
  },
};

const POSTGRES: ComposeService = {
  ...CLOSED,
  image: 'postgres:18.4',
  user: 'postgres',
  read_only: true,
  tmpfs: ['/tmp', '/var/run/postgresql:mode=1777'],
  ports: [published('postgres', 5432)],
  environment: {
    // The superuser: creates the roles once, and nothing else connects as it.
    POSTGRES_USER: 'tapeproof',
    POSTGRES_PASSWORD: required('TAPEPROOF_POSTGRES_ADMINISTRATOR_PASSWORD'),
    POSTGRES_DB: 'tapeproof',
    POSTGRES_HOST_AUTH_METHOD: 'scram-sha-256',
    POSTGRES_INITDB_ARGS: '--encoding=UTF8 --locale=C --auth-local=scram-sha-256 --auth-host=scram-sha-256',
    ...Object.fromEntries(
      ['MIGRATOR', 'PROJECTOR', 'READER']
        .map((role) => `TAPEPROOF_POSTGRES_${role}_PASSWORD`)
        .map((variable) => [variable, required(variable)]),
    ),
    TZ: 'UTC',
  },
  volumes: [
    'postgres:/var/lib/postgresql',
    './deploy/compose/postgres-roles.sql:/docker-entrypoint-initdb.d/roles.sql:ro',
  ],
  healthcheck: {
    test: ['CMD', 'pg_isready', '--host=127.0.0.1', '--username=tapeproof', '--dbname=tapeproof'],
    ...{ interval: '2s', timeout: '5s', retries: 30 },
  },
};

const REDIS: ComposeService = {
  ...CLOSED,
  image: 'redis:7.0.15',
  user: 'redis',
  read_only: true,
  tmpfs: ['/run/tapeproof:mode=1777'],
  entrypoint: ['sh', '-c'],
  command: [REDIS_START],
  environment: { REDISCLI_AUTH: required('TAPEPROOF_REDIS_PASSWORD'), RULES: REDIS_APPLICATION_RULES },
  ports: [published('redis', 6379)],
  volumes: ['redis:/data'],
  healthcheck: {
    test: ['CMD', 'redis-cli', '--user', 'tapeproof', '-e', 'ping'],
    ...{ interval: '2s', timeout: '5s', retries: 30 },
  },
};

export const INFRASTRUCTURE: Readonly<Record<ServiceName, ComposeService>> = {
  kafka: KAFKA,
  registry: REGISTRY,
  postgres: POSTGRES,
  redis: REDIS,
};

/** Where its volumes are. */
export const INFRASTRUCTURE_VOLUMES = ['kafka', 'postgres', 'redis'] as const;

/** On this machine only, by the variables of the local stack. */
function published(name: ServiceName, inside: number): string {
  return `127.0.0.1:${portOf(name)}:${inside}`;
}

function portOf(name: ServiceName): string {
  return `\${TAPEPROOF_STACK_PORT_${name.toUpperCase()}:-${DEFAULT_STACK_OPTIONS.ports[name]}}`;
}
