import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Status } from '../bin/status/status.ts';
import { TOPICS } from '../contracts/topics.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { kafkaSecurityFrom } from '../platform/kafka/security.ts';
import { createLog } from '../platform/log.ts';
import { createAuthority } from '../stack/certificates.ts';
import { custodyOf } from '../stack/custody.ts';
import {
  DEFAULT_STACK_OPTIONS,
  freePorts,
  ROLES,
  stackReset,
  stackStatus,
  stackUp,
  type Role,
  type StackEndpoints,
  type StackOptions,
} from '../stack/main.ts';
import { KAFKA_ADMINISTRATOR } from '../stack/kafka-principals.ts';
import { readSecrets, secretsFile, type SecuredSecrets } from '../stack/secrets.ts';
import { REGISTRY_USER } from '../stack/security.ts';
import { runCommand, startCommand, type CommandResult } from './support/command.ts';
import { deniedAttempts, refusalOf } from './support/kafka-attempts.ts';
import { until } from './support/until.ts';

/** A secured stack in a separate folder and on separate ports. The tests are one story and run in order. */
let options: StackOptions;
let endpoints: StackEndpoints;
let environment: Record<string, string>;
/** Everything that commands and processes have printed, and answered over HTTP. */
let output = '';
const CANARY = `canary ${randomBytes(9).toString('base64')} p@ss"w/ord%`;
const TRADES = 'data/binance-sample/binance-spot-2025-03-25.jsonl.gz';
const silent = (): void => undefined;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tapeproof-secure-'));
  const { partsFolder } = DEFAULT_STACK_OPTIONS;
  options = { folder, partsFolder, ports: await freePorts(), secure: true, isShortLived: true };
  endpoints = await stackUp(options, silent);
  environment = { TAPEPROOF_STACK_FOLDER: folder, TAPEPROOF_LOG_FORMAT: 'json' };
  for (const [name, port] of Object.entries(options.ports)) {
    environment[`TAPEPROOF_STACK_PORT_${name.toUpperCase()}`] = String(port);
  }
}, 900_000);

afterAll(async () => {
  await stackReset(options, silent);
  await rm(options.folder, { recursive: true });
});

async function run(words: string, more: Record<string, string> = {}): Promise<CommandResult> {
  const result = await runCommand(words.split(' '), { ...environment, ...more });
  output += result.stdout + result.stderr;
  return result;
}

function start(words: string): ChildProcess {
  const child = startCommand(words.split(' '), environment);
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += String(chunk)));
  return child;
}

async function stop(children: readonly ChildProcess[]): Promise<void> {
  const ended = children.map((child) => once(child, 'exit'));
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(ended);
}

function settingsOf(role: Role): Readonly<Record<string, string>> {
  const settings = endpoints.settings?.[role];
  if (settings === undefined) throw new Error('the stack is not secured');
  return settings;
}

function secured(): SecuredSecrets {
  const secrets = readSecrets(options.folder)?.secured;
  if (secrets === undefined) throw new Error('the stack is not secured');
  return secrets;
}

/** A URL without user and password. */
function anonymous(url: string): string {
  return url.replace(/\/\/.*@/, '//');
}

function kafkaAs(settings: Readonly<Record<string, string>>) {
  const security = kafkaSecurityFrom(settings);
  return createKafka([endpoints.kafkaBrokers], 'test-access', createLog('test', 'silent'), { security });
}

