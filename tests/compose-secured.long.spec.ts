import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RetryOptions } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeFile } from '../deploy/compose/compose.ts';
import { securedServices } from '../deploy/compose/secured.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { createKafka, RIDE_OUT_RETRY } from '../platform/kafka/client.ts';
import { kafkaSecurityFrom } from '../platform/kafka/security.ts';
import { applyTopics, checkTopics } from '../platform/kafka/topics.ts';
import { createLog } from '../platform/log.ts';
import { javaProgram } from '../stack/java.ts';
import { propertiesText } from '../stack/kafka.ts';
import { freePorts } from '../stack/main.ts';
import { PARTS } from '../stack/parts.ts';
import { REGISTRY_PROGRAM } from '../stack/registry.ts';
import { stackOptions } from './support/stack.ts';
import { until } from './support/until.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const VARIABLE = /\$\{(\w+)(?::([?-])([^}]*))?\}/g;
const NOT_A_SETTING = /^KAFKA_HEAP_OPTS$|^(?!KAFKA_)/;

type Environment = Readonly<Record<string, string | number>>;

/**
 * The containers' Kafka and registry without containers: a broker with the settings that its image makes of the variables, and
 * the registry with these variables.
 */
describe('the Kafka and the registry of docker-compose.secure.yml', () => {
  const passwords = new Map<string, string>();
  let folder: string;
  let broker: ChildProcess;
  let registry: ChildProcess | undefined;
  let address: string;

  /** As Compose replaces variables. */
  const filled = (value: string | number): string =>
    String(value).replaceAll(VARIABLE, (_, name: string, kind: string | undefined, text: string | undefined) => {
      if (kind === '-') return text ?? '';
      const password = passwords.get(name) ?? randomBytes(16).toString('hex');
      passwords.set(name, password);
      return password;
    });
  const environmentOf = (name: string): Environment => ({
    ...composeFile().services[name]?.environment,
    ...securedServices()[name]?.environment,
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tapeproof-compose-'));
    const { kafka: host, kafka2: internal, controller } = await freePorts();
    address = `127.0.0.1:${internal}`;
    const moved = (value: string): string =>
      value
        .replace(/:(?:19092|\$\{TAPEPROOF_STACK_PORT_KAFKA.*?\})/g, `:${host}`)
        .replace(/(?:kafka)?:9092/g, (found) => `${found.startsWith('kafka') ? '127.0.0.1' : ''}:${internal}`)
        .replace(/:9093/g, `:${controller}`);
    const settings = Object.entries(environmentOf('kafka')).filter(([name]) => !NOT_A_SETTING.test(name));
    const properties = Object.fromEntries(
      settings.map(([name, value]) => [settingOf(name), filled(moved(String(value)))]),
    );
    const file = join(folder, 'server.properties');
    await writeFile(file, propertiesText({ ...properties, 'log.dirs': join(folder, 'data') }));
    const java = await javaProgram();
    const cwd = join(stackOptions().partsFolder, PARTS.kafka.folder);
    const format = ['format', '--cluster-id', randomBytes(16).toString('base64url'), '--config', file];
    await promisify(execFile)(java, ['-cp', '*', 'kafka.tools.StorageTool', ...format], { cwd });
    broker = spawn(java, ['-Xmx256m', '-cp', '*', 'kafka.Kafka', file], { cwd, stdio: 'ignore' });
    await until('the rules are granted', grant);
  });
  afterAll(async () => {
    for (const child of [registry, broker]) {
      if (child === undefined) continue;
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    }
    await rm(folder, { recursive: true });
  });

  /** What the container kafka-access does. */
  async function grant(): Promise<boolean> {
    const { entrypoint: [, script = ''] = [], environment = {} } = securedServices()['kafka-access'] ?? {};
    const given = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, filled(value)]));
    await promisify(execFile)(process.execPath, [script, address], {
      cwd: REPOSITORY,
      env: { ...process.env, ...given },
    });
    return true;
  }

  function kafkaOf(service: string, variables = environmentOf(service), retry: RetryOptions = RIDE_OUT_RETRY) {
    const settings = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, filled(value)]));
    return createKafka([address], 'test-compose', createLog('test', 'silent'), {
      security: kafkaSecurityFrom(settings),
      retry,
    });
  }

  it('admits each service as its principal, with its rules and no more, and nobody without a password', async () => {
    const operator = kafkaOf('topics');
    await applyTopics(operator);
    expect(await checkTopics(operator)).toEqual([]);
    const write = async (kafka: ReturnType<typeof createKafka>): Promise<void> => {
      const producer = kafka.producer();
      await producer.connect();
      try {
        await producer.send({ topic: TAPE_TOPIC, messages: [{ partition: 0, value: 'x' }] });
      } finally {
        await producer.disconnect();
      }
    };
    // Right after its creation a partition may have no leader yet: a client tries again, as the product's do.
    await write(kafkaOf('ingest'));
    await expect(write(kafkaOf('engine'))).rejects.toThrow(/authoriz/i);
    await expect(write(kafkaOf('dashboard'))).rejects.toThrow(/authoriz/i);
    await expect(
      write(kafkaOf('ingest', { ...environmentOf('ingest'), TAPEPROOF_KAFKA_PASSWORD: 'another' })),
    ).rejects.toThrow(/authentication/i);
    await expect(write(kafkaOf('ingest', {}, { retries: 0 }))).rejects.toThrow();
  });

  it('has a registry that reads Kafka as its principal, and asks everyone for the password', async () => {
    const { registry: port } = await freePorts();
    const variables: Record<string, string> = {};
    for (const [name, value] of Object.entries(environmentOf('registry'))) variables[name] = filled(value);
    expect(variables['APICURIO_KAFKASQL_BOOTSTRAP_SERVERS']).toBe('kafka:9092');
    const java = await javaProgram();
    const program = join(stackOptions().partsFolder, PARTS.registry.folder, REGISTRY_PROGRAM);
    registry = spawn(java, ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-jar', program], {
      cwd: folder,
      stdio: 'ignore',
      env: {
        ...{ PATH: process.env['PATH'], ...variables, APICURIO_KAFKASQL_BOOTSTRAP_SERVERS: address },
        ...{ QUARKUS_HTTP_HOST: '127.0.0.1', QUARKUS_HTTP_PORT: String(port) },
        APICURIO_STORAGE_SNAPSHOT_LOCATION: folder,
      },
    });
    const { healthcheck } = securedServices()['registry'] ?? {};
    const [, check = ''] = healthcheck !== undefined && 'test' in healthcheck ? healthcheck.test : [];
    await until('it is healthy, by the check of its container', async () => {
      const script = check.replaceAll('$$', '$').replace(':8080', `:${port}`);
      await promisify(execFile)('sh', ['-c', script], { env: { PATH: process.env['PATH'], ...variables } });
      return true;
    });
    const { TAPEPROOF_REGISTRY_USERNAME: user = '', TAPEPROOF_REGISTRY_PASSWORD: password = '' } =
      environmentOf('contracts');
    const ask = async (path: string, credentials?: string, body?: string): Promise<number> => {
      const authorization = credentials === undefined ? {} : { authorization: `Basic ${btoa(credentials)}` };
      const headers = { 'content-type': 'application/json', ...authorization };
      const url = `http://127.0.0.1:${port}/apis/ccompat/v7${path}`;
      return (await fetch(url, { headers, ...(body === undefined ? {} : { method: 'POST', body }) })).status;
    };
    const subject = ['/subjects/test-value/versions', JSON.stringify({ schema: '"string"' })] as const;
    expect(await ask('/subjects')).toBe(401);
    expect(await ask('/subjects', `${filled(user)}:another`)).toBe(401);
    expect(await ask(subject[0], undefined, subject[1])).toBe(401);
    expect(await ask(subject[0], `${filled(user)}:${filled(password)}`, subject[1])).toBe(200);
  });
});

/** The name that Kafka's image makes of a variable. */
function settingOf(variable: string): string {
  return variable
    .replace(/^KAFKA_/, '')
    .toLowerCase()
    .replaceAll(/_+/g, (run) => ({ 1: '.', 2: '_', 3: '-' })[run.length] ?? run);
}
