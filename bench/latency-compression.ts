import { createKafka, withAdmin } from '../platform/kafka/client.ts';
import type { Bench } from './bench.ts';
import { startChild } from './child.ts';
import { COMPRESSIONS, compressTopics, nameOfCompression, type Compression } from './costs.ts';
import { figureOf, quantileOf, type Figure } from './figure.ts';
import { measureDelays } from './latency.ts';

const SHARES = { p50: 0.5, p99: 0.99 } as const;
const NONE: Compression = 'producer';

/**
 * Trade to decision, with the tape and the derived topics stored as they were sent, and compressed by the broker: in
 * turn in each round, by one engine that a run has warmed up.
 */
export async function measureLatencyCompression(
  { connections, log, runs }: Bench,
  tell: (progress: string) => void,
): Promise<Figure[]> {
  const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-bench-compression', log);
  const engine = startChild({ role: 'engine', connections, argument: '' });
  const delays = new Map(COMPRESSIONS.map((compression) => [compression, [] as number[][]]));
  const measureRun = () => Promise.race([measureDelays(connections, log), engine.ended.then(() => [])]);
  try {
    tell('latency-compression: warming up …');
    await measureRun();
    for (let round = 1; round <= runs; round += 1) {
      for (const [compression, done] of delays) {
        tell(`latency-compression: round ${round} of ${runs}, ${nameOfCompression(compression)} …`);
        await withAdmin(kafka, (admin) => compressTopics(admin, compression));
        done.push(await measureRun());
      }
    }
  } finally {
    await engine.stop();
  }
  return figuresOf(delays);
}

function figuresOf(delays: ReadonlyMap<Compression, readonly (readonly number[])[]>): Figure[] {
  const figures: Figure[] = [];
  const quantiles = (of: Compression, share: number) => (delays.get(of) ?? []).map((run) => quantileOf(run, share));
  for (const [name, share] of Object.entries(SHARES)) {
    const plain = quantiles(NONE, share);
    for (const compression of COMPRESSIONS) {
      const found = quantiles(compression, share);
      const what = `trade to decision, ${nameOfCompression(compression)}, ${name}`;
      figures.push(figureOf(what, 'ms', found, '5,000 trades a second, as the part latency measures it'));
      if (compression === NONE) continue;
      const ratios = found.map((value, round) => value / (plain[round] ?? Number.NaN));
      figures.push(figureOf(`${what}, of not compressed`, 'times', ratios, 'round by round'));
    }
  }
  return figures;
}
