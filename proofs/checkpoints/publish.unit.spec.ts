import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isoTimeOf } from '../../contracts/iso-time.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import { syntheticTrades } from '../../evaluators/fixtures/synthetic-market.ts';
import { activated, traded } from '../../evaluators/fixtures/tape-contents.ts';
import { CheckpointedLog } from '../../tests/support/checkpointed-log.ts';
import { derivedLog } from '../../tests/support/derived-log.ts';
import { LOG_KEY, OTHER_LOG_KEY } from '../../tests/support/signed-log.ts';
import { verifyFolders } from './folder-check.adapter.ts';
import { publishLog } from './publish.adapter.ts';

const PARTITION = 0;
const TOPIC = 'raw.trades';
const KEYS = { logKeys: [LOG_KEY], witnessKeys: [] };
const activation = activationOf(parseConfiguration({}), { tapeId: 'tape-1', activationId: 'first', gitCommit: 'abc' });
const contents = [activated(activation), ...syntheticTrades({ seed: 7, count: 1_299 }).map((trade) => traded(trade))];
const { memory: whole } = derivedLog(PARTITION, contents, isoTimeOf);

let root: string;
let folder: string;
let log: CheckpointedLog;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tapeproof-publish-'));
  folder = join(root, TOPIC, String(PARTITION));
  log = new CheckpointedLog(whole, PARTITION);
});
afterEach(() => rm(root, { recursive: true }));

const publish = (keys = KEYS) =>
  publishLog(log.access, { topic: TOPIC, partition: PARTITION, tapeId: 'tape-1', folder }, keys);
const checkpointAt = async (size: number) => {
  log.grow(size / contents.length);
  await log.checkpoint(size * 1_000);
};
const faults = async () => (await verifyFolders(root, [LOG_KEY])).map(({ fault }) => fault);
const files = async () => {
  const names = await readdir(folder, { recursive: true });
  const all = await Promise.all(names.map(async (name) => ({ name, at: await stat(join(folder, name)) })));
  return all.filter(({ at }) => at.isFile());
};

describe('a published log', () => {
  it('grows with the log: full tiles are written once, and the folder verifies each time', async () => {
    expect(await publish()).toBeUndefined();
    let before = new Map<string, bigint>();
    for (const size of [1, 100, 256, 257, 700, 1_300]) {
      await checkpointAt(size);
      const origin = 'tapeproof.local/tape-1/raw.trades/0';
      expect(await publish()).toMatchObject({ origin, size });
      expect(await faults()).toEqual([null]);
      const now = new Map<string, bigint>();
      for (const { name } of await files()) {
        now.set(name, (await stat(join(folder, name), { bigint: true })).ino);
      }
      for (const [name, inode] of before) {
        if (/^tile\/[\w/]+$/.test(name)) expect(now.get(name), name).toBe(inode);
      }
      before = now;
      expect(await publish()).toMatchObject({ size, added: 0 });
    }
    expect([...before.keys()].sort()).toEqual(
      [
        'checkpoint',
        ...['000', '001', '002', '003', '004', '005.p/20'].map((name) => `tile/0/${name}`),
        // Partial tiles of earlier sizes stay until their full tile is there.
        ...['000.p/1', '000.p/2', '000.p/5'].map((name) => `tile/1/${name}`),
        ...['000', '001', '002', '003', '004', '005.p/20'].map((name) => `tile/entries/${name}`),
      ].sort(),
    );
  });

  it('is the same whether it was published in steps or at once', async () => {
    for (const size of [300, 900]) {
      await checkpointAt(size);
      await publish();
    }
    const steps = await readFile(join(folder, 'tile/0/003.p/132'));
    await rm(folder, { recursive: true });
    await publish();
    expect(await readFile(join(folder, 'tile/0/003.p/132'))).toEqual(steps);
    expect(await faults()).toEqual([null]);
  });

  it('goes on after an end in the middle, whose tiles are nobody’s yet', async () => {
    await checkpointAt(300);
    await publish();
    await checkpointAt(900);
    await writeFile(join(folder, 'tile/0/001'), 'half a tile');
    expect(await publish()).toMatchObject({ size: 900, added: 600 });
    expect(await faults()).toEqual([null]);
  });

  it('keeps its checkpoint where the log was rewritten, and says so', async () => {
    await checkpointAt(300);
    await publish();
    await checkpointAt(900);
    const note = await readFile(join(folder, 'checkpoint'), 'utf8');
    const held = log.memory.records(TOPIC, PARTITION);
    const kept = held[700]!;
    held[700] = held[699]!;
    await expect(publish()).rejects.toThrow(/are not those that were signed: it is not published/);
    held[700] = kept;
    expect(await readFile(join(folder, 'checkpoint'), 'utf8')).toBe(note);
    expect(await faults()).toEqual([null]);
    expect(await publish()).toMatchObject({ size: 900 });
    expect(await faults()).toEqual([null]);
  });

  it('does not continue a folder of another history, of another log, or with other last tiles', async () => {
    await checkpointAt(300);
    await publish();
    const note = await readFile(join(folder, 'checkpoint'), 'utf8');
    await checkpointAt(900);
    await writeFile(join(folder, 'checkpoint'), note.replace('tape-1', 'tape-2'));
    await expect(publish()).rejects.toMatchObject({ code: 'CONFLICT' });
    await writeFile(join(folder, 'checkpoint'), note.replace('\n300\n', '\n1000\n'));
    await expect(publish()).rejects.toThrow(/does not continue that: one of them was rewritten/);
    await writeFile(join(folder, 'checkpoint'), note);
    await writeFile(join(folder, 'tile/0/001.p/44'), Buffer.alloc(44 * 32));
    await expect(publish()).rejects.toThrow(/are not those of its checkpoint/);
    await rm(join(folder, 'tile/0/001.p/44'));
    await expect(publish()).rejects.toThrow(/does not have 44 hashes/);
  });

  it('publishes only what the given key signed', async () => {
    await checkpointAt(300);
    expect(await publish({ ...KEYS, logKeys: [OTHER_LOG_KEY] })).toBeUndefined();
    expect(await publish({ logKeys: [], witnessKeys: [] })).toMatchObject({ size: 300 });
  });
});

