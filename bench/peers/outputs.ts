import { bodyOf, decodeBody } from '../../contracts/codec.ts';
import {
  DEFAULT_PARTITIONS,
  DERIVED_TOPICS,
  TOPIC_OF_DERIVED,
  type DerivedEvent,
  type DerivedName,
  type DerivedTopic,
} from '../../contracts/topics.ts';
import type { LogReader } from '../../platform/kafka/log-reader.ts';
import { compareLogs, type Comparison, type PlainEvent, type PlainEvents } from './equality.ts';

const TYPE_OF_TOPIC = Object.fromEntries(
  Object.entries(TOPIC_OF_DERIVED).map(([type, topic]) => [topic, type]),
) as Record<DerivedTopic, DerivedName>;

/** Gives the events of a contender in the order of their log. */
export type Outputs = (topic: DerivedTopic, partition: number) => PlainEvents;

/** Events in Kafka topics with the names of ours after a prefix. */
export function kafkaOutputs(reader: LogReader, prefix: string): Outputs {
  return async function* (topic, partition) {
    const name = `${prefix}${topic}`;
    const to = await reader.endOffset(name, partition);
    if (to === 0) return;
    for await (const batch of reader.read({ topic: name, partition, from: 0, to })) {
      for (const { value } of batch) {
        if (value !== null) yield plainOf(decodeBody(TYPE_OF_TOPIC[topic], bodyOf(value)));
      }
    }
  };
}

/** An event as its JSON has it: a decimal as its shortest text, so the same for the same number. */
export function plainOf(event: DerivedEvent): PlainEvent {
  return JSON.parse(JSON.stringify(event)) as PlainEvent;
}

/**
 * Compares all events of a contender with the expected ones.
 *
 * @param isPrefix - whether it stopped before the end of the tape: then it may have fewer events.
 */
export async function compareOutputs(expected: Outputs, found: Outputs, isPrefix = false): Promise<Comparison> {
  let equalEvents = 0;
  for (const topic of DERIVED_TOPICS) {
    for (let partition = 0; partition < DEFAULT_PARTITIONS; partition += 1) {
      const place = { topic, partition };
      const compared = await compareLogs(place, expected(topic, partition), found(topic, partition), isPrefix);
      equalEvents += compared.equalEvents;
      if (compared.difference !== undefined) return { equalEvents, difference: compared.difference };
    }
  }
  return { equalEvents, difference: undefined };
}
