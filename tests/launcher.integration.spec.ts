import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { engineGroup } from '../evaluators/main.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { environmentOf, runCommand } from './support/command.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

/** README's promise: finishes, leaves and ends. */
const END_DEADLINE_MS = 10_000;
const REPOSITORY = join(import.meta.dirname, '..');
const LAUNCHER = join('bin', 'tapeproof.js');

/** bin/tapeproof.js and the Node that it starts are two processes, with npx four: whichever ends, none stays. */
const admin = createKafka(stackConnections().kafkaBrokers, 'launcher-test').admin();
const started: ChildProcess[] = [];

beforeAll(async () => {
  const connections = stackConnections();
  await resetStores(connections);
  expect(await runCommand(['activate'], environmentOf(connections))).toMatchObject({ exitCode: 0 });
  await admin.connect();
});
afterEach(async () => {
  for (const { pid } of started.splice(0)) killGroup(pid!);
  await untilEngines(0);
});
afterAll(() => admin.disconnect());

/** Runs a program in a separate process group, started by npm or not. */
function start(words: readonly [string, ...string[]], by: 'npm' | 'hand'): ChildProcess {
  const [program, ...rest] = words;
  const child = spawn(program, rest, {
    cwd: REPOSITORY,
    env: {
      ...process.env,
      ...environmentOf(stackConnections()),
      npm_lifecycle_event: by === 'npm' ? 'npx' : undefined,
    },
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  started.push(child);
  return child;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // No process is left in it.
  }
}

/** Command lines of the live processes of a group. */
function membersOf(group: number): Map<number, string> {
  const lines = execFileSync('ps', ['-A', '-o', 'pgid=,pid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  const found = lines.flatMap((line) => [...line.matchAll(/^\s*(\d+)\s+(\d+)\s+([^Z\s]\S*)\s+(.*)$/g)]);
  return new Map(
    found.filter(([, pgid]) => Number(pgid) === group).map(([, , pid, , args = '']) => [Number(pid), args]),
  );
}

async function untilEngines(count: number, deadlineMs?: number): Promise<void> {
  const engines = async (): Promise<number> =>
    (await admin.describeGroups([engineGroup()])).groups[0]?.members.length ?? 0;
  await until(`the group has ${count} engines`, async () => (await engines()) === count, deadlineMs);
}

/** An engine that was killed would stay in its group until its session ends. */
async function untilAllLeft(group: number, engines = 0): Promise<void> {
  await until('no process is left', () => membersOf(group).size === 0, END_DEADLINE_MS);
  await untilEngines(engines, END_DEADLINE_MS);
}

describe('the launcher', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGKILL'] as const)(
    'ends its engine cleanly when it gets %s',
    async (signal) => {
      const { pid } = start(['node', LAUNCHER, 'engine', 'run'], 'hand');
      await untilEngines(1);
      process.kill(pid!, signal);
      await untilAllLeft(pid!);
    },
  );

  it('ends with npx, which passes no signal on', async () => {
    const { pid } = start(['npx', 'tapeproof', 'engine', 'run'], 'hand');
    await untilEngines(1);
    expect(membersOf(pid!).size).toBeGreaterThan(2);
    process.kill(pid!, 'SIGTERM');
    await untilAllLeft(pid!);
  });

  it('continues when the script that started it ends, except under npm', async () => {
    const script = `node ${LAUNCHER} engine run & read line`;
    const byHand = start(['sh', '-c', script], 'hand');
    await untilEngines(1);
    byHand.stdin?.end();
    await once(byHand, 'exit');
    // During all of this the first one has run without its script.
    const byNpm = start(['sh', '-c', script], 'npm');
    await untilEngines(2);
    byNpm.stdin?.end();
    await untilAllLeft(byNpm.pid!, 1);
    const launcher = [...membersOf(byHand.pid!)].find(([, args]) => args.includes(LAUNCHER));
    process.kill(launcher![0], 'SIGTERM');
    await untilAllLeft(byHand.pid!);
  });
});
