import { TAPE_TOPIC } from '../../contracts/topics.ts';
import type { LogReader } from '../../platform/kafka/log-reader.ts';
import { createTapeDecoder, type TapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { inventoryText } from '../../proofs/tape-instruments-text.ts';
import { TapeInstruments, type TapeInventory } from '../../proofs/tape-instruments.ts';
import type { JsonOption } from '../commands/options.ts';
import { print } from '../context.ts';
import { overTape } from '../over-tape.ts';
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
  await overTape(reader, partitions, async (part, onRead) => {
    for await (const records of reader.read({ topic: TAPE_TOPIC, ...part })) {
      for (const record of records) {
        const decoded = decode(record);
        // Rarely: a promise per record would take most of the time.
        instruments.add(part.partition, decoded instanceof Promise ? await decoded : decoded);
      }
      onRead(records.length);
    }
  });
  return instruments.inventory();
}
