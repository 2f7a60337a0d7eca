import type { DerivedEvent, DerivedTopic } from '../../contracts/topics.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { framedIn } from '../../platform/kafka/framed-record.ts';

/** Records that are read for one copy: repetitions and foreign records may lie before it. */
const NEAR_RECORDS_MAX = 10_000;

/** An event as it stands in an output. */
export interface Copy {
  readonly offset: number;
  /** Hex. */
  readonly hash: string;
  readonly event: DerivedEvent;
}

/** The means of reading an output. */
export type OutputAccess = Pick<LogAccess, 'reader' | 'registry'>;

export interface OutputPartition {
  readonly topic: DerivedTopic;
  readonly partition: number;
}

/** The events of a stretch of an output, in the order of the log; other records are left out. */
export async function* copiesIn(
  { reader, registry }: OutputAccess,
  { topic, partition }: OutputPartition,
  from: number,
  to: number,
): AsyncGenerator<Copy, void, undefined> {
  if (from >= to) return;
  for await (const records of reader.read({ topic, partition, from, to })) {
    for (const record of records) {
      const framed = await framedIn(registry, record);
      if ('reason' in framed) continue;
      const event = framed.read() as DerivedEvent | undefined;
      if (event !== undefined) yield { offset: record.offset, hash: framed.hash.toString('hex'), event };
    }
  }
}

/**
 * The first copy of a sequence before a log offset; undefined when there is none near the place where the order of the
 * log puts it.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function firstCopyOf(
  access: OutputAccess,
  output: OutputPartition,
  sequence: number,
  before: number,
): Promise<Copy | undefined> {
  let low = await access.reader.startOffset(output.topic, output.partition);
  let high = before;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    let isBefore = false;
    for await (const { event } of copiesIn(access, output, middle, high)) {
      isBefore = event.sequence < sequence;
      break;
    }
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  for await (const copy of copiesIn(access, output, low, Math.min(before, low + NEAR_RECORDS_MAX))) {
    if (copy.event.sequence === sequence) return copy;
  }
  return undefined;
}
