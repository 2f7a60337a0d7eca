import { describe, expect, it } from 'vitest';
import { bytesOfEvent, treeOf } from '../../tests/support/signed-log.ts';
import { eventHashOf } from './tlog-proof.ts';
import { leafHashOf } from './merkle-proof.ts';
import { TileBuilder, tilePath, type Tile } from './tiles.ts';

function tilesOf(size: number): Tile[] {
  const builder = new TileBuilder();
  const full = Array.from({ length: size }, (_, index) => builder.append(eventHashOf(bytesOfEvent(index)))).flat();
  return [...full, ...builder.partial()];
}

describe('the tiles of a log', () => {
  it('have the paths of the specification', () => {
    expect(tilePath(0, 1_234_067)).toBe('tile/0/x001/x234/067');
    expect(tilePath(2, 5)).toBe('tile/2/005');
    expect(tilePath(1, 1_000, 17)).toBe('tile/1/x001/000.p/17');
    expect(tilePath('entries', 999_999)).toBe('tile/entries/x999/999');
    expect(tilePath(0, 2 ** 40)).toBe('tile/0/x001/x099/x511/x627/776');
  });

  it('are those of the specification for its example', () => {
    const paths = tilesOf(70_000).map(({ path }) => path);
    const hashes = paths.filter((path) => !path.includes('entries'));
    const full = (level: number) => hashes.filter((path) => path.startsWith(`tile/${level}/`) && !path.includes('.p/'));
    expect([full(0).length, full(1).length, full(2).length]).toEqual([273, 1, 0]);
    expect(hashes.filter((path) => path.includes('.p/'))).toEqual([
      'tile/0/273.p/112',
      'tile/1/001.p/17',
      'tile/2/000.p/1',
    ]);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths.at(-1)).toBe('tile/entries/273.p/112');
    expect(tilesOf(256).map(({ path }) => path)).toEqual(['tile/entries/000', 'tile/0/000', 'tile/1/000.p/1']);
  });

  it('hold leaves, subtrees of 256, and the entries that hash to the leaves', () => {
    const size = 600;
    const [tiles, tree] = [new Map(tilesOf(size).map(({ path, bytes }) => [path, bytes])), treeOf(size)];
    for (let index = 0; index < size; index += 1) {
      const tile = tiles.get(index < 512 ? tilePath(0, Math.floor(index / 256)) : 'tile/0/002.p/88');
      const at = (index % 256) * 32;
      expect(tile?.subarray(at, at + 32)).toEqual(tree.leafHash(index));
      const bundle = tiles.get(index < 512 ? tilePath('entries', Math.floor(index / 256)) : 'tile/entries/002.p/88');
      const entry = (index % 256) * 34;
      expect(bundle?.readUInt16BE(entry)).toBe(32);
      expect(leafHashOf(bundle?.subarray(entry + 2, entry + 34) ?? Buffer.alloc(0))).toEqual(tree.leafHash(index));
    }
    const [greatest] = tree.frontierAt(512);
    expect(tiles.get('tile/1/000.p/2')?.subarray(0, 32)).toEqual(tree.rootAt(256));
    expect(greatest).toEqual(tree.rootAt(512));
    expect([...tiles.values()].every((bytes) => bytes.length > 0)).toBe(true);
  });
});
