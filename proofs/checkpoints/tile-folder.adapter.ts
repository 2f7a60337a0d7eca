import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MerkleTree } from '../../evaluators/merkle.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { parseCheckpoint, type Checkpoint } from '../tlog/checkpoint.ts';
import { notUsable, textOfUtf8 } from '../tlog/encoding.ts';
import { parseNote } from '../tlog/signed-note.ts';
import { bundlePaths, entriesOf, partialPaths, TileBuilder, type Tile } from '../tlog/tiles.ts';

/** A log as static files in a folder, as any web server serves them (C2SP tlog-tiles). */

export const CHECKPOINT_FILE = 'checkpoint';
/** Files that are written at once. */
const WRITES_AT_ONCE = 32;

/** What a folder has published. */
export interface PublishedHead extends Checkpoint {
  readonly note: string;
}

/** The checkpoint of a folder; undefined where it has none. @throws TapeproofError NOT_USABLE */
export async function headOf(folder: string): Promise<PublishedHead | undefined> {
  const bytes = await bytesAt(join(folder, CHECKPOINT_FILE));
  if (bytes === undefined) return undefined;
  const note = textOfUtf8(bytes, `the checkpoint in ${folder}`);
  return { ...parseCheckpoint(parseNote(note).text), note };
}

/**
 * The builder with which the tiles of a folder go on.
 *
 * @throws TapeproofError CHECK_FAILED where its last tiles do not lead to the root of its checkpoint.
 */
export async function builderOf(folder: string, { size, root }: Checkpoint): Promise<TileBuilder> {
  const tiles = new Map<string, Buffer>();
  for (const path of partialPaths(size)) {
    const bytes = await bytesAt(join(folder, path));
    if (bytes !== undefined) tiles.set(path, bytes);
  }
  try {
    const builder = TileBuilder.resumed(size, tiles);
    if (rootOf(builder) !== root.toString('hex')) throw new RangeError('they do not lead to the root');
    return builder;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TapeproofError(
      'CHECK_FAILED',
      `The last tiles in ${folder} are not those of its checkpoint (${error.message}): publish to a new folder, and compare.`,
      { cause: error },
    );
  }
}

/** Hex. */
export function rootOf({ size, frontier }: TileBuilder): string {
  return new MerkleTree({ count: size, frontier: frontier.map((hash) => hash.toString('hex')) }).root();
}

export async function writeTiles(folder: string, tiles: readonly Tile[]): Promise<void> {
  for (let from = 0; from < tiles.length; from += WRITES_AT_ONCE) {
    const some = tiles.slice(from, from + WRITES_AT_ONCE);
    await Promise.all(some.map(({ path, bytes }) => replaceFile(join(folder, path), bytes)));
  }
}

/** Shows a checkpoint; its tiles must be there. */
export async function writeHead(folder: string, note: string): Promise<void> {
  await replaceFile(join(folder, CHECKPOINT_FILE), Buffer.from(note));
}

/** Removes the partial tiles of a size whose full tiles are there. */
export async function removeReplaced(folder: string, size: number, newSize: number): Promise<void> {
  const kept = new Set(partialPaths(newSize).map(partialFolderOf));
  for (const path of partialPaths(size)) {
    const partials = partialFolderOf(path);
    if (!kept.has(partials)) await rm(join(folder, partials), { recursive: true, force: true });
  }
}

/** `tile/0/000.p` of `tile/0/000.p/5`. */
function partialFolderOf(path: string): string {
  return dirname(path);
}

/**
 * Holds every tile of a folder to its checkpoint: from the entries all of them are made again.
 *
 * @returns the first file that differs, with how; undefined where none does.
 */
export async function faultOfFolder(folder: string, { size, root }: Checkpoint): Promise<string | undefined> {
  const builder = new TileBuilder();
  for (const path of bundlePaths(size)) {
    const bundle = await bytesAt(join(folder, path));
    if (bundle === undefined) return `${path} is missing`;
    const entries = entriesOf(bundle);
    if (entries === undefined) return `${path} is not a bundle of event hashes`;
    const made = entries.flatMap((entry) => builder.append(entry));
    const fault = await differenceOf(folder, made);
    if (fault !== undefined) return fault;
  }
  if (builder.size !== size) return `its bundles have ${builder.size} entries, and its checkpoint ${size}`;
  const fault = await differenceOf(folder, builder.partial());
  if (fault !== undefined) return fault;
  return rootOf(builder) === root.toString('hex') ? undefined : 'its entries do not lead to the root of its checkpoint';
}

async function differenceOf(folder: string, tiles: readonly Tile[]): Promise<string | undefined> {
  for (const { path, bytes } of tiles) {
    const held = await bytesAt(join(folder, path));
    if (held === undefined) return `${path} is missing`;
    if (!held.equals(bytes)) return `${path} is not what the entries make it`;
  }
  return undefined;
}

/** Undefined where there is no such file. @throws TapeproofError NOT_USABLE where it cannot be read. */
async function bytesAt(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw notUsable(`${path} cannot be read (${message})`, error);
  }
}

/** A reader sees the old file or the new one, whole. */
async function replaceFile(path: string, bytes: Buffer): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const unfinished = `${path}.new`;
    const file = await open(unfinished, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (error) {
    const { message } = error as Error;
    throw new TapeproofError('USAGE', `${path} cannot be written (${message}): name another folder with --dir.`, {
      cause: error,
    });
  }
}
