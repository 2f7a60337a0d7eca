import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DockerComposeEnvironment, type StartedDockerComposeEnvironment } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { TOPICS } from '../contracts/topics.ts';
import { DEFAULT_STACK_OPTIONS, freePorts, SERVICE_NAMES } from '../stack/main.ts';
import { PARTS } from '../stack/parts.ts';
import { POSTGRES_ROLES } from '../stack/postgres-roles.ts';
import { REDIS_APPLICATION_RULES } from '../stack/redis-users.ts';
import { runCommand } from './support/command.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const UP_TIMEOUT_MS = 600_000;

interface ComposedService {
  readonly image: string;
  readonly ports: readonly string[];
  readonly user: string;
  readonly security_opt: readonly string[];
  readonly cap_drop: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

interface ComposeFile {
  readonly services: Readonly<Record<string, ComposedService>>;
}

const PASSWORDS = [
  'TAPEPROOF_POSTGRES_ADMINISTRATOR_PASSWORD',
  'TAPEPROOF_POSTGRES_MIGRATOR_PASSWORD',
  'TAPEPROOF_POSTGRES_PROJECTOR_PASSWORD',
  'TAPEPROOF_POSTGRES_READER_PASSWORD',
  'TAPEPROOF_REDIS_PASSWORD',
] as const;
const passwordOf = (name: (typeof PASSWORDS)[number]): string => `the-${name}`;

function readRepositoryFile(name: string): Promise<string> {
  return readFile(join(REPOSITORY, name), 'utf8');
}

async function composeFile(): Promise<ComposeFile> {
  return parse(await readRepositoryFile('docker-compose.yml'), { merge: true }) as ComposeFile;
}

async function containerEngineAnswers(): Promise<boolean> {
  try {
    await promisify(execFile)('docker', ['info']);
    return true;
  } catch {
    return false;
  }
}

describe('docker-compose.yml', () => {
  it('has the four services of the local stack, images pinned, on the same ports of this machine only', async () => {
    const { services } = await composeFile();
    expect(Object.keys(services).sort()).toEqual([...SERVICE_NAMES].sort());
    for (const name of SERVICE_NAMES) {
      expect(services[name]?.image).toMatch(/:\d+\.\d+(\.\d+)?/);
      expect(services[name]?.ports).toEqual([
        expect.stringMatching(
          `^127\\.0\\.0\\.1:\\$\\{TAPEPROOF_STACK_PORT_${name.toUpperCase()}:-${DEFAULT_STACK_OPTIONS.ports[name]}\\}:`,
        ),
      ]);
    }
  });

  it('runs no service as root, and lets none gain rights', async () => {
    for (const service of Object.values((await composeFile()).services)) {
      expect(service.user).toMatch(/^(?!root$|0$)./);
      expect(service.security_opt).toContain('no-new-privileges:true');
      expect(service.cap_drop).toEqual(['ALL']);
    }
  });

  it('has passwords without defaults, trusts nobody, and creates the roles and rules of the local stack', async () => {
    const text = await readRepositoryFile('docker-compose.yml');
    const page = await readRepositoryFile('docs/security.md');
    for (const name of PASSWORDS) {
      expect(text).toContain(`\${${name}:?`);
      expect(text).not.toContain(`\${${name}:-`);
      expect(page).toContain(name.slice('TAPEPROOF_'.length, -'_PASSWORD'.length));
    }
    expect(text).not.toContain('AUTH_METHOD: trust');
    const { services } = await composeFile();
    expect(services['redis']?.environment['RULES']).toBe(REDIS_APPLICATION_RULES);
    expect(`Redis ${services['redis']?.image.split(':')[1] ?? ''}`).toBe(PARTS.redis.title);
    const roles = await readRepositoryFile('docker-compose.postgres.sql');
    for (const role of Object.values(POSTGRES_ROLES)) expect(roles).toContain(`CREATE ROLE ${role} LOGIN PASSWORD`);
  });
});

// The runner reports it as skipped where no container engine answers.
describe.skipIf(!(await containerEngineAnswers()))('the composed services', () => {
  let environment: StartedDockerComposeEnvironment;
  let connections: Record<string, string>;

  beforeAll(async () => {
    const ports = await freePorts();
    environment = await new DockerComposeEnvironment(REPOSITORY, 'docker-compose.yml')
      .withEnvironment(
        Object.fromEntries([
          ...SERVICE_NAMES.map((name) => [`TAPEPROOF_STACK_PORT_${name.toUpperCase()}`, String(ports[name])] as const),
          ...PASSWORDS.map((name) => [name, passwordOf(name)] as const),
        ]),
      )
      .up();
    const postgresUrl = (role: keyof typeof POSTGRES_ROLES, password: (typeof PASSWORDS)[number]) =>
      `postgres://${POSTGRES_ROLES[role]}:${passwordOf(password)}@127.0.0.1:${ports.postgres}/tapeproof`;
    connections = {
      TAPEPROOF_KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
      TAPEPROOF_REGISTRY_URL: `http://127.0.0.1:${ports.registry}/apis/ccompat/v7`,
      TAPEPROOF_POSTGRES_URL: postgresUrl('projector', 'TAPEPROOF_POSTGRES_PROJECTOR_PASSWORD'),
      TAPEPROOF_POSTGRES_MIGRATOR_URL: postgresUrl('migrator', 'TAPEPROOF_POSTGRES_MIGRATOR_PASSWORD'),
      TAPEPROOF_REDIS_URL: `redis://tapeproof:${passwordOf('TAPEPROOF_REDIS_PASSWORD')}@127.0.0.1:${ports.redis}`,
    };
  }, UP_TIMEOUT_MS);
  afterAll(async () => {
    await environment.down();
  });

  it('accept topics, schemas, tables and an activation', async () => {
    for (const words of [['topics', 'apply'], ['contracts', 'register'], ['migrate'], ['activate']]) {
      const { exitCode, stderr } = await runCommand(words, connections);
      expect(exitCode, stderr).toBe(0);
    }
    const { stdout } = await runCommand(['topics', 'check', '--json'], connections);
    expect(JSON.parse(stdout)).toEqual([]);
    expect(TOPICS).toHaveLength(8);
  });
});
