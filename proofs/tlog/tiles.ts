import { leafHash, nodeHash, type BinaryText } from '../../evaluators/merkle.ts';
import { HASH_BYTES } from './encoding.ts';

/**
 * A log as static files, as in C2SP tlog-tiles: tiles of 256 hashes, and bundles of 256 entries. An entry is an event's
 * hash, so whoever mirrors the tiles can make every proof, and publishes no event.
 */

const TILE_WIDTH = 256;
/** An entry's length comes before it in two bytes. */
const LENGTH_BYTES = 2;
const INDEX_DIGITS = 3;

export interface Tile {
  /** Below the log's prefix: `tile/0/x001/x234/067`, a partial one `tile/0/000.p/5`. */
  readonly path: string;
  readonly bytes: Buffer;
}

/**
 * The path of a tile.
 *
 * @param level - `entries` names a bundle.
 * @param width - hashes or entries in it.
 */
export function tilePath(level: number | 'entries', index: number, width = TILE_WIDTH): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / INDEX_DIGITS) * INDEX_DIGITS, '0');
  // All but the last three digits begin with an x: no tile has the name of a folder.
  const place = padded.replace(/\d{3}(?=\d)/g, 'x$&/');
  return `tile/${level}/${place}${width < TILE_WIDTH ? `.p/${width}` : ''}`;
}

/** Makes the tiles of a log as it grows. It holds at most one unfinished tile of each level. */
export class TileBuilder {
  /** Hashes of the unfinished tile of each level, leaves first. */
  readonly #levels: BinaryText[][] = [[]];
  #entries: Buffer[] = [];
  #size = 0;

  /** Entries so far. */
  get size(): number {
    return this.#size;
  }

  /**
   * @param eventHash - what the leaf stands for: 32 bytes.
   * @returns the tiles and the bundle that it completes; mostly none.
   */
  append(eventHash: Buffer): readonly Tile[] {
    const completed: Tile[] = [];
    this.#entries.push(eventHash);
    this.#size += 1;
    if (this.#entries.length === TILE_WIDTH) {
      completed.push(this.#bundle());
      this.#entries = [];
    }
    let hash = leafHash(eventHash);
    for (let level = 0; ; level += 1) {
      const hashes = (this.#levels[level] ??= []);
      hashes.push(hash);
      if (hashes.length < TILE_WIDTH) return completed;
      completed.push(this.#tile(level, hashes));
      this.#levels[level] = [];
      hash = rootOf(hashes);
    }
  }

  /** The partial tiles and the partial bundle at the present size. */
  partial(): readonly Tile[] {
    const tiles = this.#levels.flatMap((hashes, level) => (hashes.length === 0 ? [] : [this.#tile(level, hashes)]));
    return this.#entries.length === 0 ? tiles : [...tiles, this.#bundle()];
  }

  #tile(level: number, hashes: readonly BinaryText[]): Tile {
    const index = Math.ceil(this.#size / TILE_WIDTH ** (level + 1)) - 1;
    return { path: tilePath(level, index, hashes.length), bytes: Buffer.from(hashes.join(''), 'binary') };
  }

  #bundle(): Tile {
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt16BE(HASH_BYTES);
    const index = Math.ceil(this.#size / TILE_WIDTH) - 1;
    return {
      path: tilePath('entries', index, this.#entries.length),
      bytes: Buffer.concat(this.#entries.flatMap((entry) => [length, entry])),
    };
  }
}

/** The root of a full tile. */
function rootOf(hashes: readonly BinaryText[]): BinaryText {
  let row = hashes;
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, at) => nodeHash(row[2 * at] ?? '', row[2 * at + 1] ?? ''));
  }
  return row[0] ?? '';
}
