import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKafka } from '../platform/kafka/client.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { kafkaSecurityFrom } from '../platform/kafka/security.ts';
import { createLog } from '../platform/log.ts';
import { createAuthority, signCertificate, type Certified } from '../stack/certificates.ts';
import { startAuthenticatingKafka, type AuthenticatingKafka } from './support/authenticating-kafka.ts';
import { runCommand, type CommandResult } from './support/command.ts';
import { AUDIENCE, ISSUER, startTokenServer, type TokenServer } from './support/token-server.ts';
import { until } from './support/until.ts';

/** A real broker whose clients prove who they are by a certificate (mutual TLS) or a token (OAUTHBEARER). */
let folder: string;
let authority: Certified;
let kafka: AuthenticatingKafka;
let tokens: TokenServer;
/** Everything that commands have printed. */
let output = '';
/** Has characters that RFC 6749 encodes. */
const CLIENT = { id: 'tapeproof engine', secret: 'canary p@ss:word%+/' };
const KEY_PASSWORD = 'canary of a key';
const PAST_SECONDS = 1_000_000_000;
/** Both clients authenticate again before it has passed: each at its own moment. */
const SESSION_MS_MAX = 11_000;
const SHORT_LIFETIME_SECONDS = 8;
const RENEWALS = 3;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-authentication-'));
  authority = await createAuthority('Test authority');
  await fileWith('ca.pem', authority.certificate);
  tokens = await startTokenServer(authority, CLIENT);
  const { keySet } = tokens;
  kafka = await startAuthenticatingKafka({
    ...{ folder, authority, keySet, issuer: ISSUER, audience: AUDIENCE, sessionMsMax: SESSION_MS_MAX },
  });
  const other = await createAuthority('Somebody else');
  const notAfter = new Date(PAST_SECONDS * 1_000);
  await certificateFiles('own', await signCertificate(authority, { name: 'engine' }));
  await certificateFiles('foreign', await signCertificate(other, { name: 'engine' }));
  await certificateFiles('expired', await signCertificate(authority, { name: 'engine', notAfter }));
  expect(await run('topics apply', byCertificate('own'))).toMatchObject({ exitCode: 0, stderr: '' });
});

afterAll(async () => {
  tokens.close();
  await kafka.stop();
  await rm(folder, { recursive: true });
});

async function run(words: string, environment: Record<string, string>): Promise<CommandResult> {
  const result = await runCommand(words.split(' '), { ...NO_OTHER_SERVICES, ...environment });
  output += result.stdout + result.stderr;
  return result;
}

/** Kafka is all that these commands reach. */
const NO_OTHER_SERVICES = {
  TAPEPROOF_REGISTRY_URL: 'http://127.0.0.1:1/',
  TAPEPROOF_POSTGRES_URL: 'postgres://127.0.0.1:1/none',
  TAPEPROOF_REDIS_URL: 'redis://127.0.0.1:1',
};

async function fileWith(name: string, content: string): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

async function certificateFiles(name: string, { certificate, key }: Certified): Promise<void> {
  await fileWith(`${name}.pem`, certificate);
  await fileWith(`${name}.key`, key);
  const locked = createPrivateKey(key).export({
    ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: KEY_PASSWORD },
  });
  await fileWith(`${name}.locked.key`, String(locked));
}

/** Without a name the client has no certificate. */
function byCertificate(name?: string, key = name): Record<string, string> {
  return {
    TAPEPROOF_KAFKA_BROKERS: kafka.byCertificate,
    TAPEPROOF_KAFKA_SECURITY_PROTOCOL: 'SSL',
    TAPEPROOF_KAFKA_CA_FILE: join(folder, 'ca.pem'),
    ...(name !== undefined && { TAPEPROOF_KAFKA_CERTIFICATE_FILE: join(folder, `${name}.pem`) }),
    ...(key !== undefined && { TAPEPROOF_KAFKA_KEY_FILE: join(folder, `${key}.key`) }),
  };
}

