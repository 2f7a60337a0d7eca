import { TAPE_TOPIC } from '../../contracts/topics.ts';
import type { LogReader } from '../../platform/kafka/log-reader.ts';
import { createTapeDecoder, type TapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { inventoryText } from '../../proofs/tape-instruments-text.ts';
import { TapeInstruments, type TapeInventory } from '../../proofs/tape-instruments.ts';
import type { JsonOption } from '../commands/options.ts';
import { print } from '../context.ts';
import { progressBar } from '../progress.ts';
import { withEvents } from '../with-events.ts';

export async function listInstruments({ json }: JsonOption): Promise<void> {
  await withEvents('instruments', async ({ reader, registry, partitions }) => {
    const inventory = await readTape(reader, createTapeDecoder(registry), partitions);
    print(json, inventory, () => inventoryText(inventory));
  });
}

/** Reads the whole tape up to its present end, outside any group. */
async function readTape(reader: LogReader, decode: TapeDecoder, partitions: number): Promise<TapeInventory> {
  const instruments = new TapeInstruments(partitions);
  const ranges = await Promise.all(
    Array.from({ length: partitions }, async (_, partition) => ({
      topic: TAPE_TOPIC,
      partition,
      from: await reader.startOffset(TAPE_TOPIC, partition),
      to: await reader.endOffset(TAPE_TOPIC, partition),
    })),
  );
  const total = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
  const bar = progressBar('tape');
  let done = 0;
  try {
    for (const range of ranges) {
      for await (const records of reader.read(range)) {
        for (const record of records) {
          const decoded = decode(record);
          // Rarely: a promise per record would take most of the time.
          instruments.add(range.partition, decoded instanceof Promise ? await decoded : decoded);
        }
        done += records.length;
        bar.update({ done, total, unit: 'records', count: done });
      }
    }
  } finally {
    bar.stop();
  }
  return instruments.inventory();
}
