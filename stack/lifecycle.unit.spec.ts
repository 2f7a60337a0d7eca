import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { assertNothingOpen, assertPortsFree, runningService, stopService } from './lifecycle.ts';
import { DEFAULT_STACK_OPTIONS, endpointsOf, freePorts } from './options.ts';
import { identifyProcess } from './process.ts';
import { readEndpoints, readServiceRecord, writeEndpoints, writeServiceRecord } from './record.ts';
import { redis } from './redis.ts';
import { ensureSecrets } from './secrets.ts';
import { authorityFile } from './security.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapeproof-stack-'));
  mkdirSync(join(folder, 'redis'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('a service record', () => {
  it('finds the process it was written for', async () => {
    const record = { ...identifyProcess(process.pid)!, ports: [1] };
    await writeServiceRecord(folder, 'redis', record);
    expect(runningService(folder, 'redis')).toEqual(record);
  });

  it('ignores a process that merely has the same pid, and ending the service spares it', async () => {
    await writeServiceRecord(folder, 'redis', { pid: process.pid, started: 'before a reboot', ports: [1] });
    expect(runningService(folder, 'redis')).toBeUndefined();
    expect(await stopService(redis, { ...DEFAULT_STACK_OPTIONS, folder }, 'SIGKILL')).toBe(false);
    expect(readServiceRecord(folder, 'redis')).toBeUndefined();
  });

  it('is none when the file was cut short', () => {
    writeFileSync(join(folder, 'redis', 'process.json'), '{"pid": 12');
    expect(runningService(folder, 'redis')).toBeUndefined();
  });
});

describe('readEndpoints', () => {
  it('returns the written addresses, and nothing where no stack was brought up', async () => {
    expect(readEndpoints(folder)).toBeUndefined();
    const endpoints = endpointsOf(DEFAULT_STACK_OPTIONS, await ensureSecrets(folder), '/trades.csv');
    await writeEndpoints(folder, endpoints);
    expect(readEndpoints(folder)).toEqual(endpoints);
    writeFileSync(join(folder, 'endpoints.json'), '{"kafkaBrokers": 1}');
    expect(readEndpoints(folder)).toBeUndefined();
  });
});

describe('a secured stack whose passwords are lost', () => {
  const check = (secure: boolean) => (): void => {
    assertNothingOpen({ ...DEFAULT_STACK_OPTIONS, folder, secure });
  };

  it('is not started again in plain text, and the message has the command that makes new ones', async () => {
    writeFileSync(authorityFile(folder), 'a certificate');
    writeFileSync(join(folder, 'secrets.json'), '{"postgresAdmin');
    expect(check(false)).toThrow(
      /^This stack is secured, but its file of passwords .*secrets\.json is missing or cannot be read: put it back, or run "npx tapeproof stack up --secure"/,
    );
    expect(check(true)).not.toThrow();
    await writeServiceRecord(folder, 'redis', { ...identifyProcess(process.pid)!, ports: [1] });
    expect(check(true)).toThrow('run "npx tapeproof stack down", then "npx tapeproof stack up --secure"');
  });
});

describe('assertPortsFree', () => {
  it('names the port, the service and the variable that moves it', async () => {
    const ports = await freePorts();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(ports.redis, '127.0.0.1', resolve));
    await expect(assertPortsFree(redis, ports)).rejects.toThrow(
      new RegExp(`Port ${ports.redis} .*Redis.*TAPEPROOF_STACK_PORT_REDIS`),
    );
    await new Promise((resolve) => server.close(resolve));
    await expect(assertPortsFree(redis, ports)).resolves.toBeUndefined();
  });
});
