import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import type { Cluster } from './cluster.ts';
import { EXIT_BAD_CONFIGURATION, StackError } from './errors.ts';
import { javaProgram } from './java.ts';
import { KAFKA_ADMINISTRATOR } from './kafka-principals.ts';
import { BROKERS, PORTS_OF_BROKER, type Broker, type BrokerCount, type StackPorts } from './options.ts';
import { writePrivateFile } from './private-file.ts';
import { run } from './run.ts';
import type { Command } from './process.ts';
import type { SecuredSecrets, StackSecrets } from './secrets.ts';
import { certify } from './security.ts';
import { PROBE_TIMEOUT_MS, type Service, type ServiceSetting } from './service.ts';

/** About a hundred access rules at once. */
const GRANT_TIMEOUT_MS = 15_000;
/** By the number of brokers: three of them fit into a laptop beside everything else. */
const HEAP: Readonly<Record<BrokerCount, readonly string[]>> = {
  1: ['-Xms256m', '-Xmx1g'],
  3: ['-Xms128m', '-Xmx512m'],
};
const OFFSETS_RETENTION_MINUTES = 10 * 365 * 24 * 60;

/** Copies of every record on a stack with three brokers, and how many must have it before it is acknowledged. */
const REPLICAS = 3;
const IN_SYNC_REPLICAS_MIN = 2;

/** The brokers of a stack: each is also a controller (KRaft), and reachable from this machine only. */
export const kafkaBrokers = Object.fromEntries(BROKERS.map((broker) => [broker, kafkaBroker(broker)])) as Record<
  Broker,
  Service
>;

function kafkaBroker(name: Broker): Service {
  const nodeId = nodeIdOf(name);
  return {
    name,
    title: nodeId === 1 ? 'Kafka' : `Kafka's broker ${nodeId}`,
    needs: [],
    stopSignal: 'SIGTERM',
    startDeadlineMs: 90_000,
    stopDeadlineMs: 30_000,
    ports: (ports) => PORTS_OF_BROKER[name].map((port) => ports[port]),
    prepare: (setting) => prepareBroker(name, setting),
    probe: probeBroker,
    // The brokers share what one of them is given.
    ...(nodeId === 1 ? { secure } : {}),
  };
}

async function prepareBroker(
  name: Broker,
  { folder, options, cluster, secrets: { secured }, part }: ServiceSetting,
): Promise<Command> {
  const [java, jars] = await Promise.all([javaProgram(), part('kafka')]);
  const data = join(folder, 'data');
  if (data.includes(',')) {
    throw new StackError(
      `Kafka cannot keep data in a folder with a comma in its path: ${data}`,
      EXIT_BAD_CONFIGURATION,
    );
  }
  await mkdir(data, { recursive: true });
  const properties = join(folder, 'server.properties');
  const { ports } = options;
  const listeners = secured === undefined ? {} : await securedListeners(name, ports, secured, folder);
  const settings = { ...serverProperties(name, data, ports, cluster), ...listeners };
  await writePrivateFile(properties, propertiesText(settings));
  // Run in the folder of jars, so that no path can confuse the class path.
  const base = { file: java, cwd: jars };
  if (!existsSync(join(data, 'meta.properties'))) {
    const format = ['-cp', '*', 'kafka.tools.StorageTool', 'format', '-t', cluster.id, '-c', properties];
    await run({ ...base, args: format });
  }
  const logging = [
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS',
  ];
  const memory = [...HEAP[cluster.brokers], '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'];
  const compiler = options.isShortLived === true ? ['-XX:TieredStopAtLevel=1'] : [];
  return {
    ...base,
    args: [...memory, ...compiler, '-Djava.awt.headless=true', ...logging, '-cp', '*', 'kafka.Kafka', properties],
  };
}

async function probeBroker(port: number, { secured }: StackSecrets): Promise<void> {
  const admin = client(port, secured).admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    // A broker that has not joined its cluster yet answers with a list without itself.
    if (!brokers.some((broker) => broker.port === port)) throw new Error('the broker is not in its cluster yet');
  } finally {
    await admin.disconnect();
  }
}

async function secure(port: number, secured: SecuredSecrets): Promise<void> {
  // Loaded on demand: it brings a second Kafka client.
  const { grantAccess } = await import('./kafka-access.ts');
  const { authority, kafkaAdministrator: administrator, kafka: roles, kafkaRegistry } = secured;
  const broker = { host: '127.0.0.1', port, authority: authority.certificate };
  await grantAccess(broker, { administrator, roles, registry: kafkaRegistry }, GRANT_TIMEOUT_MS);
}

