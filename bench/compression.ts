import { compressionsAlgorithms } from '@platformatic/kafka';
import { encodeBody, frame } from '../contracts/codec.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { contentOf, goOn, startDerivation } from '../evaluators/derive.ts';
import { figureOf, type Figure } from './figure.ts';
import { CADENCE_MS } from './tape.ts';
import { syntheticTrades } from './trades.ts';

const TRADES = 20_000;
const TRADES_PER_SNAPSHOT = 10;
/** A live batch, and one of a reader or writer that is catching up. */
const BATCH_RECORDS = [50, 1_000] as const;
const SCHEMA_ID = 1;

/** What compressing the topics would save and cost: the values of records, in batches, without services. */
export function measureCompression(runs: number): Figure[] {
  const figures: Figure[] = [];
  for (const [topic, values] of valuesByTopic()) {
    for (const count of BATCH_RECORDS) {
      const batches = batchesOf(values, count);
      const bytes = sizeOf(batches);
      for (const name of ['lz4', 'zstd'] as const) {
        const { compressSync, decompressSync } = compressionsAlgorithms[name];
        const packed = batches.map((batch) => compressSync(batch));
        const timed = (work: () => void): number[] => Array.from({ length: runs }, () => cpuUsOf(work) / values.length);
        const packing = timed(() => {
          for (const batch of batches) compressSync(batch);
        });
        const unpacking = timed(() => {
          for (const batch of packed) decompressSync(batch);
        });
        const what = `${topic}, ${count} records a batch, ${name}`;
        const share = sizeOf(packed) / bytes;
        figures.push(
          figureOf(`${what}, size`, 'of the original', [share], `${Math.round(bytes / values.length)} bytes a value`),
          figureOf(`${what}, packing`, 'µs a record', packing, 'by the broker, where the topic says so'),
          figureOf(`${what}, unpacking`, 'µs a record', unpacking, 'by each reader'),
        );
      }
    }
  }
  return figures;
}

function valuesByTopic(): ReadonlyMap<string, readonly Buffer[]> {
  const task = startDerivation(parseConfiguration({ cadenceMs: CADENCE_MS }));
  const values = new Map<string, Buffer[]>();
  const add = (topic: string, body: Buffer): void => {
    const known = values.get(topic);
    if (known === undefined) values.set(topic, [frame(SCHEMA_ID, body)]);
    else known.push(frame(SCHEMA_ID, body));
  };
  for (const trade of syntheticTrades(TRADES, TRADES_PER_SNAPSHOT)) {
    add(TAPE_TOPIC, encodeBody('Trade', trade));
    for (const { topic, body } of goOn(task, contentOf(trade)).derived) add(topic, body);
  }
  return values;
}

function batchesOf(values: readonly Buffer[], count: number): readonly Buffer[] {
  return Array.from({ length: Math.ceil(values.length / count) }, (_, index) =>
    Buffer.concat(values.slice(index * count, (index + 1) * count)),
  );
}

function sizeOf(batches: readonly Buffer[]): number {
  return batches.reduce((sum, { length }) => sum + length, 0);
}

function cpuUsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
