import { execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stackStatus, stopService, type ServiceName } from '../stack/main.ts';
import { createPool, type Pool } from '../platform/postgres.ts';
import type { Status } from '../bin/status/status.ts';
import { PROJECTOR_NAMES, World } from './faults/world.ts';
import { environmentOf, runCommand, startCommand, type CommandResult } from './support/command.ts';
import { ObservedProcess } from './support/observed-process.ts';
import { postgresAdministratorUrl, startAgain, stackConnections, stackOptions } from './support/stack.ts';
import { until } from './support/until.ts';

const connections = stackConnections();
/** Processes write their address to the folder of their stack. */
const environment = { ...environmentOf(connections), TAPEPROOF_STACK_FOLDER: stackOptions().folder };
const world = new World(connections, `${stackOptions().folder}/../test-logs-status`);
const running: ChildProcess[] = [];
/** Where nothing listens. */
const NOWHERE = {
  TAPEPROOF_KAFKA_BROKERS: '127.0.0.1:1',
  TAPEPROOF_REGISTRY_URL: 'http://127.0.0.1:1',
  TAPEPROOF_POSTGRES_URL: 'postgres://tapeproof@127.0.0.1:1/tapeproof',
  TAPEPROOF_REDIS_URL: 'redis://127.0.0.1:1',
};
let pool: Pool;
/** Of another stack: of the processes that leave word there this one's status knows nothing. */
let folder: string;

type Shown = Status & { readonly needsAttention: readonly string[] };

const status = (...words: string[]): Promise<CommandResult> => runCommand(['status', ...words], environment);
const shown = async (): Promise<Shown & { readonly exitCode: number }> => {
  const { exitCode, stdout } = await status('--json');
  return { exitCode, ...(JSON.parse(stdout) as Shown) };
};

/** With all parts: on a busy machine one may take too long, and is left out. */
async function shownWhole(): Promise<Awaited<ReturnType<typeof shown>>> {
  let seen: Awaited<ReturnType<typeof shown>> | undefined;
  await until('no part is missing', async () => {
    seen = await shown();
    return !JSON.stringify(seen).includes('"missing":');
  });
  if (seen === undefined) throw new Error('nothing was shown');
  return seen;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-status-'));
  pool = createPool(postgresAdministratorUrl(), 'test');
  await world.connect();
  await world.reset(false);
  await world.activate();
  await world.trade(0, 5_000);
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await Promise.all([world.close(), pool.end(), rm(folder, { recursive: true })]);
});

describe('the status before an engine runs', () => {
  it('shows the activation, and advises to start the engine', async () => {
    const { activations, needsAttention } = await shownWhole();
    if (!('value' in activations)) expect.fail(activations.missing);
    expect(activations.value.length).toBeGreaterThan(0);
    expect(activations.value.map(({ isAnchored }) => isAnchored)).toEqual(activations.value.map(() => false));
    expect(needsAttention.join('\n')).toMatch(
      /^tapeproof\.engine\..* behind and no process is in it: "npx tapeproof engine run" starts one\.$/m,
    );
    expect(needsAttention.join('\n')).toContain('"npx tapeproof projector run redis-latest" starts one.');
    expect(needsAttention.join('\n')).not.toContain('activated');
    await until('it is said to people, too', async () => (await status()).stdout.includes('(no anchor yet)'));
  });
});

