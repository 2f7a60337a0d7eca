import { execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stackStatus, stopService, type ServiceName } from '../stack/main.ts';
import type { Status } from '../bin/status/status.ts';
import { PROJECTOR_NAMES, World } from './faults/world.ts';
import { environmentOf, runCommand, startCommand, type CommandResult } from './support/command.ts';
import { startAgain, stackConnections, stackOptions } from './support/stack.ts';
import { until } from './support/until.ts';

const connections = stackConnections();
/** Processes write their address to the folder of their stack. */
const environment = { ...environmentOf(connections), TAPEPROOF_STACK_FOLDER: stackOptions().folder };
const world = new World(connections, `${stackOptions().folder}/../test-logs-status`);
const running: ChildProcess[] = [];

type Shown = Status & { readonly needsAttention: readonly string[] };

const status = (...words: string[]): Promise<CommandResult> => runCommand(['status', ...words], environment);
const shown = async (): Promise<Shown & { readonly exitCode: number }> => {
  const { exitCode, stdout } = await status('--json');
  return { exitCode, ...(JSON.parse(stdout) as Shown) };
};

beforeAll(async () => {
  await world.connect();
  await world.reset(false);
  await world.activate();
  await world.trade(0, 5_000);
  running.push(startCommand(['engine', 'run'], environment));
  for (const name of PROJECTOR_NAMES) {
    running.push(startCommand(['projector', 'run', name], environment));
  }
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await world.close();
});

describe('the status', () => {
  it('says that all is well, and shows every part', async () => {
    let last: unknown;
    await until('all is well', async () => {
      last = await shown();
      return (last as Shown).needsAttention.length === 0;
    }).catch((error: unknown) => {
      throw new Error(`not well: ${JSON.stringify(last, undefined, 1)}`, { cause: error });
    });
    const { exitCode, stdout } = await status();
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0 });
    expect(stdout).toMatch(/^All is well\./);
    for (const what of ['partition 0: engine', 'redis-latest', 'last decision', 'Dead letters', '15 trades missing']) {
      expect(stdout).toContain(what);
    }
  });

  it('shows a hanging process as not ready, and everything else', async () => {
    const frozen = (await shown()).processes.find(({ name }) => name === 'engine');
    process.kill(frozen!.pid!, 'SIGSTOP');
    try {
      const seen = await shown();
      expect(seen.exitCode).toBe(1);
      expect(seen.needsAttention.join('\n')).toMatch(
        /engine at 127\.0\.0\.1:\d+ is not ready \(it does not answer in time\)/,
      );
      expect(seen.activations).toHaveProperty('value');
    } finally {
      process.kill(frozen!.pid!, 'SIGCONT');
    }
  });

  it('forgets a process that was killed', async () => {
    const place = (await shown()).processes.find(({ name }) => name === 'candles');
    process.kill(place!.pid!, 'SIGKILL');
    await until('it is not shown', async () => !(await shown()).processes.some(({ name }) => name === 'candles'));
  });

  it('measures a projector by its store’s position, as after a rebuild, whose group has committed nothing', async () => {
    const group = await world.groupOf('candles');
    await until('its group is empty', async () => (await world.membersOf('candles')) === 0);
    await until('its group is forgotten', () => world.forgetOffsets(['candles']).then(() => true));
    const { lag } = await shown();
    if (!('value' in lag)) expect.fail(lag.missing);
    const ofCandles = lag.value.filter((each) => each.group === group);
    expect(ofCandles.length).toBeGreaterThan(0);
    expect(ofCandles.map(({ records }) => records)).toEqual(ofCandles.map(() => 0));
  });

  it.each(['redis', 'postgres', 'registry', 'kafka'] as const)(
    'reports that %s is stopped, and shows the rest',
    async (name) => {
      await stopService(stackOptions(), name);
      try {
        const seen = await shown();
        expect(seen.exitCode).toBe(1);
        expect(seen.services.filter(({ up }) => !up).map((service) => service.name)).toEqual([name]);
        expect(seen.needsAttention[0]).toContain(`${name} does not answer`);
        const alive = name === 'postgres' ? seen.deadLetters : seen.gaps;
        expect(alive).toHaveProperty('value');
      } finally {
        await startAgain(name);
      }
    },
  );

  it.each(['kafka', 'postgres'] as const)(
    'is not held up by %s that hangs, and stack status says why',
    async (name) => {
      const pid = await pidOf(name);
      const family = [pid, ...childrenOf(pid)];
      for (const each of family) process.kill(each, 'SIGSTOP');
      try {
        const seen = await shown();
        expect(seen.services.find((service) => service.name === name)).toMatchObject({ up: false });
        expect(name === 'kafka' ? seen.gaps : seen.deadLetters).toHaveProperty('value');
        const { exitCode, stdout } = await runCommand(['stack', 'status'], environment);
        expect(exitCode).toBe(3);
        expect(stdout).toMatch(new RegExp(`^${name}: .+`, 'm'));
      } finally {
        for (const each of family) process.kill(each, 'SIGCONT');
      }
    },
  );
});

describe('a process that is asked to stop while Kafka is down', () => {
  it('says so at once, and what is left to the next start', async () => {
    const engine = startCommand(['engine', 'run'], { ...environment, TAPEPROOF_LOG_FORMAT: 'json' });
    running.push(engine);
    let log = '';
    engine.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    await until('it is in its group', () => log.includes('consumer-joined'));
    await stopService(stackOptions(), 'kafka');
    try {
      await until('it has noticed', () => log.includes('kafka-down'));
      const ended = once(engine, 'exit');
      engine.kill('SIGTERM');
      await ended;
      expect(log).toMatch(
        /engine stops by SIGTERM, within 10 s: Kafka does not answer .*are read again at the next start/,
      );
    } finally {
      await startAgain('kafka');
    }
  });
});

async function pidOf(name: ServiceName): Promise<number> {
  const pid = (await stackStatus(stackOptions())).find((service) => service.name === name)?.pid;
  if (pid === undefined) throw new Error(`${name} does not run`);
  return pid;
}

function childrenOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' }).trim().split('\n');
  return lines.flatMap((line) => {
    const [parent, child] = line.trim().split(/\s+/).map(Number);
    return parent === pid && child !== undefined ? [child] : [];
  });
}
