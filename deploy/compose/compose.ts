/** docker-compose.yml, made from the list of services. */
import { stringify } from 'yaml';
import {
  DASHBOARD_PORT,
  environmentOf,
  HEALTH_PATHS,
  HEALTH_PORT,
  PROCESSES,
  secretsOf,
  SERVICES,
  STOP_GRACE_S,
  type DeployedService,
} from '../services.ts';
import type { ComposeFile, ComposeService, Condition } from './file.ts';
import { required } from './file.ts';
import { INFRASTRUCTURE, INFRASTRUCTURE_VOLUMES } from './infrastructure.ts';
import { COMPOSE_YAML, ENDS, KAFKA_BROKERS, OURS } from './ours.ts';
import { PROFILE_SERVICES, PROFILE_VOLUMES } from './profiles.ts';
import { SECURED_FILE } from './secured.ts';

const DASHBOARD_HOST_PORT = 18_080;
const SAMPLE_FILE = 'data/binance-sample/binance-spot-2025-03-25.jsonl.gz';
/** The one folder that the image's user may write to. */
const STATE_FOLDER = '/state';
const KEY_FILE = `${STATE_FOLDER}/checkpoint.key`;
const KEY_VOLUME = 'checkpoint-key';
/** Of what depends on an exchange elsewhere: it is up while it is alive. */
const ALIVE = `fetch('http://127.0.0.1:${HEALTH_PORT}${HEALTH_PATHS.alive}').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))`;

const ADDRESSES = {
  kafkaBrokers: KAFKA_BROKERS,
  registryUrl: 'http://registry:8080/apis/ccompat/v7',
  postgresUrl: 'postgres://postgres:5432/tapeproof',
  redisUrl: 'redis://redis:6379',
} as const;

/** The variable of docker-compose.yml that has a secret of the list. */
const VARIABLE_OF_SECRET: Readonly<Record<string, string>> = {
  'postgres-migrator': 'TAPEPROOF_POSTGRES_MIGRATOR_PASSWORD',
  'postgres-projector': 'TAPEPROOF_POSTGRES_PROJECTOR_PASSWORD',
  'postgres-reader': 'TAPEPROOF_POSTGRES_READER_PASSWORD',
  redis: 'TAPEPROOF_REDIS_PASSWORD',
  'dashboard-token': 'TAPEPROOF_DASHBOARD_TOKEN',
};

/** Instead of the words of the list, where a machine's owner chooses. */
const CHOSEN: Readonly<Record<string, string>> = { 'BTC-USDT,ETH-USDT': '${TAPEPROOF_INSTRUMENTS:-BTC-USDT,ETH-USDT}' };

export function composeFile(): ComposeFile {
  const ours = SERVICES.map((service): [string, ComposeService] => [service.name, composed(service)]);
  return {
    name: 'tapeproof',
    services: {
      ...INFRASTRUCTURE,
      ...Object.fromEntries(ours),
      [KEY_VOLUME]: checkpointKey(),
      sample: sample(),
      ...PROFILE_SERVICES,
    },
    volumes: Object.fromEntries(
      [...INFRASTRUCTURE_VOLUMES, KEY_VOLUME, ...PROFILE_VOLUMES].map((name) => [name, null]),
    ),
  };
}

export function composeText(): string {
  return `# Generated from deploy/services.ts and deploy/compose/ by \`npm run generate\`. Do not edit.
#   docker compose up --detach --wait                                   # everything, and the page at 127.0.0.1:${DASHBOARD_HOST_PORT}
#   docker compose up --detach --wait kafka registry postgres redis     # what "tapeproof stack up" starts
#   docker compose up --detach --scale engine=4                         # more engines share the partitions
#   docker compose run --rm sample                                      # trades without a network
#   docker compose --file docker-compose.yml --file ${SECURED_FILE} up --detach --wait   # Kafka and the registry with passwords
#   docker compose --profile observability --profile elk --profile kafka-ui --profile secure up --detach
# The passwords have no defaults: docs/security.md has the lines that write them to a file .env.
${stringify(composeFile(), COMPOSE_YAML)}`;
}

