import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { EXIT_BAD_CONFIGURATION, StackError } from './errors.ts';
import { javaProgram } from './java.ts';
import { KAFKA_ADMINISTRATOR } from './kafka-principals.ts';
import type { StackPorts } from './options.ts';
import { writePrivateFile } from './private-file.ts';
import { run } from './run.ts';
import type { SecuredSecrets } from './secrets.ts';
import { certify } from './security.ts';
import { PROBE_TIMEOUT_MS, type Service } from './service.ts';

/** About a hundred access rules at once. */
const GRANT_TIMEOUT_MS = 15_000;
const OFFSETS_RETENTION_MINUTES = 10 * 365 * 24 * 60;

/** One broker that is its own controller (KRaft), reachable from this machine only. */
export const kafka: Service = {
  name: 'kafka',
  title: 'Kafka',
  needs: [],
  stopSignal: 'SIGTERM',
  startDeadlineMs: 90_000,
  stopDeadlineMs: 30_000,
  ports: (ports) => [ports.kafka, ports.controller],

  async prepare({ folder, options, secrets: { secured }, part }) {
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
    const listeners = secured === undefined ? {} : await securedListeners(options.ports, secured, folder);
    await writePrivateFile(properties, propertiesText({ ...serverProperties(data, options.ports), ...listeners }));
    // Run in the folder of jars, so that no path can confuse the class path.
    const base = { file: java, cwd: jars };
    if (!existsSync(join(data, 'meta.properties'))) {
      const format = ['-cp', '*', 'kafka.tools.StorageTool', 'format', '-t', clusterId(), '-c', properties];
      await run({ ...base, args: format });
    }
    const logging = [
      '-Dorg.slf4j.simpleLogger.showDateTime=true',
      '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS',
    ];
    const memory = ['-Xms256m', '-Xmx1g', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'];
    return {
      ...base,
      args: [...memory, '-Djava.awt.headless=true', ...logging, '-cp', '*', 'kafka.Kafka', properties],
    };
  },

  async probe(port, { secured }) {
    const admin = client(port, secured).admin();
    try {
      await admin.connect();
      const { brokers } = await admin.describeCluster();
      // A broker that has not joined its own cluster yet answers with an empty list.
      if (brokers.length === 0) throw new Error('the broker is not in its cluster yet');
    } finally {
      await admin.disconnect();
    }
  },

  async secure(port, secured) {
    // Loaded on demand: it brings a second Kafka client.
    const { grantAccess } = await import('./kafka-access.ts');
    await grantAccess(port, secured, GRANT_TIMEOUT_MS);
  },
};

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

function serverProperties(data: string, ports: StackPorts): Properties {
  return {
    'node.id': 1,
    'process.roles': 'broker,controller',
    listeners: `PLAINTEXT://127.0.0.1:${ports.kafka},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.kafka}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    'log.dirs': data,
    // Topics come only from the list in contracts/, never from a typing mistake.
    'auto.create.topics.enable': 'false',
    // With the default, a group would wait 3 s for further consumers.
    'group.initial.rebalance.delay.ms': 0,
    'default.replication.factor': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 8,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 8,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // The tape is kept for ever, and so are the schema registry's topics, which the registry creates with the broker's
    // defaults.
    'log.retention.ms': -1,
    'log.retention.bytes': -1,
    'offsets.retention.minutes': OFFSETS_RETENTION_MINUTES,
  };
}

/**
 * Clients use TLS and SCRAM. The administrator uses TLS and PLAIN, because the broker must know its password before it
 * stores any. Broker and controller authenticate by certificate. Whatever no rule allows is denied.
 */
async function securedListeners(ports: StackPorts, secured: SecuredSecrets, folder: string): Promise<Properties> {
  const { caFile, bothFile } = await certify(secured, 'kafka', folder);
  const password = secured.kafkaAdministrator;
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  return {
    listeners: `SASL_SSL://127.0.0.1:${ports.kafka},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': `SASL_SSL://127.0.0.1:${ports.kafka}`,
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

/**
 * 16 bytes in base64url, as Kafka writes a UUID; the first character is a letter, so that it does not look like an
 * option.
 */
function clusterId(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x3f, 0);
  return bytes.toString('base64url');
}