describe('a secured stack', () => {
  it('is used by every command without further settings', { timeout: 900_000 }, async () => {
    for (const words of [
      'topics apply',
      'topics recreate --derived',
      'contracts register',
      'migrate',
      'activate',
      'topics check',
      'contracts check',
    ]) {
      expect(await run(words), words).toMatchObject({ exitCode: 0 });
    }
    const running = ['engine run', 'projector run postgres-history', 'projector run redis-latest'].map(start);
    try {
      expect(await run(`ingest file ${TRADES}`)).toMatchObject({ exitCode: 0 });
      await until('a decision can be audited', async () => {
        const { exitCode, stdout } = await run('audit --latest BTC-USDT@binance --verify');
        return exitCode === 0 && stdout.includes('8 of 8 checks passed');
      });
      await until('the projectors have committed', () => (output.match(/"offsets-committed"/g) ?? []).length > 2);
      await readMetrics();
      seeArguments(running.flatMap(({ pid }) => (pid === undefined ? [] : [pid])));
      for (const words of [
        'scoreboard',
        'instruments',
        'dead-letters',
        'dead-letters retry',
        'stack status',
        'stack up --json',
      ]) {
        expect(await run(words), words).toMatchObject({ exitCode: 0 });
      }
      // A projector that is not running needs attention; every part must still be answered.
      // A part is left out where it takes too long, too.
      let stdout = '';
      await until('every part is answered', async () => {
        ({ stdout } = await run('status --json'));
        return !stdout.includes('"missing":');
      }).catch((error: unknown) => {
        throw new Error(`parts are missing: ${stdout}`, { cause: error });
      });
      expect((JSON.parse(stdout) as Pick<Status, 'services'>).services.every(({ up }) => up)).toBe(true);
    } finally {
      await stop(running);
    }
  });

  it('makes keys and passwords readable only by their owner', async () => {
    const custody = await custodyOf(options.folder);
    const files = [
      ...['secrets.json', 'endpoints.json'].map((name) => join(options.folder, name)),
      join(await custody.folder('kafka'), 'server.properties'),
      join(await custody.folder('registry'), 'config', 'application.properties'),
      join(await custody.folder('postgres'), 'key.pem'),
      join(await custody.folder('redis'), 'key.pem'),
    ];
    for (const file of files) expect(statSync(file).mode & 0o077, file).toBe(0);
  });

  it('takes passwords from files as well', async () => {
    const fileWith = async (name: string, secret: string): Promise<string> => {
      const file = join(options.folder, name);
      await writeFile(file, `${secret}\n`, { mode: 0o600 });
      return file;
    };
    const { TAPEPROOF_KAFKA_PASSWORD: password = '', ...settings } = settingsOf('reader');
    const { exitCode, stderr } = await run('contracts check', {
      ...settings,
      TAPEPROOF_KAFKA_BROKERS: endpoints.kafkaBrokers,
      TAPEPROOF_KAFKA_PASSWORD_FILE: await fileWith('kafka.password', password),
      TAPEPROOF_REGISTRY_URL: anonymous(endpoints.registryUrl),
      TAPEPROOF_REGISTRY_USERNAME: REGISTRY_USER,
      TAPEPROOF_REGISTRY_PASSWORD_FILE: await fileWith('registry.password', secured().registry),
      TAPEPROOF_POSTGRES_URL_FILE: await fileWith('postgres.url', endpoints.postgresUrl),
      TAPEPROOF_POSTGRES_MIGRATOR_URL_FILE: await fileWith('migrator.url', endpoints.postgresMigratorUrl),
      TAPEPROOF_REDIS_URL_FILE: await fileWith('redis.url', endpoints.redisUrl),
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });
});

/** A principal that may not see a group is not told its coordinator. */
const REFUSED = /_AUTHORIZATION_FAILED|GroupCoordinatorNotFound|[Nn]ot authorized/;

describe('access rules', () => {
  it.each(ROLES)('deny %s whatever docs/security.md denies', async (role) => {
    const denied = await deniedAttempts(role, kafkaAs(settingsOf(role)));
    expect(denied.attempts.length).toBeGreaterThan(TOPICS.length);
    try {
      for (const [what, attempt] of denied.attempts) expect(await refusalOf(attempt), what).toMatch(REFUSED);
    } finally {
      await denied.end();
    }
    const reader = createLogReader([endpoints.kafkaBrokers], kafkaSecurityFrom(settingsOf(role)));
    expect(await reader.startOffset('raw.trades', 0)).toBe(0);
    await reader.close();
  });

  it('are made exact again by stack up', async () => {
    const administrator = {
      ...settingsOf('reader'),
      TAPEPROOF_KAFKA_SASL_MECHANISM: 'PLAIN',
      TAPEPROOF_KAFKA_USERNAME: KAFKA_ADMINISTRATOR,
      TAPEPROOF_KAFKA_PASSWORD: secured().kafkaAdministrator,
    };
    const admin = kafkaAs(administrator).admin();
    await admin.connect();
    const granted = {
      ...{ principal: 'User:tapeproof-reader', host: '*', permissionType: AclPermissionTypes.ALLOW },
      ...{ resourceType: AclResourceTypes.TOPIC, resourceName: 'raw.trades', operation: AclOperationTypes.WRITE },
      resourcePatternType: ResourcePatternTypes.LITERAL,
    };
    const found = async () => (await admin.describeAcls(granted)).resources.length;
    try {
      await admin.createAcls({ acl: [granted] });
      expect(await found()).toBe(1);
      await stackUp(options, silent);
      expect(await found()).toBe(0);
    } finally {
      await admin.disconnect();
    }
  });
});

/** The exact sentence for each refusal. */
describe('a refusal', () => {
  const kafkaWith = (more: Record<string, string>, role: Role = 'reader'): Record<string, string> => ({
    TAPEPROOF_KAFKA_BROKERS: endpoints.kafkaBrokers,
    ...Object.fromEntries(Object.entries(settingsOf(role)).filter(([name]) => name.includes('_KAFKA_'))),
    ...more,
  });
  const serviceWith = (service: string, url: string, more: Record<string, string>): Record<string, string> => ({
    [`TAPEPROOF_${service}_URL`]: url,
    ...Object.fromEntries(Object.entries(settingsOf('reader')).filter(([name]) => name.includes(`_${service}_`))),
    ...more,
  });

  it.each([
    ['wrong password', 'scoreboard', 'does not accept the credentials of this process'],
    ['a mechanism that is not offered', 'scoreboard', 'does not offer the SASL mechanism'],
    ['unknown authority', 'topics check', 'of an authority that is not trusted here: set TAPEPROOF_KAFKA_CA_FILE'],
    ['unknown authority', 'scoreboard', 'of an authority that is not trusted here: set TAPEPROOF_KAFKA_CA_FILE'],
    ['other role', 'ingest file FILE', 'does not authorise this process for a topic'],
  ])('by Kafka for %s is one sentence: %s', async (why, words, sentence) => {
    const password = { TAPEPROOF_KAFKA_PASSWORD: CANARY };
    const file = join(options.folder, 'new.csv');
    await writeFile(
      file,
      'trade_id,event_time_us,instrument,price,size,side\n1,1742943600000000,NEW-USDT@binance,1,1,BUY\n',
    );
    const { stderr, exitCode } = await run(
      words.replace('FILE', file),
      {
        'wrong password': kafkaWith(password),
        'a mechanism that is not offered': kafkaWith({ TAPEPROOF_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-256' }),
        'unknown authority': kafkaWith({ TAPEPROOF_KAFKA_CA_FILE: await otherAuthority() }),
        'other role': kafkaWith({}, 'projector'),
      }[why],
    );
    expect(stderr).toContain(`Kafka ${sentence.startsWith('of') ? 'shows a certificate ' : ''}${sentence}`);
    expect(stderr.match(/^tapeproof: /gm)).toHaveLength(1);
    expect(exitCode).toBe(3);
  });

  it.each([
    [
      'REGISTRY',
      'wrong password',
      'contracts check',
      'does not accept the credentials of this process (it answered 401)',
    ],
    ['REGISTRY', 'unknown authority', 'contracts check', 'an authority that is not trusted here'],
    ['POSTGRES', 'unknown authority', 'migrate', 'an authority that is not trusted here'],
    ['REDIS', 'unknown authority', 'projector rebuild redis-latest', 'an authority that is not trusted here'],
  ])('by %s for %s is one sentence', async (service, why, words, sentence) => {
    const { registryUrl, postgresUrl, redisUrl } = endpoints;
    const url = {
      ...{ REGISTRY: why === 'wrong password' ? anonymous(registryUrl) : registryUrl },
      ...{ POSTGRES: postgresUrl, REDIS: redisUrl },
    }[service];
    const more =
      why === 'wrong password'
        ? { TAPEPROOF_REGISTRY_USERNAME: REGISTRY_USER, TAPEPROOF_REGISTRY_PASSWORD: CANARY }
        : { [`TAPEPROOF_${service}_CA_FILE`]: await otherAuthority() };
    const { stderr, exitCode } = await run(words, serviceWith(service, url ?? '', more));
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(exitCode).toBe(3);
  });

  it('does not repeat the password of a URL', async () => {
    const secret = encodeURIComponent(CANARY);
    const nowhere = {
      TAPEPROOF_KAFKA_BROKERS: endpoints.kafkaBrokers,
      TAPEPROOF_REGISTRY_URL: `https://user:${secret}@127.0.0.1:1/`,
      TAPEPROOF_POSTGRES_URL: `postgres://user:${secret}@127.0.0.1:1/none`,
      TAPEPROOF_REDIS_URL: `redis://user:${secret}@127.0.0.1:1`,
    };
    for (const words of ['contracts check', 'migrate'])
      expect(await run(words, nowhere)).toMatchObject({ exitCode: 3 });
  });
});

describe('secrets', () => {
  it('are in no output, log, metric or argument', async () => {
    for (const { pid } of await stackStatus(options)) if (pid !== undefined) seeArguments([pid]);
    for (const name of readdirSync(join(options.folder, 'logs'))) {
      output += readFileSync(join(options.folder, 'logs', name), 'utf8');
    }
    const { secured: more, ...plain } = readSecrets(options.folder) ?? {};
    const { authority, kafka, ...others } = more ?? secured();
    const secrets = [CANARY, authority.key, ...[plain, kafka, others].flatMap((each) => Object.values<string>(each))];
    expect(secrets).toHaveLength(2 + 6 + ROLES.length + 3);
    expect(output).toContain('tapeproof_build_info');
    for (const secret of secrets) for (const form of formsOf(secret)) expect(output.includes(form), form).toBe(false);
  });
});

describe('a secured stack whose passwords are lost', () => {
  it(
    'is not started in plain text, and comes up with new ones by the advice, with its data',
    { timeout: 900_000 },
    async () => {
      const before = secured();
      await rm(secretsFile(options.folder));
      const refused = await run('stack up');
      expect(refused.exitCode).toBe(2);
      const advice = [...refused.stderr.matchAll(/"npx tapeproof ([^"]+)"/g)].map(([, words = '']) => words);
      expect(advice).toEqual(['stack down', 'stack up --secure']);
      for (const words of advice) expect(await run(words), words).toMatchObject({ exitCode: 0 });
      expect(secured().registry).not.toBe(before.registry);
      for (const words of ['topics check', 'contracts check', 'migrate', 'audit --latest BTC-USDT@binance --verify']) {
        expect(await run(words), words).toMatchObject({ exitCode: 0 });
      }
    },
  );
});

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const shifted = [0, 1, 2].map((shift) => bytes.subarray((3 - shift) % 3));
  const whole = shifted.map((part) => part.subarray(0, part.length - (part.length % 3)).toString('base64'));
  return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), bytes.toString('hex'), ...whole];
}

async function readMetrics(): Promise<void> {
  for (const [, url] of output.matchAll(/"url\.full":"([^"]+)"/g)) {
    for (const path of ['/metrics', '/health', '/ready']) {
      output += await (await fetch(String(url).replace('/metrics', path))).text();
    }
  }
}

/** The arguments of processes and of their children, of which any may end meanwhile. */
function seeArguments(pids: readonly number[]): void {
  for (const pid of pids) {
    output += readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    for (const child of children.map(Number)) {
      try {
        seeArguments([child]);
      } catch (error) {
        if (existsSync(`/proc/${child}`)) throw error;
      }
    }
  }
}

async function otherAuthority(): Promise<string> {
  const file = join(options.folder, 'other-ca.pem');
  await writeFile(file, (await createAuthority('Somebody else')).certificate);
  return file;
}