/** The scrape configuration: every process of the list, each of its containers by address. */
export function prometheusText(): string {
  const configuration = {
    global: { scrape_interval: '15s', evaluation_interval: '15s' },
    rule_files: ['/etc/prometheus/rules/*.rules.yml'],
    scrape_configs: [
      {
        job_name: 'tapeproof',
        metrics_path: HEALTH_PATHS.metrics,
        dns_sd_configs: [{ names: PROCESSES.map(({ name }) => name), type: 'A', port: HEALTH_PORT }],
      },
    ],
  };
  return `# Generated from deploy/services.ts by \`npm run generate\`. Do not edit.\n${stringify(configuration)}`;
}

function composed(service: DeployedService): ComposeService {
  const { cpuMilli, memoryMib } = service.resources;
  const limits = { cpus: String(cpuMilli / 1_000), memory: `${memoryMib}M` };
  const isProcess = service.kind === 'process';
  const { replicas, servesPort } = isProcess ? service : {};
  const count = replicas === undefined ? 1 : replicas.kind === 'fixed' ? replicas.count : replicas.min;
  const usesKey = keyIsGenerated(service);
  return {
    ...OURS,
    command: service.command.map((word) => CHOSEN[word] ?? word),
    environment: { ...environmentOf(service, ADDRESSES), ...secretVariables(service), ...statementOf(service) },
    depends_on: dependenciesOf(service),
    ...(usesKey ? { volumes: [`${KEY_VOLUME}:${STATE_FOLDER}:ro`] } : {}),
    ...(servesPort === undefined
      ? {}
      : { ports: [`127.0.0.1:\${TAPEPROOF_DASHBOARD_PORT:-${DASHBOARD_HOST_PORT}}:${DASHBOARD_PORT}`] }),
    // A page is published once, and the image's own check asks /ready of a process; a job ends.
    deploy: { ...(count > 1 && servesPort === undefined ? { replicas: count } : {}), resources: { limits } },
    ...(isProcess ? { restart: 'unless-stopped', stop_grace_period: `${STOP_GRACE_S}s` } : ENDS),
    ...(service.reachesInternet
      ? { healthcheck: { test: ['CMD', 'node', '-e', ALIVE], interval: '5s', timeout: '5s', retries: 6 } }
      : {}),
  };
}

function secretVariables(service: DeployedService): Record<string, string> {
  return Object.fromEntries(
    secretsOf(service).map(({ variable, secret }) => {
      const from = VARIABLE_OF_SECRET[secret];
      return from === undefined ? [`${variable}_FILE`, KEY_FILE] : [variable, required(from)];
    }),
  );
}

/** Its key is made here once, where the others' secrets are the owner's. */
function keyIsGenerated(service: DeployedService): boolean {
  return secretsOf(service).some(({ secret }) => VARIABLE_OF_SECRET[secret] === undefined);
}

/** Who activates, and why, stays on the tape. */
function statementOf({ name }: DeployedService): Record<string, string> {
  if (name !== 'activate') return {};
  return { TAPEPROOF_ACTOR: '${TAPEPROOF_ACTOR:-}', TAPEPROOF_REASON: '${TAPEPROOF_REASON:-docker compose up}' };
}

function dependenciesOf(service: DeployedService): Record<string, { condition: Condition }> {
  const healthy = { condition: 'service_healthy' } as const;
  const done = { condition: 'service_completed_successfully' } as const;
  return {
    kafka: healthy,
    registry: healthy,
    ...(service.postgresRole === undefined ? {} : { postgres: healthy }),
    ...(service.usesRedis ? { redis: healthy } : {}),
    ...Object.fromEntries(service.after.map((name) => [name, done])),
    ...(keyIsGenerated(service) ? { [KEY_VOLUME]: done } : {}),
  };
}

/** Once: a key that is replaced is lost. */
function checkpointKey(): ComposeService {
  return {
    ...OURS,
    entrypoint: ['sh', '-c'],
    command: [
      `test -e ${KEY_FILE} || exec node bin/tapeproof.js keygen --name \${TAPEPROOF_LOG_NAME:-tapeproof.local} --out ${KEY_FILE}`,
    ],
    volumes: [`${KEY_VOLUME}:${STATE_FOLDER}`],
    ...ENDS,
  };
}

/** A few minutes of real trades, each appended once however often it is run. */
function sample(): ComposeService {
  const ingest = PROCESSES.find(({ name }) => name === 'ingest');
  if (ingest === undefined) throw new Error('the list has no ingest');
  return {
    ...OURS,
    profiles: ['sample'],
    command: ['ingest', 'file', SAMPLE_FILE],
    environment: environmentOf(ingest, ADDRESSES),
    depends_on: dependenciesOf(ingest),
    ...ENDS,
  };
}
