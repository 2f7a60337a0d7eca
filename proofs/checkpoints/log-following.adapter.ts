import { sha256Hex } from '../../contracts/codec.ts';
import type { DerivedEvent, DerivedTopic, TopicName } from '../../contracts/topics.ts';
import { ANCHORS_TOPIC, DERIVED_TOPICS, TAPE_TOPIC } from '../../contracts/topics.ts';
import { anchorsBackward, anchorsWithin, type LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { framedIn } from '../../platform/kafka/framed-record.ts';
import type { LogRecord } from '../../platform/kafka/log-record.ts';
import type { FollowedLog, LogPlace, NamedRoot } from './followed-log.ts';

/** The topics that are logs, in the order of the flow. */
export const LOG_TOPICS: readonly (typeof TAPE_TOPIC | DerivedTopic)[] = [TAPE_TOPIC, ...DERIVED_TOPICS];
export type LogTopic = (typeof LOG_TOPICS)[number];

export function isDerivedLog(topic: TopicName): topic is DerivedTopic {
  return (DERIVED_TOPICS as readonly string[]).includes(topic);
}

/**
 * Takes a log's records into its tree.
 *
 * @param to - log offset at which to end.
 * @param leavesMax - ends earlier once the window has so many leaves.
 * @throws TapeproofError UNREACHABLE; SEQUENCE_GAP when records are gone.
 */
export async function follow(access: LogAccess, log: FollowedLog, to: number, leavesMax: number): Promise<void> {
  const { topic, partition } = log;
  const range = { topic, partition, from: log.logOffset, to };
  if (range.from >= to) return;
  for await (const records of access.reader.read(range)) {
    for (const record of records) {
      await take(access, log, record);
      if (log.difference !== undefined || log.size - log.window.firstSize >= leavesMax) return;
    }
  }
}

async function take({ registry }: LogAccess, log: FollowedLog, record: LogRecord): Promise<void> {
  const { offset, value } = record;
  const answer = framedIn(registry, record);
  const framed = answer instanceof Promise ? await answer : answer;
  if (log.topic === TAPE_TOPIC) {
    // Whatever is on the tape is a leaf: a record that cannot be read has effects, too.
    const hash = 'reason' in framed ? Buffer.from(sha256Hex(value ?? Buffer.alloc(0)), 'hex') : framed.hash;
    log.take({ offset, sequence: undefined, hash });
    return;
  }
  const event = 'reason' in framed ? undefined : (framed.read() as Partial<DerivedEvent> | undefined);
  if ('reason' in framed || typeof event?.sequence !== 'number') log.passOver(offset);
  else log.take({ offset, sequence: event.sequence, hash: framed.hash });
}

/** The engine's newest anchor with trees in a partition: the tape's identity, and where each output's tree begins. */
export interface TreesBegin {
  readonly tapeId: string;
  readonly firstSequences: Readonly<Partial<Record<DerivedTopic, number>>>;
}

/** Undefined while the partition has no such anchor. @throws TapeproofError UNREACHABLE */
export async function treesBeginOf(access: LogAccess, partition: number): Promise<TreesBegin | undefined> {
  for await (const { manifest } of anchorsBackward(access, partition)) {
    const { tapeId, nextSequence, treeSizes } = manifest;
    const firstSequences: Partial<Record<DerivedTopic, number>> = {};
    for (const topic of DERIVED_TOPICS) {
      const [next, size] = [nextSequence[topic], treeSizes[topic]];
      if (next !== undefined && size !== undefined) firstSequences[topic] = next - size;
    }
    return { tapeId, firstSequences };
  }
  return undefined;
}

/**
 * The roots that the engine's anchors name, in log order.
 *
 * @param from - log offset in `engine.anchors` of the first record to read.
 */
export async function rootsFrom(
  access: LogAccess,
  { tapeId, partition }: { readonly tapeId: string; readonly partition: number },
  from: number,
): Promise<{ readonly roots: readonly (NamedRoot & { readonly topic: DerivedTopic })[]; readonly next: number }> {
  const roots: (NamedRoot & { readonly topic: DerivedTopic })[] = [];
  const next = await access.reader.endOffset(ANCHORS_TOPIC, partition);
  if (from >= next) return { roots, next };
  for await (const { manifest } of anchorsWithin(access, partition, from, next)) {
    if (manifest.tapeId !== tapeId) continue;
    const { offset: anchorOffset } = manifest.tape;
    for (const topic of DERIVED_TOPICS) {
      const [size, root] = [manifest.treeSizes[topic], manifest.treeRoots[topic]];
      if (size !== undefined && root !== undefined) roots.push({ topic, size, root, anchorOffset });
    }
  }
  return { roots, next };
}

/** The beginning of a log. */
export async function beginningOf(
  { reader }: LogAccess,
  topic: LogTopic,
  partition: number,
  firstSequence: number,
): Promise<LogPlace> {
  const logOffset = await reader.startOffset(topic, partition);
  return { firstSequence: topic === TAPE_TOPIC ? logOffset : firstSequence, size: 0, frontier: [], logOffset };
}
