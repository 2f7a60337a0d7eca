import { bodyOf, schemaIdOf } from '../contracts/codec.ts';
import type { DeadLetter } from '../contracts/generated/events.ts';
import { DEAD_LETTERS_TOPIC } from '../contracts/topics.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { Registry } from '../platform/kafka/registry.ts';

export interface DeadLetterList {
  /** All that match, each counted once however often it was written. */
  readonly total: number;
  /** The last of them, in the order of the log. */
  readonly letters: readonly DeadLetter[];
}

/** Reads the dead letters of all partitions. A letter written again after a crash has the same id and counts once. */
export async function deadLetters(
  reader: LogReader,
  registry: Registry,
  {
    partitions,
    reason,
    limit,
  }: { readonly partitions: number; readonly reason?: string | undefined; readonly limit: number },
): Promise<DeadLetterList> {
  const seen = new Set<string>();
  const letters: DeadLetter[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    const from = await reader.startOffset(DEAD_LETTERS_TOPIC, partition);
    const to = await reader.endOffset(DEAD_LETTERS_TOPIC, partition);
    for await (const records of reader.read({ topic: DEAD_LETTERS_TOPIC, partition, from, to })) {
      for (const { value } of records) {
        const schemaId = schemaIdOf(value);
        const schema = schemaId === undefined ? undefined : await registry.schemaOf(schemaId);
        if (value === null || schema?.name !== 'DeadLetter') continue;
        const letter = schema.read(bodyOf(value)) as DeadLetter;
        if (seen.has(letter.deadLetterId) || (reason !== undefined && letter.reason !== reason)) continue;
        seen.add(letter.deadLetterId);
        letters.push(letter);
        if (letters.length > limit) letters.shift();
      }
    }
  }
  return { total: seen.size, letters };
}
