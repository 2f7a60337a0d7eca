import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Children } from '../bin/demo/children.ts';
import { World } from './faults/world.ts';
import { environmentOf } from './support/command.ts';
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
      message: expect.stringMatching(/engine version 2 is in force at offset \d.*npx tapeproof stack reset/) as string,
    });
  } finally {
    await children.stop();
  }
});
