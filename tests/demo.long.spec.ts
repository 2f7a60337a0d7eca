import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Children } from '../bin/demo/children.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { World } from './faults/world.ts';
import { environmentOf, runCommand } from './support/command.ts';
import { stackConnections, stackOptions } from './support/stack.ts';

const FOLDER = `${stackOptions().folder}/../test-logs-demo`;
let world: World;

beforeAll(async () => {
  const connections = stackConnections();
  for (const [name, value] of Object.entries(environmentOf(connections))) vi.stubEnv(name, value);
  world = new World(connections, FOLDER);
  await world.connect();
  await world.reset(false);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await world.close();
});

it('ends, with what to do, on a tape where another engine version is in force and nobody runs it', async () => {
  await world.activate('2');
  await world.trade(0, 100);
  await world.activate();
  const children = new Children(FOLDER);
  try {
    await children.start(['engine', 'run']);
    await expect(children.failure).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(
        /waits at offset \d+: engine version 2 is in force.*npx tapeproof stack reset/,
      ) as string,
    });
  } finally {
    await children.stop();
  }
});

describe('the demo on the local stack', () => {
  const { folder, partsFolder, ports } = stackOptions();
  const environment = {
    TAPEPROOF_STACK_FOLDER: folder,
    TAPEPROOF_STACK_PARTS_FOLDER: partsFolder,
    ...Object.fromEntries(
      Object.entries(ports).map(([name, port]) => [`TAPEPROOF_STACK_PORT_${name.toUpperCase()}`, String(port)]),
    ),
    // Services that it must not touch, whatever they contain.
    TAPEPROOF_KAFKA_BROKERS: '127.0.0.1:1',
  };
  const DEMO_DEADLINE_MS = 900_000;

  it('refuses a tape that is not its own if nobody can be asked, and changes nothing', async () => {
    await world.reset(false);
    await world.activate();
    await world.trade(0, 100);
    const before = await world.recordsOf(TAPE_TOPIC);
    const { exitCode, stderr } = await runCommand(['demo'], environment);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(
        /The tape on the local stack is not the demo's \(partition \d, offset \d+: .*demo --yes/,
      ) as string,
    });
    expect(await world.recordsOf(TAPE_TOPIC)).toHaveLength(before.length);
  });

  it(
    'works twice in a row, with only JSON on standard output',
    async () => {
      await world.reset(false);
      const first = await runCommand(['demo', '--json'], environment);
      expect(first.exitCode, first.stderr).toBe(0);
      const again = await runCommand(['demo', '--json'], environment);
      expect(again.exitCode, again.stderr).toBe(0);
      expect(again.stderr).toContain('The same bytes.');
      // Nothing is appended the second time: trades already there have no rate.
      expect(again.stderr).not.toMatch(/trades\/s|^(?:engine|redis-latest): .*\/s/m);
      expect(JSON.parse(again.stdout)).toEqual(JSON.parse(first.stdout));
    },
    DEMO_DEADLINE_MS,
  );
});
