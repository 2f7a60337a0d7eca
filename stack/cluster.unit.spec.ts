import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { brokersOf, ensureCluster, removeCluster, wantedBrokers } from './cluster.ts';
import { DEFAULT_STACK_OPTIONS, type BrokerCount } from './options.ts';

let folder: string;
const wished = (brokers?: BrokerCount) => ({
  ...DEFAULT_STACK_OPTIONS,
  folder,
  ...(brokers === undefined ? {} : { brokers }),
});
/** What the start of the first broker leaves. */
const startKafka = (): void => {
  mkdirSync(join(folder, 'kafka'));
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapeproof-cluster-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the brokers of a stack', () => {
  it('are one, unless three are asked for before there is any data', async () => {
    expect(brokersOf(folder)).toBe(1);
    expect((await ensureCluster(wished())).brokers).toBe(1);
    expect((await ensureCluster(wished(3))).brokers).toBe(3);
    expect(brokersOf(folder)).toBe(3);
  });

  it('stay as many with the data, under one identity', async () => {
    const cluster = await ensureCluster(wished(3));
    startKafka();
    expect(await ensureCluster(wished())).toEqual(cluster);
    expect(await ensureCluster(wished(3))).toEqual(cluster);
    for (const refused of [() => wantedBrokers(wished(1)), () => ensureCluster(wished(1))]) {
      await expect((async () => refused())()).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringMatching(/is that of 3 brokers.*stack reset", which deletes all data/) as unknown,
      });
    }
    expect(brokersOf(folder)).toBe(3);
  });

  it('are one in a folder that an earlier version made', async () => {
    startKafka();
    expect(() => wantedBrokers(wished(3))).toThrow(/is that of one broker/);
    expect(wantedBrokers(wished(1))).toBe(1);
    expect((await ensureCluster(wished())).brokers).toBe(1);
    expect(() => wantedBrokers(wished(3))).toThrow(/is that of one broker/);
  });

  it('are forgotten with the data', async () => {
    await ensureCluster(wished(3));
    await removeCluster(folder);
    expect(existsSync(join(folder, 'cluster.json'))).toBe(false);
    expect(brokersOf(folder)).toBe(1);
  });
});