/** Connects as the super user where the stack is secured. */
function client(port: number, secured: SecuredSecrets | undefined): Kafka {
  return new Kafka({
    clientId: 'tapeproof-stack',
    brokers: [`127.0.0.1:${port}`],
    ...(secured === undefined
      ? {}
      : {
          ssl: { ca: secured.authority.certificate },
          sasl: { mechanism: 'plain', username: KAFKA_ADMINISTRATOR, password: secured.kafkaAdministrator },
        }),
    logLevel: logLevel.NOTHING,
    connectionTimeout: PROBE_TIMEOUT_MS,
    requestTimeout: PROBE_TIMEOUT_MS,
    enforceRequestTimeout: true,
    retry: { retries: 0 },
  });
}

type Properties = Readonly<Record<string, string | number>>;

function serverProperties(name: Broker, data: string, ports: StackPorts, { brokers }: Cluster): Properties {
  const [own, controller] = PORTS_OF_BROKER[name];
  return {
    'node.id': nodeIdOf(name),
    'process.roles': 'broker,controller',
    listeners: `PLAINTEXT://127.0.0.1:${ports[own]},CONTROLLER://127.0.0.1:${ports[controller]}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports[own]}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': BROKERS.slice(0, brokers)
      .map((broker) => `${nodeIdOf(broker)}@127.0.0.1:${ports[PORTS_OF_BROKER[broker][1]]}`)
      .join(','),
    'log.dirs': data,
    // Topics come only from the list in contracts/, never from a typing mistake.
    'auto.create.topics.enable': 'false',
    // With the default, a group would wait 3 s for further consumers.
    'group.initial.rebalance.delay.ms': 0,
    ...durabilityOf(brokers),
    'offsets.topic.num.partitions': 8,
    'transaction.state.log.num.partitions': 8,
    // The tape is kept for ever, and so are the schema registry's topics, which the registry creates with the broker's
    // defaults.
    'log.retention.ms': -1,
    'log.retention.bytes': -1,
    'offsets.retention.minutes': OFFSETS_RETENTION_MINUTES,
  };
}

/** With three brokers every record, also of Kafka's own topics, survives the loss of one. */
function durabilityOf(brokers: BrokerCount): Properties {
  const [replicas, inSync] = brokers === 1 ? [1, 1] : [REPLICAS, IN_SYNC_REPLICAS_MIN];
  return {
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'unclean.leader.election.enable': 'false',
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
  };
}

function nodeIdOf(name: Broker): number {
  return BROKERS.indexOf(name) + 1;
}

/**
 * Clients use TLS and SCRAM. The administrator uses TLS and PLAIN, because the broker must know its password before it
 * stores any. Broker and controller authenticate by certificate. Whatever no rule allows is denied.
 */
async function securedListeners(
  name: Broker,
  ports: StackPorts,
  secured: SecuredSecrets,
  folder: string,
): Promise<Properties> {
  const [own, controller] = PORTS_OF_BROKER[name];
  const { caFile, bothFile } = await certify(secured, 'kafka', folder);
  const password = secured.kafkaAdministrator;
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  return {
    listeners: `SASL_SSL://127.0.0.1:${ports[own]},CONTROLLER://127.0.0.1:${ports[controller]}`,
    'advertised.listeners': `SASL_SSL://127.0.0.1:${ports[own]}`,
    'listener.security.protocol.map': 'SASL_SSL:SASL_SSL,CONTROLLER:SSL',
    'inter.broker.listener.name': 'SASL_SSL',
    'sasl.mechanism.inter.broker.protocol': 'PLAIN',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
    'listener.name.sasl_ssl.plain.sasl.jaas.config': `${plain} required username="${KAFKA_ADMINISTRATOR}" password="${password}" user_${KAFKA_ADMINISTRATOR}="${password}";`,
    'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': `${scram} required;`,
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': bothFile,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': caFile,
    'listener.name.controller.ssl.client.auth': 'required',
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'false',
    'super.users': `User:${KAFKA_ADMINISTRATOR};User:CN=tapeproof-kafka`,
  };
}

/** Settings as a file of Java properties. */
export function propertiesText(settings: Properties): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${escapeProperty(String(value))}\n`)
    .join('');
}

/** Java reads properties as Latin-1 with backslash escapes. */
export function escapeProperty(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
