/**
 * What a deployment of Tapeproof runs, once for all platforms: docker-compose.yml, the ECS app and the charts for EKS
 * are made from this list, and deploy/services.unit.spec.ts holds it to the program's own commands, variables,
 * principals and health paths.
 *
 * Not in it: Kafka, the schema registry, Postgres and Redis, which each platform provides in its own way.
 */
import { DEFAULT_PARTITIONS } from '../contracts/topics.ts';
import type { METRICS } from '../platform/metrics/catalogue.ts';
import { PROJECTORS } from '../projectors/catalogue.ts';
import type { SecretVariable, Variable } from '../platform/security/variables.ts';
import type { Role } from '../stack/kafka-principals.ts';
import { POSTGRES_ROLES } from '../stack/postgres-roles.ts';
import { REDIS_APPLICATION } from '../stack/redis-users.ts';

/** /metrics, /health and /ready of every process. */
export const HEALTH_PORT = 9464;
export const HEALTH_PATHS = { alive: '/health', ready: '/ready', metrics: '/metrics' } as const;
/** The API and the page. */
export const DASHBOARD_PORT = 8080;
/** Kills what has not ended after SIGTERM: longer than the ten seconds that README promises. */
export const STOP_GRACE_S = 30;
/** A recovery reads the tape from an anchor at least one window back: until then a process is alive but not ready. */
export const READY_DEADLINE_S = 600;
/** The image's user and group. */
export const IMAGE_USER_ID = 1000;

export interface Resources {
  /** Thousandths of a processor that it is given; it may use more where there is more. */
  readonly cpuMilli: number;
  /** It is ended when it takes more. */
  readonly memoryMib: number;
}

/** How many run. More than one share the partitions, or stand by. */
export type Replicas = { readonly kind: 'fixed'; readonly count: number } | ReplicasByLag;

/** As many as keep the longest lag of a partition below so many seconds, by {@link LAG_METRIC} of the process's own groups. */
export interface ReplicasByLag {
  readonly kind: 'by-lag';
  readonly min: number;
  readonly max: number;
  readonly lagS: number;
  /** What the names of its consumer groups begin with: an engine version or a generation follows. */
  readonly groups: string;
}

/** Of every process that reads as a member of a group, in seconds, for each partition that it has. */
export const LAG_METRIC = 'tapeproof_consumer_lag_seconds' satisfies keyof typeof METRICS;

interface Deployed {
  /** Unique: letters, digits and hyphens. */
  readonly name: string;
  /** The words after `tapeproof`. */
  readonly command: readonly string[];
  /** Its principal in Kafka. */
  readonly role: Role;
  /** Its role in Postgres; absent where it does not connect to it. */
  readonly postgresRole?: keyof typeof POSTGRES_ROLES;
  readonly usesRedis: boolean;
  /** Further secrets, each given as a file or a variable. */
  readonly secrets: readonly SecretVariable[];
  /** Reaches addresses outside: an exchange. */
  readonly reachesInternet: boolean;
  readonly resources: Resources;
  /** Jobs that must have ended well before. */
  readonly after: readonly string[];
}

/** Ends by itself; it may be run again at any time and then changes nothing. */
export interface DeployedJob extends Deployed {
  readonly kind: 'job';
}

/** Runs until it is stopped, and answers at {@link HEALTH_PORT}. */
export interface DeployedProcess extends Deployed {
  readonly kind: 'process';
  readonly replicas: Replicas;
  /** Of pages and API; absent where it has none. */
  readonly servesPort?: number;
}

export type DeployedService = DeployedJob | DeployedProcess;

const ANSWERS_EVERYWHERE = ['--http-host', '0.0.0.0', '--http-port', String(HEALTH_PORT)];
const MIGRATED = ['topics', 'contracts', 'migrate'];
/** As many as there are partitions: more would only stand by. */
const ENGINES_MAX = DEFAULT_PARTITIONS;
/** One keeps up with a market; more share the partitions of a replay, as far as their store takes what they write. */
const PROJECTORS_MAX = 3;
const LAG_S_MAX = 10;

/** Before anything runs, in this order. */
export const JOBS: readonly DeployedJob[] = [
  job('topics', ['topics', 'apply'], []),
  job('contracts', ['contracts', 'register'], ['topics']),
  job('migrate', ['migrate'], [], 'migrator'),
  job('activate', ['activate'], ['topics', 'contracts']),
];

