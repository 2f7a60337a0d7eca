import type { DeadLetter, DeadLetterReason } from '../contracts/generated/events.ts';
import { DEAD_LETTERS_TOPIC } from '../contracts/topics.ts';
import { PassedOverRecords, type PassedOver } from '../platform/kafka/foreign-records.ts';
import { framedIn } from '../platform/kafka/framed-record.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { Registry } from '../platform/kafka/registry.ts';

export interface DeadLetterList {
  /** The number of all that match, each counted once however often it was written. */
  readonly total: number;
  /** The newest of them, in the order in which they were written. */
  readonly letters: readonly DeadLetter[];
  /** Records of the topic that are not dead letters. */
  readonly passedOver: readonly PassedOver[];
}

/** The header of the time at which a producer sent a record, RFC 3339: Kafka's own time stamp is the market's time. */
const EMITTED_AT = 'emitted-at';

/**
 * Reads the dead letters of all partitions. A letter written again after a crash has the same id and counts once.
 * Memory is bounded by twice the limit, apart from the ids.
 */
export async function deadLetters(
  reader: Pick<LogReader, 'startOffset' | 'endOffset' | 'read'>,
  registry: Pick<Registry, 'schemaOf'>,
  {
    partitions,
    reason,
    limit,
  }: { readonly partitions: number; readonly reason?: DeadLetterReason | undefined; readonly limit: number },
): Promise<DeadLetterList> {
  const seen = new Set<string>();
  const foreign = new PassedOverRecords();
  let newest: SentLetter[] = [];
  for await (const sent of eachDeadLetter({ reader, registry, foreign }, partitions)) {
    const { letter } = sent;
    if (seen.has(letter.deadLetterId) || (reason !== undefined && letter.reason !== reason)) continue;
    seen.add(letter.deadLetterId);
    newest.push(sent);
    if (newest.length >= limit * 2) newest = newestOf(newest, limit);
  }
  return { total: seen.size, letters: newestOf(newest, limit).map(({ letter }) => letter), passedOver: foreign.all };
}

interface SentLetter {
  readonly letter: DeadLetter;
  /** RFC 3339; empty when its writer gave none. */
  readonly emittedAt: string;
}

interface DeadLetterAccess {
  readonly reader: Pick<LogReader, 'startOffset' | 'endOffset' | 'read'>;
  readonly registry: Pick<Registry, 'schemaOf'>;
  /** Called with records of the topic that are not dead letters. */
  readonly foreign: PassedOverRecords;
}

/** The dead letters of all partitions in log order, each as often as it was written. */
export async function* eachDeadLetter(
  { reader, registry, foreign }: DeadLetterAccess,
  partitions: number,
): AsyncGenerator<SentLetter> {
  for (let partition = 0; partition < partitions; partition += 1) {
    const from = await reader.startOffset(DEAD_LETTERS_TOPIC, partition);
    const to = await reader.endOffset(DEAD_LETTERS_TOPIC, partition);
    for await (const records of reader.read({ topic: DEAD_LETTERS_TOPIC, partition, from, to })) {
      for (const record of records) {
        const letter = await letterIn(registry, record, foreign);
        if (letter !== undefined) yield { letter, emittedAt: record.headers[EMITTED_AT] ?? '' };
      }
    }
  }
}

async function letterIn(
  registry: Pick<Registry, 'schemaOf'>,
  record: LogRecord,
  foreign: PassedOverRecords,
): Promise<DeadLetter | undefined> {
  const framed = await framedIn(registry, record);
  const letter = 'reason' in framed ? undefined : framed.as('DeadLetter');
  if (letter === undefined) foreign.add(record, 'reason' in framed ? framed : framed.unreadable);
  return letter;
}

/** The last letters by time; those of one request keep their order. */
function newestOf<Sent extends { readonly emittedAt: string }>(letters: readonly Sent[], limit: number): Sent[] {
  const order = ({ emittedAt: left }: Sent, { emittedAt: right }: Sent): number =>
    left < right ? -1 : left > right ? 1 : 0;
  return letters.toSorted(order).slice(-limit);
}