describe('the check of a published folder', () => {
  beforeEach(async () => {
    await checkpointAt(700);
    await publish();
  });
  const changed = async (name: string, change: (bytes: Buffer) => void) => {
    const bytes = await readFile(join(folder, name));
    change(bytes);
    await writeFile(join(folder, name), bytes);
    return (await faults())[0];
  };

  it.each([
    ['tile/0/001', 'tile/0/001 is not what the entries make it'],
    ['tile/1/000.p/2', 'tile/1/000.p/2 is not what the entries make it'],
    ['tile/0/002.p/188', 'tile/0/002.p/188 is not what the entries make it'],
    ['tile/entries/001', 'tile/0/001 is not what the entries make it'],
  ])('finds one bit in %s', async (name, fault) => {
    expect(await changed(name, (bytes) => bytes.writeUInt8(bytes.readUInt8(50) ^ 4, 50))).toBe(fault);
  });

  it('finds a missing file, a cut bundle, another checkpoint and another key', async () => {
    await rm(join(folder, 'tile/0/000'));
    expect(await faults()).toEqual(['tile/0/000 is missing']);
    await writeFile(join(folder, 'tile/entries/000'), 'x');
    expect(await faults()).toEqual(['tile/entries/000 is not a bundle of event hashes']);
    await changed('checkpoint', (bytes) => bytes.write('7', bytes.indexOf('\n') + 2));
    expect((await faults())[0]).toMatch(/does not match the text/);
    await writeFile(join(folder, 'checkpoint'), 'no note');
    expect((await faults())[0]).toMatch(/truncated/);
    expect((await verifyFolders(root, [OTHER_LOG_KEY]))[0]?.fault).toMatch(/truncated/);
    await rm(join(folder, 'checkpoint'));
    expect(await faults()).toEqual(['it has no checkpoint']);
    await expect(verifyFolders(join(root, 'nowhere'), [])).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('takes one log alone, and says which key did not sign it', async () => {
    expect(await verifyFolders(folder, [LOG_KEY])).toMatchObject([{ name: '.', size: 700, fault: null }]);
    expect((await verifyFolders(folder, [OTHER_LOG_KEY]))[0]?.fault).toMatch(/is not signed with this key/);
  });
});
