import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { commandLine, endProcess, identifyProcess, isAlive, residentBytes, type ProcessIdentity } from './process.ts';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A Node process that runs `script`, known to have done so: every script here prints when it is ready. */
async function startScript(script: string): Promise<ProcessIdentity> {
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout, 'data');
  return identifyProcess(child.pid!)!;
}

// Each ends eventually, should a failing test leave it behind.
const WAIT = 'setTimeout(() => {}, 30_000);';
const READY_AND_WAIT = `console.log('ready'); ${WAIT}`;
const DEAF = `process.on('SIGTERM', () => {}); ${READY_AND_WAIT}`;
const PARENT = `
  const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(DEAF)}], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.once('data', () => console.log(child.pid));
  ${WAIT}`;
const PATIENCE_MS = 200;

describe('a process identity', () => {
  it('names a live process and no other', async () => {
    const identity = await startScript(READY_AND_WAIT);
    expect(isAlive(identity)).toBe(true);
    expect(isAlive({ ...identity, started: 'long ago' })).toBe(false);
    expect(commandLine(identity.pid)).toContain('setTimeout');
    expect(residentBytes(identity)).toBeGreaterThan(1_000_000);
  });

  it('is undefined for an unused pid', () => {
    expect(identifyProcess(2 ** 30)).toBeUndefined();
    expect(commandLine(2 ** 30)).toBeUndefined();
  });

  it('is undefined for a process that ended and was not collected', async () => {
    // `exec` makes the shell a `sleep`, which never collects the shell's child. That ends only then: the shell would.
    const child = 'until [ "$(cat /proc/$$/comm)" = sleep ]; do :; done';
    const script = `{ ${child}; } & echo $!; exec sleep 30`;
    const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(parent);
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const ended = Number(printed.toString('utf8'));
    await expect.poll(() => identifyProcess(ended)).toBeUndefined();
    // Its pid is still in use: the zombie was not treated as a process.
    expect(() => process.kill(ended, 0)).not.toThrow();
  });
});

describe('endProcess', () => {
  it('ends a process by the gentle signal', async () => {
    const identity = await startScript(READY_AND_WAIT);
    await endProcess(identity, 'SIGTERM', 10_000);
    expect(isAlive(identity)).toBe(false);
  });

  it('kills one that does not listen', async () => {
    const identity = await startScript(DEAF);
    await endProcess(identity, 'SIGTERM', PATIENCE_MS);
    expect(isAlive(identity)).toBe(false);
  });

  it.runIf(process.platform === 'linux')('ends the children too', async () => {
    const parent = spawn(process.execPath, ['-e', PARENT], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(parent);
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const child = identifyProcess(Number(printed.toString('utf8')))!;
    await endProcess(identifyProcess(parent.pid!)!, 'SIGTERM', PATIENCE_MS);
    expect(isAlive(child)).toBe(false);
  });

  it('leaves alone a process that only has the same pid', async () => {
    const identity = await startScript(READY_AND_WAIT);
    await endProcess({ ...identity, started: 'before a reboot' }, 'SIGKILL', PATIENCE_MS);
    expect(isAlive(identity)).toBe(true);
  });
});
