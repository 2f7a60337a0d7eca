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

/** The partial tiles and the partial bundle of a log of that size. */
export function partialPaths(size: number): readonly string[] {
  const paths: string[] = [];
  for (let level = 0, rest = size; rest > 0; level += 1, rest = Math.floor(rest / TILE_WIDTH)) {
    const width = rest % TILE_WIDTH;
    if (width > 0) paths.push(tilePath(level, Math.floor(rest / TILE_WIDTH), width));
  }
  const width = size % TILE_WIDTH;
  return width === 0 ? paths : [...paths, bundlePath(size)];
}

/** The path of the last bundle of a log of that size. */
function bundlePath(size: number): string {
  return tilePath('entries', Math.ceil(size / TILE_WIDTH) - 1, size % TILE_WIDTH || TILE_WIDTH);
}

/** The paths of a log's bundles, in order. */
export function* bundlePaths(size: number): Generator<string> {
  for (let end = TILE_WIDTH; end <= size; end += TILE_WIDTH) yield bundlePath(end);
  if (size % TILE_WIDTH > 0) yield bundlePath(size);
}

/** The event hashes in a bundle; undefined where it is not one. */
export function entriesOf(bundle: Buffer): readonly Buffer[] | undefined {
  const entryBytes = LENGTH_BYTES + HASH_BYTES;
  const entries: Buffer[] = [];
  for (let at = 0; at < bundle.length; at += entryBytes) {
    if (at + entryBytes > bundle.length || bundle.readUInt16BE(at) !== HASH_BYTES) return undefined;
    entries.push(bundle.subarray(at + LENGTH_BYTES, at + entryBytes));
  }
  return entries;
}

/** Makes the tiles of a log as it grows. It holds at most one unfinished tile of each level. */
export class TileBuilder {
  /** Hashes of the unfinished tile of each level, leaves first. */
  readonly #levels: BinaryText[][] = [[]];
  #entries: Buffer[] = [];
  #size = 0;

  /**
   * Continues at a size.
   *
   * @param tiles - those of {@link partialPaths}, by path.
   * @throws RangeError when one is missing, or has another width.
   */
  static resumed(size: number, tiles: ReadonlyMap<string, Buffer>): TileBuilder {
    const builder = new TileBuilder();
    builder.#size = size;
    for (let level = 0, rest = size; rest > 0; level += 1, rest = Math.floor(rest / TILE_WIDTH)) {
      const width = rest % TILE_WIDTH;
      const path = tilePath(level, Math.floor(rest / TILE_WIDTH), width);
      const bytes = width === 0 ? Buffer.alloc(0) : tiles.get(path);
      if (bytes?.length !== width * HASH_BYTES) throw new RangeError(`${path} does not have ${width} hashes`);
      const text = bytes.toString('binary');
      builder.#levels[level] = Array.from({ length: width }, (_, at) =>
        text.slice(at * HASH_BYTES, (at + 1) * HASH_BYTES),
      );
    }
    const width = size % TILE_WIDTH;
    const entries = width === 0 ? [] : entriesOf(tiles.get(bundlePath(size)) ?? Buffer.alloc(0));
    if (entries?.length !== width) throw new RangeError(`${bundlePath(size)} does not have ${width} entries`);
    builder.#entries = [...entries];
    return builder;
  }

  /** Roots of the complete subtrees at the present size, the largest first; 32 bytes each. */
  get frontier(): readonly Buffer[] {
    return this.#levels
      .toReversed()
      .flatMap(frontierOf)
      .map((root) => Buffer.from(root, 'binary'));
  }

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

/** The roots of the complete subtrees of a row of hashes, the largest first. */
function frontierOf(hashes: readonly BinaryText[]): BinaryText[] {
  const roots: BinaryText[] = [];
  let start = 0;
  for (let width = TILE_WIDTH / 2; width >= 1; width /= 2) {
    if (hashes.length - start < width) continue;
    roots.push(rootOf(hashes.slice(start, start + width)));
    start += width;
  }
  return roots;
}

/** The root of a row of 2^n hashes. */
function rootOf(hashes: readonly BinaryText[]): BinaryText {
  let row = hashes;
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, at) => nodeHash(row[2 * at] ?? '', row[2 * at + 1] ?? ''));
  }
  return row[0] ?? '';
}
