import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environmentOf, JOBS, PROCESSES, secretsOf, type DeployedService } from '../deploy/services.ts';
import { formatSignerKey, signerKey } from '../proofs/tlog/note-key.ts';
import { makeImageTree } from './support/image-tree.ts';

const SECRETS: Readonly<Record<string, string>> = {
  TAPEPROOF_CHECKPOINT_KEY: formatSignerKey(signerKey('image.test', 'log', Buffer.alloc(32, 7))),
  TAPEPROOF_DASHBOARD_TOKEN: 'a-token-of-this-test',
};
const TREE_TIMEOUT_MS = 120_000;
const ANY_SECRET = 'a-password-of-this-test';
const NOBODY = {
  kafkaBrokers: '127.0.0.1:1',
  registryUrl: 'http://127.0.0.1:1',
  postgresUrl: 'postgres://127.0.0.1:1/tapeproof',
  redisUrl: 'redis://127.0.0.1:1',
};

/** What the image has below /app: no dev or optional packages, no tests, no git checkout. */
let tree: string;

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'tapeproof-image-'));
  makeImageTree(tree);
}, TREE_TIMEOUT_MS);
afterAll(() => {
  rmSync(tree, { recursive: true, force: true });
}, TREE_TIMEOUT_MS);

function start(service: DeployedService, words: readonly string[]): ChildProcess {
  const secrets = Object.fromEntries(
    secretsOf(service).map(({ variable }): [string, string] => [variable, SECRETS[variable] ?? ANY_SECRET]),
  );
  return spawn(process.execPath, ['bin/tapeproof.js', ...words], {
    cwd: tree,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...environmentOf(service, NOBODY), ...secrets },
  });
}

/** The address of its health server, once it logs it. */
async function addressOf(child: ChildProcess): Promise<string> {
  const said: string[] = [];
  if (child.stderr === null) throw new Error('there is no standard error');
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    const url = /"url\.full":"(http:[^"]+)\/metrics"/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`it ended without listening: ${said.join('\n')}`);
}

describe('the tree of the image', () => {
  it.each(PROCESSES.map((service) => [service.name, service] as const))(
    '%s starts, is alive, not ready without its services, and ends when it is ordered to',
    async (_, service) => {
      const free = ['--http-host', '127.0.0.1', '--http-port', '0'];
      const port = service.servesPort === undefined ? [] : ['--port', '0'];
      const child = start(service, [...service.command, ...free, ...port]);
      const ended = once(child, 'close');
      try {
        const address = await addressOf(child);
        child.stderr?.resume();
        expect((await fetch(`${address}/health`)).status).toBe(200);
        expect((await fetch(`${address}/ready`)).status).toBe(503);
      } finally {
        child.kill('SIGTERM');
      }
      expect(await ended).toEqual([0, null]);
    },
  );

  it('has the page where it was built', () => {
    expect(existsSync(join(tree, 'dashboard/web/dist/index.html'))).toBe(
      existsSync(join(import.meta.dirname, '../dashboard/web/dist/index.html')),
    );
  });

  it.each(JOBS.map((service) => [service.name, service] as const))(
    '%s reports in a sentence that its service does not answer',
    async (_, service) => {
      const child = start(service, service.command);
      let stderr = '';
      child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      const [exitCode] = (await once(child, 'close')) as [number];
      expect(stderr).toMatch(/^tapeproof: .*(?:does not answer|cannot be reached|ECONNREFUSED)/);
      expect(exitCode).toBe(3);
    },
  );
});
