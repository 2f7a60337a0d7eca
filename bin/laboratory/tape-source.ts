import { partitionOf } from '../../contracts/partitioner.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { adviceFor, knownInstruments } from '../../proofs/known-instruments.ts';
import type { Laboratory } from '../../proofs/laboratory/tape-experiment.ts';
import { tapeParts, type TapePart } from '../../proofs/tape-parts.ts';
import type { ScoreboardQuery } from '../../proofs/scoreboard/scoreboard.ts';
import { progressBar, type ProgressBar } from '../progress.ts';
import type { Events } from '../with-events.ts';

/** Options that choose what of the tape is scored. */
export interface TapeSelectionOptions {
  readonly instrument?: string;
  readonly from?: number;
  readonly to?: number;
}

/** @throws TapeproofError USAGE where no time is in the range. */
export function queryOf({ instrument, from, to }: TapeSelectionOptions): ScoreboardQuery {
  if (from !== undefined && to !== undefined && from >= to) {
    throw new TapeproofError(
      'USAGE',
      'No forecast is made at or after --from and before --to: give an earlier --from.',
    );
  }
  return { instrument, sinceUs: from, untilUs: to };
}

/**
 * The parts of the tape as it is now: of an instrument, its partition.
 *
 * @throws TapeproofError NOT_FOUND without a record; USAGE without a trade of the instrument.
 */
export async function partsOf(events: Events, { instrument }: TapeSelectionOptions): Promise<readonly TapePart[]> {
  const { reader, partitions } = events;
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const parts = await tapeParts({ reader }, instrument === undefined ? all : [partitionOf(instrument, partitions)]);
  if (instrument !== undefined) await assertTraded(events, instrument, parts[0]);
  if (parts.length > 0) return parts;
  throw new TapeproofError('NOT_FOUND', 'The tape has no records there: ingest trades first.');
}

/** Before the run: a mistyped instrument must not become a trial. */
async function assertTraded(
  { log, partitions }: Events,
  instrument: string,
  part: TapePart | undefined,
): Promise<void> {
  const known = await knownInstruments(log, partitions);
  if (known.includes(instrument)) return;
  // Those known are the active ones: another may have traded earlier.
  const earlier = part === undefined ? [] : log.market(part.partition, part.from, part.to - 1);
  for await (const { name, event } of earlier) if (name === 'Trade' && event.instrument === instrument) return;
  throw new TapeproofError('USAGE', `The tape has no trade of ${instrument}: ${adviceFor(instrument, known)}`);
}

export function laboratoryOf({ reader, registry, log }: Events): Laboratory {
  return { reader, registry, log, decode: createTapeDecoder(registry) };
}

/** Records of the parts, as many as there can be. */
export function recordsIn(parts: readonly TapePart[]): number {
  return parts.reduce((sum, { from, to }) => sum + to - from, 0);
}

/** Runs `work` below a bar over the parts. */
export async function withTapeBar<Result>(
  title: string,
  parts: readonly TapePart[],
  work: (onProgress: (records: number) => void) => Promise<Result>,
): Promise<Result> {
  const bar: ProgressBar = progressBar(title);
  const total = recordsIn(parts);
  try {
    return await work((records) => {
      bar.update({ done: records, total, unit: 'records', count: records });
    });
  } finally {
    bar.stop();
  }
}
