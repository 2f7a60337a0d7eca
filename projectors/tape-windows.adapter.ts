import type { EngineActivated } from '../contracts/generated/events.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { framedIn } from '../platform/kafka/framed-record.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import type { TapeWindow } from './projector.ts';

/** Fills a window of a partition's tape. @throws TapeproofError like {@link LogReader}; REGISTRY_CHANGED */
export type WindowReader = (partition: number, window: TapeWindow) => Promise<void>;

interface Searched {
  next: number;
  /** The first activation of each configuration. */
  readonly byHash: Map<string, EngineActivated>;
}

/**
 * Reads windows of the tape outside any group: they lie behind what the projector has read, so no position is kept.
 * Activations are searched from the beginning of the tape, once, and only as far as a window needs.
 */
export function createWindowReader(
  reader: Pick<LogReader, 'read' | 'startOffset'>,
  registry: Pick<Registry, 'schemaOf'>,
): WindowReader {
  const decode = createTapeDecoder(registry);
  const searches = new Map<number, Searched>();

  const activationOf = async (partition: number, { configHash, to }: TapeWindow) => {
    const searched = searches.get(partition) ?? {
      next: await reader.startOffset(TAPE_TOPIC, partition),
      byHash: new Map<string, EngineActivated>(),
    };
    searches.set(partition, searched);
    const { byHash } = searched;
    if (byHash.has(configHash) || searched.next >= to) return byHash.get(configHash);
    for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from: searched.next, to })) {
      for (const record of records) {
        const framed = await framedIn(registry, record);
        const activation = 'reason' in framed ? undefined : framed.as('EngineActivated');
        if (activation !== undefined && !byHash.has(activation.configHash)) {
          byHash.set(activation.configHash, activation);
        }
        searched.next = record.offset + 1;
      }
      if (byHash.has(configHash)) break;
    }
    return byHash.get(configHash);
  };

  return async (partition, window) => {
    if (window.from >= window.to) return;
    window.begin(await activationOf(partition, window));
    const from = Math.max(window.from, await reader.startOffset(TAPE_TOPIC, partition));
    if (from >= window.to) return;
    for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from, to: window.to })) {
      for (const record of records) {
        const content = decode(record);
        window.take(record.offset, content instanceof Promise ? await content : content);
      }
    }
  };
}