function byToken(source: Record<string, string>): Record<string, string> {
  return {
    TAPEPROOF_KAFKA_BROKERS: kafka.byToken,
    TAPEPROOF_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
    TAPEPROOF_KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
    TAPEPROOF_KAFKA_CA_FILE: join(folder, 'ca.pem'),
    ...source,
  };
}

function byClientCredentials(more: Record<string, string> = {}): Record<string, string> {
  return byToken({
    TAPEPROOF_KAFKA_TOKEN_URL: tokens.url,
    TAPEPROOF_KAFKA_TOKEN_CA_FILE: join(folder, 'ca.pem'),
    TAPEPROOF_KAFKA_CLIENT_ID: CLIENT.id,
    TAPEPROOF_KAFKA_CLIENT_SECRET: CLIENT.secret,
    ...more,
  });
}

/** One command for each client library: `scoreboard` uses both. */
async function expectAccepted(environment: Record<string, string>): Promise<void> {
  for (const words of ['topics check', 'scoreboard']) {
    expect(await run(words, environment), words).toMatchObject({ exitCode: 0, stderr: '' });
  }
}

async function expectRefused(
  environment: Record<string, string>,
  sentence: string,
  exitCode = 3,
  command = 'scoreboard',
): Promise<void> {
  const result = await run(command, environment);
  expect(result.stderr).toContain(sentence);
  expect(result.stderr.match(/^tapeproof: /gm)).toHaveLength(1);
  expect(result.stderr.trim().split('\n')).toHaveLength(1);
  expect(result).toMatchObject({ exitCode, stdout: '' });
}

/** Both libraries, within this process. */
function clientsWith(environment: Record<string, string>, brokers: string) {
  const security = kafkaSecurityFrom(environment);
  const log = createLog('test', 'silent');
  const producer = createKafka([brokers], 'test-authentication', log, { security }).producer();
  const reader = createLogReader([brokers], security);
  return {
    async use(): Promise<void> {
      await producer.connect();
      await producer.send({ topic: 'dead.letters', messages: [{ partition: 0, value: 'a' }] });
      await reader.endOffset('dead.letters', 0);
    },
    read: () => reader.endOffset('dead.letters', 0),
    async close(): Promise<void> {
      await producer.disconnect();
      await reader.close();
    },
  };
}

describe('mutual TLS', () => {
  it('admits a client by its certificate', async () => {
    await expectAccepted(byCertificate('own'));
    await expectAccepted({ ...byCertificate('own', 'own.locked'), TAPEPROOF_KAFKA_KEY_PASSWORD: KEY_PASSWORD });
  });

  it.each([
    ['no certificate', undefined],
    ['a certificate of another authority', 'foreign'],
    ['a certificate that has expired', 'expired'],
  ])('refuses %s in one sentence', async (_, name) => {
    for (const command of ['topics check', 'scoreboard']) {
      const sentence = 'Kafka does not accept the certificate of this client: set TAPEPROOF_KAFKA_CERTIFICATE_FILE';
      await expectRefused(byCertificate(name), sentence, 3, command);
    }
  });

  it.each([
    ['the key of another certificate', 'foreign'],
    ['a key without its password', 'own.locked'],
  ])('refuses %s in one sentence, before it connects', async (_, key) => {
    await expectRefused(
      byCertificate('own', key),
      'TAPEPROOF_KAFKA_CERTIFICATE_FILE and TAPEPROOF_KAFKA_KEY_FILE cannot be used',
      2,
    );
  });
});

