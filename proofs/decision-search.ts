import type { ProbabilityDecision } from '../contracts/generated/events.ts';
import { PROBE_BYTES_MAX } from '../platform/kafka/log-reader.ts';
import type { EventLog } from './event-log.ts';
import type { Located } from './located.ts';

export type LocatedDecision = Located<ProbabilityDecision>;

/** Where decisions are read. */
export type DecisionLog = Pick<EventLog, 'range' | 'boundsOfDecisions'>;

/** Records before the place found in which a later decision may be: a restarted engine may repeat its last ones. */
const REPEATED_RECORDS_MAX = 2_000;

/** The place in an instrument's decisions at which a condition stops to hold. */
export interface DecisionPlace {
  /** Those of the last snapshot for which it holds, one for each hit rule, in order; empty when it holds for none. */
  readonly last: readonly LocatedDecision[];
  /** Offset in the log of decisions from which on it holds for none. */
  readonly next: number;
}

/**
 * Finds the last decisions of an instrument for which a condition holds, by bisection: it must hold for all earlier ones
 * of that instrument, and for no later one. Other instruments of the partition may be at another time altogether.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function lastDecisions(
  log: DecisionLog,
  partition: number,
  instrument: string,
  holds: (decision: LocatedDecision) => boolean,
): Promise<DecisionPlace> {
  const [start, end] = await log.boundsOfDecisions(partition);
  let [low, high] = [start, end];
  let found: LocatedDecision | undefined;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const decision = await firstOf(log, partition, instrument, middle, high);
    if (decision !== undefined && holds(decision)) {
      found = decision;
      low = decision.offset + 1;
    } else high = middle;
  }
  if (found === undefined) return { last: [], next: low };
  const near = new Map<string, LocatedDecision>();
  for await (const decision of log.range(
    'ProbabilityDecision',
    partition,
    Math.max(start, low - REPEATED_RECORDS_MAX),
    low,
  )) {
    const { eventId } = decision.event;
    if (decision.event.instrument === instrument && holds(decision) && !near.has(eventId)) near.set(eventId, decision);
  }
  const offset = Math.max(found.event.tape.offset, ...[...near.values()].map(({ event }) => event.tape.offset));
  const last = [...near.values()].filter(({ event }) => event.tape.offset === offset);
  return { last: last.length === 0 ? [found] : last, next: low };
}

/** The first decision of an instrument in a range of the log. */
export async function firstOf(
  log: DecisionLog,
  partition: number,
  instrument: string,
  from: number,
  to: number,
): Promise<LocatedDecision | undefined> {
  // Where the partition has few others, the next record is one; else they are read as fast as usual.
  for (const range of [
    { from, to: Math.min(to, from + 1), bytes: PROBE_BYTES_MAX },
    { from: from + 1, to, bytes: undefined },
  ]) {
    for await (const decision of log.range('ProbabilityDecision', partition, range.from, range.to, range.bytes)) {
      if (decision.event.instrument === instrument) return decision;
    }
  }
  return undefined;
}
