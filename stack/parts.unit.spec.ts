import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contentHash, Parts, PARTS } from './parts.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapeproof-parts-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const silent = (): void => undefined;

describe('contentHash', () => {
  it('depends on contents and paths alone', async () => {
    mkdirSync(join(folder, 'lib'));
    writeFileSync(join(folder, 'lib', 'b.jar'), 'b');
    writeFileSync(join(folder, 'a.jar'), 'a');
    const before = await contentHash(folder);
    // printf 'a.jar <sha256 of a>\nlib/b.jar <sha256 of b>\n' | sha256sum
    expect(before).toBe('b40c5c7111571458a33f0c6ccf289a6677695112c7d807bc675113d6d1d3364d');
    writeFileSync(join(folder, 'lib', 'b.jar'), 'c');
    expect(await contentHash(folder)).not.toBe(before);
    rmSync(join(folder, 'lib', 'b.jar'));
    writeFileSync(join(folder, 'b.jar'), 'b');
    expect(await contentHash(folder)).not.toBe(before);
  });
});

describe('Parts', () => {
  it('refuses unpinned content, and leaves nothing under the part’s name', async () => {
    const parts = new Parts(folder, silent, (_goal, stage) => {
      writeFileSync(join(stage, 'part', 'kafka.jar'), 'something else');
      return Promise.resolve();
    });
    await expect(parts.folder('kafka')).rejects.toThrow(/Kafka 4.3.1 are not the pinned ones/);
    expect(existsSync(join(folder, PARTS.kafka.folder))).toBe(false);
  });

  it('fails the parts that wait behind one that failed, without fetching them', async () => {
    const goals: string[] = [];
    const parts = new Parts(folder, silent, (goal) => {
      goals.push(goal);
      return Promise.reject(new Error('no network'));
    });
    const outcomes = await Promise.allSettled([parts.folder('kafka'), parts.folder('registry'), parts.folder('redis')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(goals).toEqual([PARTS.kafka.goal]);
  });

  it('starts from an empty stage after a command that was killed', async () => {
    const left = join(folder, `.stage-${PARTS.kafka.folder}`, 'part');
    mkdirSync(left, { recursive: true });
    writeFileSync(join(left, 'half.jar'), 'half');
    let found: string[] = ['never asked'];
    const parts = new Parts(folder, silent, (_goal, stage) => {
      found = readdirSync(join(stage, 'part'));
      return Promise.reject(new Error('enough'));
    });
    await expect(parts.folder('kafka')).rejects.toThrow('enough');
    expect(found).toEqual([]);
  });

  it('gives a part that is there without fetching', async () => {
    mkdirSync(join(folder, PARTS.trades.folder));
    const parts = new Parts(folder, silent, () => Promise.reject(new Error('fetched')));
    await expect(parts.folder('trades')).resolves.toBe(join(folder, PARTS.trades.folder));
  });
});
