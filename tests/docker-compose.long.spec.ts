import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts, SERVICE_NAMES } from '../stack/main.ts';
import { until } from './support/until.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const UP_TIMEOUT_MS = 1_200_000;
const PASSWORDS = ['POSTGRES_ADMINISTRATOR', 'POSTGRES_MIGRATOR', 'POSTGRES_PROJECTOR', 'POSTGRES_READER', 'REDIS'];
const TOKEN = 'the-token-of-this-test';

const run = promisify(execFile);

/** Both the engine and the client's plugin. */
async function composeAnswers(): Promise<boolean> {
  try {
    await run('docker', ['info']);
    await run('docker', ['compose', 'version']);
    return true;
  } catch {
    return false;
  }
}

// The runner reports it as skipped where no container engine answers.
describe.skipIf(!(await composeAnswers()))('docker compose up', () => {
  let environment: NodeJS.ProcessEnv;
  let page: string;
  const compose = (...words: string[]) =>
    run('docker', ['compose', '--project-name', `tapeproof-test-${process.pid}`, ...words], {
      cwd: REPOSITORY,
      env: environment,
    });

  beforeAll(async () => {
    const ports = await freePorts();
    // Only the local stack publishes a controller.
    page = `http://127.0.0.1:${ports.controller}`;
    environment = {
      ...process.env,
      ...Object.fromEntries([
        ...SERVICE_NAMES.map((name) => [`TAPEPROOF_STACK_PORT_${name.toUpperCase()}`, String(ports[name])] as const),
        ...PASSWORDS.map((name) => [`TAPEPROOF_${name}_PASSWORD`, `the-password-${name}`] as const),
      ]),
      TAPEPROOF_DASHBOARD_PORT: String(ports.controller),
      TAPEPROOF_DASHBOARD_TOKEN: TOKEN,
    };
    await compose('up', '--detach', '--wait', '--build');
  }, UP_TIMEOUT_MS);
  afterAll(async () => {
    await compose('down', '--volumes', '--timeout', '30');
  }, UP_TIMEOUT_MS);

  it(
    'ends with a living page, whose instruments come from the tape',
    async () => {
      expect((await fetch(page)).status).toBe(200);
      await compose('run', '--rm', 'sample');
      await until('the page knows an instrument', async () => {
        const answer = await fetch(`${page}/api/v1/instruments`, { headers: { authorization: `Bearer ${TOKEN}` } });
        return answer.status === 200 && (await answer.text()).includes('BTC-USDT@binance');
      });
      const { stdout } = await compose('run', '--rm', 'topics', 'topics', 'check', '--json');
      expect(JSON.parse(stdout)).toEqual([]);
    },
    UP_TIMEOUT_MS,
  );
});
