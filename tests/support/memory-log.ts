import { frame, RECORD_NAMES } from '../../contracts/codec.ts';
import type { TopicName } from '../../contracts/topics.ts';
import { anchorRecords, type AnchorHints, type LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import type { AnchorRecord } from '../../evaluators/anchor.ts';
import type { LogRange, LogReader } from '../../platform/kafka/log-reader.ts';
import { NO_HEADERS, type LogRecord } from '../../platform/kafka/log-record.ts';
import type { OutgoingRecord } from '../../platform/kafka/outgoing-record.ts';
import type { Registry } from '../../platform/kafka/registry.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { sampleRegistry } from './sample-log.ts';

const FETCH_RECORDS = 7;

/** The topics' partitions in memory, with every range read from them. */
export class MemoryLog {
  readonly ranges: LogRange[] = [];
  readonly #partitions = new Map<string, LogRecord[]>();

  append(records: readonly OutgoingRecord[]): void {
    for (const { topic, partition, key, type, body, headers = NO_HEADERS } of records) {
      const held = this.records(topic, partition);
      held.push({
        ...{ topic, partition, offset: held.length, headers, timestampMs: 0 },
        key: key === null ? null : Buffer.from(key),
        value: frame(RECORD_NAMES.indexOf(type) + 1, body),
      });
    }
  }

  /** Like an anchor that the engine writes; its hints may differ. */
  appendAnchor(anchor: AnchorRecord, changed: Partial<AnchorHints> = {}): void {
    const pages = this.records('engine.states', anchor.manifest.tape.partition).length;
    const hints = { pages, state: pages + anchor.pages.length, outputs: {}, ...changed };
    const { states, manifest } = anchorRecords(anchor, 0, hints);
    this.append([...states, manifest]);
  }

  /** The records of a partition; tests may change them. */
  records(topic: TopicName, partition: number): LogRecord[] {
    const held = this.#partitions.get(`${topic}-${partition}`) ?? [];
    this.#partitions.set(`${topic}-${partition}`, held);
    return held;
  }

  /** Reads the log in fetches of a few records. */
  get access(): LogAccess {
    const held = (topic: string, partition: number) => this.records(topic as TopicName, partition);
    const { ranges } = this;
    const reader: LogReader = {
      startOffset: () => Promise.resolve(0),
      endOffset: (topic, partition) => Promise.resolve(held(topic, partition).length),
      startOffsets: (topics) => Promise.resolve(offsetsOf(topics, () => 0)),
      endOffsets: (topics, partition) => Promise.resolve(offsetsOf(topics, (topic) => held(topic, partition).length)),
      timestampMs: () => Promise.resolve(undefined),
      async *read(range) {
        ranges.push(range);
        const { topic, partition, from, to } = range;
        for (let first = from; first < Math.min(to, held(topic, partition).length); first += FETCH_RECORDS) {
          yield await Promise.resolve(held(topic, partition).slice(first, Math.min(first + FETCH_RECORDS, to)));
        }
      },
      close: () => Promise.resolve(),
    };
    const registry = sampleRegistry as Registry;
    return { reader, registry, decode: createTapeDecoder(registry) };
  }
}

/** By topic. */
export function offsetsOf<Topic extends string>(
  topics: readonly Topic[],
  offsetOf: (topic: Topic) => number,
): Record<Topic, number> {
  return Object.fromEntries(topics.map((topic) => [topic, offsetOf(topic)])) as Record<Topic, number>;
}
