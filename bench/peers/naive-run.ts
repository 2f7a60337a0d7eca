import { DERIVED_TOPICS } from '../../contracts/topics.ts';
import { migratorUrlOf } from '../../platform/connections.ts';
import { createPool } from '../../platform/postgres.ts';
import type { Bench } from '../bench.ts';
import { startChild } from '../child.ts';
import type { PlainEvent } from './equality.ts';
import type { Derivation, Sample } from './measurement.ts';
import { NAIVE_TABLE } from './naive-consumer.ts';
import type { Outputs } from './outputs.ts';

/** Runs the naive consumer over the first trades of the tape. */
export async function deriveNaively({ connections, trades }: Bench, naiveTrades: number): Promise<Derivation> {
  const argument = Math.min(naiveTrades, trades);
  const { result, usage } = await startChild({ role: 'naive-consumer', connections, argument }).ended;
  const { events, samples } = result as { readonly events: number; readonly samples: readonly Sample[] };
  return { trades: argument, events, samples, peakResidentBytes: usage.peakResidentBytes };
}

/** The events in its table. */
export function naiveOutputs({ connections }: Bench): Outputs {
  return async function* (topic, partition) {
    const pool = createPool(migratorUrlOf(connections), 'tapeproof-bench-naive');
    try {
      const { rows } = await pool.query<{ event: PlainEvent }>(
        `SELECT event FROM ${NAIVE_TABLE} WHERE topic = $1 AND partition = $2 ORDER BY sequence`,
        [DERIVED_TOPICS.indexOf(topic), partition],
      );
      for (const { event } of rows) yield event;
    } finally {
      await pool.end();
    }
  };
}
