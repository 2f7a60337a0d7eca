import { CHECKPOINTS_TOPIC } from '../../contracts/topics.ts';
import type { LogCheckpoint } from '../../contracts/generated/events.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { TileBuilder, type Tile } from '../tlog/tiles.ts';
import { placeOf } from './checkpoint-log.adapter.ts';
import { soundBackward } from './checkpoint-search.adapter.ts';
import { FollowedLog, type Leaf, type LogPlace } from './followed-log.ts';
import { beginningOf, follow, type LogTopic } from './log-following.adapter.ts';
import type { TrustedKeys } from './recorded-checkpoint.ts';
import {
  builderOf,
  headOf,
  removeReplaced,
  rootOf,
  writeHead,
  writeTiles,
  type PublishedHead,
} from './tile-folder.adapter.ts';

/** Leaves between two writes: it bounds the memory for tiles. */
const STRETCH_LEAVES = 65_536;

/** One log and the folder that it is published in. */
export interface PublishedPlace {
  readonly topic: LogTopic;
  readonly partition: number;
  readonly tapeId: string;
  readonly folder: string;
}

/** What was done with one log. */
export interface Publication {
  readonly origin: string;
  /** Of the checkpoint that the folder now shows. */
  readonly size: number;
  /** Leaves that were added. */
  readonly added: number;
}

/**
 * Brings a folder up to the newest recorded checkpoint of a log. Its checkpoint file is replaced last, and only once the
 * tiles lead to its root.
 *
 * @returns undefined while no checkpoint of the log is recorded.
 * @throws TapeproofError CHECK_FAILED where the log, its checkpoints and the folder do not agree; CONFLICT where the folder
 *   has another log; NOT_USABLE where its checkpoint is not one; USAGE where it cannot be written; UNREACHABLE;
 *   SEQUENCE_GAP.
 */
export async function publishLog(
  access: LogAccess,
  place: PublishedPlace,
  keys: TrustedKeys,
): Promise<Publication | undefined> {
  const { topic, partition, folder } = place;
  const shown = await headOf(folder);
  const { newest, at } = await recordedSince(access, place, keys, shown?.size);
  if (newest === undefined) return undefined;
  assertContinues(folder, shown, newest);
  const { origin, size } = newest;
  if (shown?.size !== size) {
    const start: LogPlace =
      at === undefined ? await beginningOf(access, topic, partition, newest.firstSequence) : placeOf(at);
    const builder = shown === undefined ? new TileBuilder() : await builderOf(folder, shown);
    const log = new TiledLog(place, start, builder);
    if (shown !== undefined) log.holdToSigned({ size: shown.size, root: shown.root.toString('hex') });
    log.holdToSigned(newest);
    await addTiles(access, log, newest, folder);
    await writeTiles(folder, builder.partial());
    if (rootOf(builder) !== newest.root) throw new RangeError('the tiles are not those of the log');
  }
  if (shown?.note !== newest.note) await writeHead(folder, newest.note);
  if (shown !== undefined) await removeReplaced(folder, shown.size, size);
  return { origin, size, added: size - (shown?.size ?? 0) };
}

/** The greatest recorded checkpoint, and one from which the log is read so that no leaf after a size is missed. */
async function recordedSince(
  access: LogAccess,
  place: PublishedPlace,
  keys: TrustedKeys,
  size: number | undefined,
): Promise<{ readonly newest: LogCheckpoint | undefined; readonly at: LogCheckpoint | undefined }> {
  const start = await access.reader.startOffset(CHECKPOINTS_TOPIC, place.partition);
  const end = await access.reader.endOffset(CHECKPOINTS_TOPIC, place.partition);
  let newest: LogCheckpoint | undefined;
  for await (const checkpoint of soundBackward(access, place, keys, start, end)) {
    // Another process may have recorded a smaller one later.
    if (newest === undefined || checkpoint.size > newest.size) newest = checkpoint;
    if (size === undefined) break;
    if (checkpoint.size <= size) return { newest, at: checkpoint };
  }
  return { newest, at: undefined };
}

function assertContinues(folder: string, shown: PublishedHead | undefined, newest: LogCheckpoint): void {
  if (shown === undefined) return;
  if (shown.origin !== newest.origin) {
    throw new TapeproofError(
      'CONFLICT',
      `${folder} has the log ${shown.origin}, and this one is ${newest.origin}: name another folder with --dir.`,
    );
  }
  const hasOther = shown.size === newest.size && shown.root.toString('hex') !== newest.root;
  if (shown.size > newest.size || hasOther) {
    throw new TapeproofError(
      'CHECK_FAILED',
      `${folder} shows ${newest.origin} at size ${shown.size}, and what is recorded at size ${newest.size} does not continue that: one of them was rewritten. Keep the folder, and run "npx tapeproof certify".`,
    );
  }
}

async function addTiles(access: LogAccess, log: TiledLog, { size }: LogCheckpoint, folder: string): Promise<void> {
  const end = await access.reader.endOffset(log.topic, log.partition);
  while (log.difference === undefined && log.size < size && log.logOffset < end) {
    await follow(access, log, end, Math.min(STRETCH_LEAVES, size - log.size));
    // Beyond the checkpoint that the folder shows, tiles are nobody's yet.
    await writeTiles(folder, log.completed());
    log.forget();
  }
  if (log.difference === undefined && log.size === size) return;
  const what = log.difference ?? `${log.topic}-${log.partition}: it has ${log.size} records, and ${size} were signed`;
  throw new TapeproofError('CHECK_FAILED', `${what}: it is not published. Run "npx tapeproof certify".`);
}

/** A log whose leaves after a size go into tiles. */
class TiledLog extends FollowedLog {
  readonly #builder: TileBuilder;
  #completed: Tile[] = [];

  constructor({ topic, partition }: PublishedPlace, start: LogPlace, builder: TileBuilder) {
    super(topic, partition, start);
    this.#builder = builder;
  }

  override take(leaf: Leaf): void {
    const before = this.size;
    super.take(leaf);
    if (this.size > before && before >= this.#builder.size) this.#completed.push(...this.#builder.append(leaf.hash));
  }

  /** The tiles that were completed since the last call. */
  completed(): readonly Tile[] {
    const completed = this.#completed;
    this.#completed = [];
    return completed;
  }
}