describe('the status', () => {
  beforeAll(() => {
    running.push(startCommand(['engine', 'run'], environment));
    for (const name of PROJECTOR_NAMES) {
      running.push(startCommand(['projector', 'run', name], environment));
    }
  });

  it('says that all is well, and shows every part', async () => {
    let last: CommandResult | undefined;
    await until('all is well', async () => {
      last = await status();
      return last.exitCode === 0;
    }).catch((error: unknown) => {
      throw new Error(`not well: ${last?.stdout ?? ''}`, { cause: error });
    });
    const stdout = last?.stdout ?? '';
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
    const { lag } = await shownWhole();
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

  it('leaves out a part that takes too long, and shows the rest', async () => {
    await pool.query(`
      ALTER VIEW tapeproof.trade_gaps RENAME TO trade_gaps_kept;
      CREATE VIEW tapeproof.trade_gaps AS SELECT 0 AS missing_trades FROM pg_sleep(60);
      GRANT SELECT ON tapeproof.trade_gaps TO PUBLIC`);
    try {
      let seen: Shown | undefined;
      await until('the rest is shown', async () => {
        seen = await shown();
        return 'value' in seen.deadLetters && 'value' in seen.conflicts;
      });
      expect(seen?.gaps).toEqual({ missing: 'no answer within 8 s' });
    } finally {
      // Its queries go on at the server.
      await pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tapeproof-status'`,
      );
      await pool.query(`
        DROP VIEW tapeproof.trade_gaps;
        ALTER VIEW tapeproof.trade_gaps_kept RENAME TO trade_gaps`);
    }
  });

  it.each([
    ['kafka', 'no answer within 3 s'],
    ['postgres', expect.any(String) as string],
  ] as const)('is not held up by %s that hangs, and stack status says why', async (name, reason) => {
    const pid = await pidOf(name);
    const family = [pid, ...childrenOf(pid)];
    for (const each of family) process.kill(each, 'SIGSTOP');
    try {
      const seen = await shown();
      expect(seen.services.find((service) => service.name === name)).toMatchObject({ up: false, reason });
      expect(name === 'kafka' ? seen.gaps : seen.deadLetters).toHaveProperty('value');
      const { exitCode, stdout } = await runCommand(['stack', 'status'], environment);
      expect(exitCode).toBe(3);
      expect(stdout).toMatch(new RegExp(`^${name}: .+`, 'm'));
    } finally {
      for (const each of family) process.kill(each, 'SIGCONT');
    }
  });
});

describe('how the status is asked for', () => {
  it('ends with 3 where no service answers', async () => {
    const { exitCode, stdout } = await runCommand(['status', '--json'], { ...NOWHERE, TAPEPROOF_STACK_FOLDER: folder });
    const { services } = JSON.parse(stdout) as Shown;
    expect(services.map(({ up }) => up)).toEqual(services.map(() => false));
    expect(exitCode).toBe(3);
  });

  it('is shown again and again with --watch, until it is asked to end', async () => {
    const watching = startCommand(['status', '--watch', '--json'], environment);
    running.push(watching);
    let printed = '';
    watching.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    await until('it was shown three times', () => printed.split('"needsAttention"').length > 3);
    const ended = once(watching, 'exit');
    watching.kill('SIGINT');
    expect([0, 1]).toContain((await ended)[0]);
  });

  it('asks the processes of other machines that --processes names', async () => {
    const engine = new ObservedProcess(connections, ['engine', 'run'], { TAPEPROOF_STACK_FOLDER: folder });
    try {
      const { 'url.full': url } = await engine.line('http-listening');
      const { host, port } = new URL(String(url));
      const here = (seen: CommandResult) =>
        (JSON.parse(seen.stdout) as Shown).processes.filter((process) => process.port === Number(port));
      expect(here(await status('--json'))).toEqual([]);
      await until('it is ready', () => engine.isReady());
      const named = here(await status('--json', '--processes', `127.0.0.1:1,${host}`));
      expect(named).toEqual([expect.objectContaining({ name: 'process', host: '127.0.0.1', ready: true })]);
      const { stderr, exitCode } = await status('--processes', 'nowhere');
      expect([exitCode, stderr]).toEqual([2, expect.stringContaining('"nowhere" is not a valid address')]);
    } finally {
      await engine.kill();
    }
  });
});

describe('a process that is asked to stop while Kafka is down', () => {
  const end = async (child: ChildProcess): Promise<unknown> => {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    return (await ended)[0];
  };
  const start = (words: readonly string[], where: Record<string, string>) => {
    const child = startCommand(words, { ...where, TAPEPROOF_LOG_FORMAT: 'json' });
    running.push(child);
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    return { child, log: () => log };
  };

  it('says so at once, and what is left to the next start', async () => {
    const { child, log } = start(['engine', 'run'], environment);
    await until('it is in its group', () => log().includes('consumer-joined'));
    await stopService(stackOptions(), 'kafka');
    try {
      await until('it has noticed', () => log().includes('kafka-down'));
      await end(child);
      expect(log()).toMatch(
        /engine stops by SIGTERM, within 10 s: Kafka does not answer .*are read again at the next start/,
      );
    } finally {
      await startAgain('kafka');
    }
  });

  it.each([
    ['engine', ['engine', 'run']],
    ['redis-latest', ['projector', 'run', 'redis-latest']],
    ['postgres-history', ['projector', 'run', 'postgres-history']],
    [
      'ingest-live',
      ['ingest', 'live', '--venue', 'binance', '--instruments', 'BTC-USDT', '--rest-url', 'http://127.0.0.1:1'],
    ],
  ])('gives up the start that it waits with: %s', async (name, words) => {
    const { child, log } = start(words, { ...environment, TAPEPROOF_KAFKA_BROKERS: NOWHERE.TAPEPROOF_KAFKA_BROKERS });
    await until('it has noticed', () => log().includes('kafka-down'));
    // Ended by the outage itself, it would end with 3.
    expect(await end(child)).toBe(0);
    expect(log()).toContain(`${name} stops by SIGTERM, within 10 s: Kafka does not answer`);
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
