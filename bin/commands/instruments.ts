import type { Command } from 'commander';
import { TAPE_TOPIC } from '../../contracts/topics.ts';
import { createLogReader, type LogReader } from '../../platform/kafka/log-reader.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { createTapeDecoder, type TapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { partitionCount } from '../../platform/kafka/topics.ts';
import { inventoryText } from '../../proofs/tape-instruments-text.ts';
import { TapeInstruments, type TapeInventory } from '../../proofs/tape-instruments.ts';
import { connections, kafkaFor, print } from '../context.ts';
import { progressBar } from '../progress.ts';

export function registerInstruments(program: Command): void {
  program
    .command('instruments')
    .description('what the tape holds of each instrument: records, first and last trade, gaps')
    .option('--json', 'print as JSON')
    .action(async ({ json }: { readonly json?: true }) => {
      const where = connections();
      const reader = createLogReader(where.kafkaBrokers);
      try {
        const partitions = await partitionCount(kafkaFor('instruments'));
        const inventory = await readTape(reader, createTapeDecoder(createRegistry(where.registryUrl)), partitions);
        print(json, inventory, () => inventoryText(inventory));
      } finally {
        await reader.close();
      }
    });
}

/** Reads the whole tape as it is now, outside any group. */
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
          // Nearly never: a promise a record would take most of the time.
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