export const PROCESSES: readonly DeployedProcess[] = [
  {
    ...process('ingest', ['ingest', 'live', '--venue', 'binance', '--instruments', 'BTC-USDT,ETH-USDT'], 'ingest'),
    after: ['activate'],
    reachesInternet: true,
    resources: { cpuMilli: 500, memoryMib: 512 },
  },
  {
    ...process('engine', ['engine', 'run'], 'engine'),
    after: ['activate'],
    replicas: { kind: 'by-lag', min: 2, max: ENGINES_MAX, lagS: LAG_S_MAX, groups: 'tapeproof.engine.' },
    resources: { cpuMilli: 1_000, memoryMib: 2_048 },
  },
  ...PROJECTORS.map(({ name, sink }): DeployedProcess => ({
    ...process(`projector-${name}`, ['projector', 'run', name], 'projector'),
    after: MIGRATED,
    ...(sink === 'postgres' ? { postgresRole: 'projector' as const } : {}),
    usesRedis: sink === 'redis',
    replicas: { kind: 'by-lag', min: 1, max: PROJECTORS_MAX, lagS: LAG_S_MAX, groups: `tapeproof.${name}.g` },
    resources: { cpuMilli: 500, memoryMib: 1_024 },
  })),
  {
    ...process('checkpoints', ['checkpoints', 'run'], 'checkpoints'),
    after: ['activate'],
    secrets: ['TAPEPROOF_CHECKPOINT_KEY'],
    resources: { cpuMilli: 500, memoryMib: 1_024 },
  },
  {
    ...process('dashboard', ['dashboard', '--host', '0.0.0.0', '--port', String(DASHBOARD_PORT)], 'reader'),
    after: MIGRATED,
    postgresRole: 'reader',
    usesRedis: true,
    secrets: ['TAPEPROOF_DASHBOARD_TOKEN'],
    replicas: { kind: 'fixed', count: 2 },
    resources: { cpuMilli: 500, memoryMib: 1_024 },
    servesPort: DASHBOARD_PORT,
  },
];

export const SERVICES: readonly DeployedService[] = [...JOBS, ...PROCESSES];

function job(
  name: string,
  command: readonly string[],
  after: readonly string[],
  postgresRole?: keyof typeof POSTGRES_ROLES,
): DeployedJob {
  return {
    ...{ kind: 'job', name, command, after, role: 'operator', usesRedis: false, secrets: [], reachesInternet: false },
    ...(postgresRole === undefined ? {} : { postgresRole }),
    resources: { cpuMilli: 250, memoryMib: 512 },
  };
}

function process(name: string, command: readonly string[], role: Role): Omit<DeployedProcess, 'after' | 'resources'> {
  return {
    ...{ kind: 'process', name, command: [...command, ...ANSWERS_EVERYWHERE], role },
    ...{ usesRedis: false, secrets: [], reachesInternet: false, replicas: { kind: 'fixed', count: 1 } },
  };
}

/** Where a deployment's services are, as its processes reach them. */
export interface ServiceAddresses {
  /** `host:port`, separated by commas. */
  readonly kafkaBrokers: string;
  readonly registryUrl: string;
  /** Without user name and password. */
  readonly postgresUrl: string;
  /** Without user name and password; `rediss:` for TLS. */
  readonly redisUrl: string;
}

/** The variables of a service that are not secret. How Kafka knows a principal differs by platform, and is added there. */
export function environmentOf(
  { postgresRole, usesRedis }: DeployedService,
  { kafkaBrokers, registryUrl, postgresUrl, redisUrl }: ServiceAddresses,
): Partial<Record<Variable | 'TAPEPROOF_LOG_FORMAT', string>> {
  return {
    TAPEPROOF_LOG_FORMAT: 'json',
    TAPEPROOF_KAFKA_BROKERS: kafkaBrokers,
    TAPEPROOF_REGISTRY_URL: registryUrl,
    // Each process reads all four addresses; it gets a password only where it connects.
    TAPEPROOF_POSTGRES_URL: postgresUrl,
    TAPEPROOF_REDIS_URL: redisUrl,
    ...(postgresRole === undefined ? {} : { TAPEPROOF_POSTGRES_USERNAME: POSTGRES_ROLES[postgresRole] }),
    ...(usesRedis ? { TAPEPROOF_REDIS_USERNAME: REDIS_APPLICATION } : {}),
  };
}

/** A secret of a deployment, by the name that every platform gives it. */
export interface SecretUse {
  readonly variable: SecretVariable;
  readonly secret: string;
}

/** The secrets that a service needs, and no other. */
export function secretsOf({ postgresRole, usesRedis, secrets }: DeployedService): readonly SecretUse[] {
  return [
    ...(postgresRole === undefined
      ? []
      : [{ variable: 'TAPEPROOF_POSTGRES_PASSWORD' as const, secret: `postgres-${postgresRole}` }]),
    ...(usesRedis ? [{ variable: 'TAPEPROOF_REDIS_PASSWORD' as const, secret: 'redis' }] : []),
    ...secrets.map((variable) => ({
      variable,
      secret: variable.replace('TAPEPROOF_', '').replaceAll('_', '-').toLowerCase(),
    })),
  ];
}
