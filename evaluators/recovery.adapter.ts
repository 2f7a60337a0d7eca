import { sha256Hex } from '../contracts/codec.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { TapeproofError } from '../platform/errors.ts';
import { anchorsBackward, liesOnTape, readState, type LogAccess, type StoredAnchor } from './anchor-log.adapter.ts';
import { PageLog } from './page-log.adapter.ts';
import type { Advance } from './advance.ts';
import { RevocationSearch } from './revocation.adapter.ts';
import { createPartitionTask, restorePartitionTask, type PartitionTask } from './partition-task.ts';

/** The place to begin at, and the reason. */
export interface RecoveredTask {
  readonly task: PartitionTask;
  /** The anchor it was restored from; undefined at the beginning of the tape. */
  readonly anchor: StoredAnchor | undefined;
  /** The tape that the latest anchor of the partition belongs to; undefined when there is none. */
  readonly tapeId: string | undefined;
}

/**
 * The task at the greatest valid anchor at or before a tape offset, or at the beginning of the tape. Valid: its state
 * is complete with all its pages and has the right hash, the tape record before it is the one it names, and `accepts`
 * agrees.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function recoverTask(
  access: LogAccess,
  partition: number,
  atOrBefore: number,
  accepts: (anchor: StoredAnchor) => Promise<boolean> = () => Promise.resolve(true),
): Promise<RecoveredTask> {
  let tapeId: string | undefined;
  const pages = new PageLog(access, partition);
  for await (const anchor of anchorsBackward(access, partition)) {
    tapeId ??= anchor.manifest.tapeId;
    if (anchor.manifest.tape.offset > atOrBefore) continue;
    if (!(await liesOnTape(access, anchor)) || !(await accepts(anchor))) continue;
    const task = await restored(anchor, await readState(access, anchor), pages);
    if (task !== undefined) return { task, anchor, tapeId };
  }
  return { task: createPartitionTask(partition), anchor: undefined, tapeId };
}

/** The anchor's bytes may be anything: unfit bytes are not an anchor. */
async function restored(
  { manifest, hash }: StoredAnchor,
  head: Buffer | undefined,
  log: PageLog,
): Promise<PartitionTask | undefined> {
  if (head === undefined || sha256Hex(head) !== manifest.stateHash) return undefined;
  const pages = await log.read(head);
  if (pages === undefined) return undefined;
  try {
    return restorePartitionTask(manifest, head, hash, pages);
  } catch {
    return undefined;
  }
}

/**
 * Steps a task along the tape, outside any group, and yields the results of each record.
 *
 * @param to - first tape offset not processed.
 */
export async function* stepAlong(
  access: LogAccess,
  task: PartitionTask,
  to: number,
): AsyncGenerator<Advance, void, undefined> {
  const { reader, decode } = access;
  const { partition } = task;
  const revocations = new RevocationSearch(access, partition);
  const from = Math.max(task.nextOffset, await reader.startOffset(TAPE_TOPIC, partition));
  for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from, to })) {
    for (const record of records) {
      const decoded = decode(record);
      const content = decoded instanceof Promise ? await decoded : decoded;
      const tapeRecord = { partition, offset: record.offset, content };
      const advance = task.advance(tapeRecord);
      if (advance.foreignActivation === undefined) {
        yield advance;
        continue;
      }
      const revocation = await revocations.of(task, tapeRecord, advance);
      if (revocation === undefined) {
        yield advance;
        return;
      }
      yield withoutHalt(advance);
      yield task.passOver(tapeRecord, revocation);
    }
  }
}

function withoutHalt({ foreignActivation: _revoked, ...advance }: Advance): Advance {
  return advance;
}

/** @throws TapeproofError FOREIGN_TAPE when the anchors of a partition belong to another tape than the tape itself. */
export function refuseForeignTape(partition: number, anchored: string | undefined, task: PartitionTask): void {
  if (anchored === undefined || task.tapeId === undefined || anchored === task.tapeId) return;
  throw new TapeproofError(
    'FOREIGN_TAPE',
    `Partition ${partition} of ${TAPE_TOPIC} belongs to the tape ${task.tapeId}, but its anchors belong to the tape ${anchored}: connect to the Kafka of that tape, or stop the engines, run "npx tapeproof topics recreate --derived" and start them again: they derive everything again from this one.`,
  );
}
