import { TAPE_TOPIC } from '../contracts/topics.ts';
import type { LogAccess } from '../evaluators/anchor-log.adapter.ts';
import type { InstrumentOverview } from '../evaluators/advance.ts';
import { recoverTask, stepAlong } from '../evaluators/recovery.adapter.ts';
import { SET_ASIDE_KINDS, type SetAsideKind } from '../evaluators/trade-counts.ts';

/** The fates of each instrument's trades, as the engine counts them: those counted, and those set aside by kind. */
export interface TradesOfInstrument {
  readonly instrument: string;
  /** On time, late or ahead: in the sums of their session. */
  readonly counted: number;
  /** Only the kinds that occur. */
  readonly setAside: Readonly<Partial<Record<SetAsideKind, number>>>;
  /** Trades beyond the clock's bound that wait for others to confirm their time. */
  readonly waiting: number;
  /** Why nothing is decided at the end; null while decisions are made. */
  readonly silence: string | null;
}

/** As data, from the engine's own overview. */
export function tradesOf({ name, counts, waiting, silence }: InstrumentOverview): TradesOfInstrument {
  const kinds = SET_ASIDE_KINDS.filter((kind) => counts[kind] > 0);
  return {
    instrument: name,
    counted: counts.counted,
    setAside: Object.fromEntries(kinds.map((kind) => [kind, counts[kind]])),
    waiting: waiting.length,
    silence: silence ?? null,
  };
}

/** The tape up to its end, as this engine version counts it. */
export interface TapeCounts {
  readonly instruments: readonly TradesOfInstrument[];
  /** Partitions in which another engine version is in force, or none: nothing is counted there. */
  readonly notCounted: readonly number[];
}

/**
 * Takes the state of each partition from its newest anchor on to the end of the tape.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function countTape(access: LogAccess, partitions: number): Promise<TapeCounts> {
  const instruments: TradesOfInstrument[] = [];
  const notCounted: number[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    const { task } = await recoverTask(access, partition, Number.POSITIVE_INFINITY);
    const end = await access.reader.endOffset(TAPE_TOPIC, partition);
    let isForeign = false;
    for await (const { foreignActivation } of stepAlong(access, task, end))
      isForeign ||= foreignActivation !== undefined;
    if (isForeign || (task.activation === undefined && end > 0)) notCounted.push(partition);
    instruments.push(...task.overview.map(tradesOf));
  }
  return { instruments: instruments.sort((left, right) => (left.instrument < right.instrument ? -1 : 1)), notCounted };
}