describe('OAUTHBEARER', () => {
  it('admits a client by a token of its own', async () => {
    await expectAccepted(byToken({ TAPEPROOF_KAFKA_TOKEN: tokens.sign() }));
    const file = await fileWith('token', `${tokens.sign()}\n`);
    await expectAccepted(byToken({ TAPEPROOF_KAFKA_TOKEN_FILE: file }));
  });

  it('admits a client by its credentials at the issuer', async () => {
    const before = tokens.issued.length;
    await expectAccepted(byClientCredentials());
    expect(tokens.issued.length).toBeGreaterThan(before);
  });

  it.each([
    ['has expired', { iat: PAST_SECONDS, exp: PAST_SECONDS + 60 }],
    ['is for another service', { aud: 'elsewhere' }],
    ['has another issuer', { iss: 'https://elsewhere.example' }],
    ['is not signed by the issuer', undefined],
  ])('refuses a token that %s in one sentence', async (_, claims) => {
    const token = claims === undefined ? `${tokens.sign().slice(0, -20)}${'A'.repeat(20)}` : tokens.sign(claims);
    for (const command of ['topics check', 'scoreboard']) {
      const environment = byToken({ TAPEPROOF_KAFKA_TOKEN: token });
      await expectRefused(environment, 'Kafka does not accept the credentials of this process', 3, command);
    }
  });

  it('says in one sentence why the issuer gives no token', async () => {
    const wrong = { TAPEPROOF_KAFKA_CLIENT_SECRET: 'canary of another client' };
    await expectRefused(byClientCredentials(wrong), 'TAPEPROOF_KAFKA_TOKEN_URL gives no token (it answered 401)');
    const nowhere = { TAPEPROOF_KAFKA_TOKEN_URL: 'https://127.0.0.1:1/token' };
    await expectRefused(
      byClientCredentials(nowhere),
      'TAPEPROOF_KAFKA_TOKEN_URL does not answer (connect ECONNREFUSED',
    );
    const untrusted = { TAPEPROOF_KAFKA_TOKEN_CA_FILE: '' };
    await expectRefused(byClientCredentials(untrusted), 'trusted here: set TAPEPROOF_KAFKA_TOKEN_CA_FILE');
    for (const body of ['<html>Welcome', '{}', '[]', 'null', '{"access_token":7}']) {
      tokens.answer = { status: 200, body };
      await expectRefused(byClientCredentials(), 'TAPEPROOF_KAFKA_TOKEN_URL answers without a token');
    }
    tokens.answer = undefined;
  });

  it('renews a token of the issuer before it expires', async () => {
    tokens.lifetimeSeconds = SHORT_LIFETIME_SECONDS;
    const before = tokens.issued.length;
    const clients = clientsWith(byClientCredentials(), kafka.byToken);
    try {
      // An error of either client ends the test here, where `until` would take it for "not yet".
      while (tokens.issued.length < before + 1 + RENEWALS) await clients.use();
    } finally {
      await clients.close();
    }
  });

  it('reads a file again, and recovers from a refusal when the file has a good token', async () => {
    tokens.lifetimeSeconds = SHORT_LIFETIME_SECONDS;
    const file = await fileWith('renewed', tokens.sign());
    const clients = clientsWith(byToken({ TAPEPROOF_KAFKA_TOKEN_FILE: file }), kafka.byToken);
    try {
      await clients.use();
      await until('the session has ended with its token', () => clients.read().then(() => false, isRefusal));
      await fileWith('renewed', tokens.sign());
      await clients.use();
      await fileWith('renewed', '');
      await until('the next session finds no token', () => clients.read().then(() => false, isEmptyFile));
      await fileWith('renewed', tokens.sign());
      await clients.use();
    } finally {
      await clients.close();
    }
  });
});

function isRefusal(error: Error): boolean {
  return error.message.startsWith('Kafka does not accept the credentials of this process');
}

function isEmptyFile(error: Error): boolean {
  return error.message.startsWith('The file that TAPEPROOF_KAFKA_TOKEN_FILE names is empty');
}

it('prints no token and no secret', () => {
  const secrets = [CLIENT.secret, KEY_PASSWORD, ...tokens.signed];
  expect(output).toContain('All topics are as defined');
  for (const secret of secrets) {
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
      expect(output.includes(form)).toBe(false);
    }
  }
});
