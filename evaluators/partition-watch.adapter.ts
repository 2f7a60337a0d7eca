import type { Kafka } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { TapeproofError } from '../platform/errors.ts';
import { committedOffsets } from '../platform/kafka/committed-offsets.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { Log } from '../platform/log.ts';
import type { PartitionProcessor } from './partition-processor.adapter.ts';

/** Delay until a partition that was assigned is checked. */
const TICK_MS = 250;
/** Interval of the checks whether records of the engine are missing. */
const LOSS_CHECK_INTERVAL_MS = 5_000;

export interface PartitionWatchSettings {
  readonly kafka: Kafka;
  readonly groupId: string;
  readonly reader: LogReader;
  readonly processorOf: (partition: number) => PartitionProcessor;
  readonly log: Log;
}

/** Delivers a partition of the tape again, from an offset on. */
type Seek = (partition: number, offset: number) => void;

export interface PartitionWatch {
  /** After each join, with all partitions of the tape that this process now has. */
  assigned(partitions: readonly number[]): void;
  /** Once a consumer that can seek exists. */
  start(seek: Seek): void;
  close(): void;
}

/**
 * Causes the recovery of each partition from which nothing is delivered. A group that has read the tape to its end gets
 * no batch before the next trade, while outputs and anchors may be gone. Then the last record read is delivered once
 * more, and the engine restores its state and derives the missing events.
 */
export function watchPartitions(settings: PartitionWatchSettings): PartitionWatch {
  const { processorOf, log } = settings;
  const over = new AbortController();
  const isOver = () => over.signal.aborted;
  let mine: readonly number[] = [];
  const unseen = new Set<number>();
  let lossesCheckedAtMs = 0;
  let warned: string | undefined;

  const look = async (seek: Seek): Promise<void> => {
    if (unseen.size > 0) await wakeIdle(settings, unseen, seek);
    if (performance.now() - lossesCheckedAtMs < LOSS_CHECK_INTERVAL_MS) return;
    for (const partition of mine) {
      const delivery = processorOf(partition);
      const lost = await delivery.findLoss();
      if (lost === undefined || !mine.includes(partition)) continue;
      log.event('output-lost', `Records of ${lost}-${partition} are gone: partition ${partition} is derived again`, {
        'tapeproof.tape.partition': partition,
        'tapeproof.topic': lost,
      });
      deliverAgain(delivery, partition, delivery.nextOffset ?? 0, seek);
    }
    lossesCheckedAtMs = performance.now();
  };
  const run = async (seek: Seek): Promise<void> => {
    while (!isOver()) {
      try {
        await look(seek);
        warned = undefined;
      } catch (error) {
        if (isOver()) return;
        const { message } = error as Error;
        // Reported once: an outage lasts, and so does a missing topic.
        if (message !== warned) log.warn(error instanceof TapeproofError ? {} : { error }, message);
        warned = message;
      }
      await sleep(TICK_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
  };
  return {
    assigned(partitions) {
      mine = partitions;
      unseen.clear();
      for (const partition of partitions) unseen.add(partition);
    },
    start(seek) {
      void run(seek);
    },
    close() {
      over.abort();
    },
  };
}

/** A partition with records after the group's offset gets a batch anyway. */
async function wakeIdle(
  { kafka, groupId, reader, processorOf }: PartitionWatchSettings,
  unseen: Set<number>,
  seek: Seek,
): Promise<void> {
  const committed = await committedOffsets(kafka, groupId, TAPE_TOPIC);
  for (const partition of [...unseen]) {
    const end = await reader.endOffset(TAPE_TOPIC, partition);
    // Given up in the meantime.
    if (!unseen.delete(partition)) continue;
    const delivery = processorOf(partition);
    const offset = committed.get(partition) ?? -1;
    if (delivery.nextOffset !== undefined || offset < end || end === 0) continue;
    deliverAgain(delivery, partition, end, seek);
  }
}

function deliverAgain(delivery: PartitionProcessor, partition: number, nextOffset: number, seek: Seek): void {
  delivery.resume(nextOffset);
  seek(partition, Math.max(0, nextOffset - 1));
}
