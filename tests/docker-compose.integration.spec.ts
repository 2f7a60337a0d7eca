import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DockerComposeEnvironment, type StartedDockerComposeEnvironment } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { TOPICS } from '../contracts/topics.ts';
import { DEFAULT_STACK_OPTIONS, freePorts, SERVICE_NAMES } from '../stack/main.ts';
import { runCommand } from './support/command.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const UP_TIMEOUT_MS = 600_000;

interface ComposeFile {
  readonly services: Readonly<Record<string, { readonly image: string; readonly ports: readonly string[] }>>;
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
    const { services } = parse(await readFile(join(REPOSITORY, 'docker-compose.yml'), 'utf8')) as ComposeFile;
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
});

// Said by the runner as skipped where no container engine answers.
describe.skipIf(!(await containerEngineAnswers()))('the composed services', () => {
  let environment: StartedDockerComposeEnvironment;
  let connections: Record<string, string>;

  beforeAll(async () => {
    const ports = await freePorts();
    environment = await new DockerComposeEnvironment(REPOSITORY, 'docker-compose.yml')
      .withEnvironment(
        Object.fromEntries(
          SERVICE_NAMES.map((name) => [`TAPEPROOF_STACK_PORT_${name.toUpperCase()}`, String(ports[name])]),
        ),
      )
      .up();
    connections = {
      TAPEPROOF_KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
      TAPEPROOF_REGISTRY_URL: `http://127.0.0.1:${ports.registry}/apis/ccompat/v7`,
      TAPEPROOF_POSTGRES_URL: `postgres://tapeproof@127.0.0.1:${ports.postgres}/tapeproof`,
      TAPEPROOF_REDIS_URL: `redis://127.0.0.1:${ports.redis}`,
    };
  }, UP_TIMEOUT_MS);
  afterAll(async () => {
    await environment.down();
  });

  it('take topics, schemas, tables and an activation', async () => {
    for (const words of [['topics', 'apply'], ['contracts', 'register'], ['migrate'], ['activate']]) {
      const { exitCode, stderr } = await runCommand(words, connections);
      expect(exitCode, stderr).toBe(0);
    }
    const { stdout } = await runCommand(['topics', 'check', '--json'], connections);
    expect(JSON.parse(stdout)).toEqual([]);
    expect(TOPICS).toHaveLength(8);
  });
});
