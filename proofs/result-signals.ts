import type { ContextSignal, StrategyResult } from '../contracts/generated/events.ts';
import { signalOf, type Signal } from '../evaluators/context/signal.ts';
import { TapeproofError } from '../platform/errors.ts';
import { parseSignalCause } from './event-id.ts';
import type { EventLog } from './event-log.ts';
import type { Located } from './located.ts';

/** The causes of a result after its snapshot: signals, by their places on the tape. */
function signalCausesOf({ causes }: StrategyResult): readonly string[] {
  return causes.slice(1);
}

/**
 * The signals that results name, each once, from the tape.
 *
 * @throws TapeproofError CHECK_FAILED where the tape has no such record.
 */
export async function signalsBehind(
  log: Pick<EventLog, 'signalAt'>,
  results: readonly Located<StrategyResult>[],
): Promise<readonly Located<ContextSignal>[]> {
  const found = new Map<string, Located<ContextSignal>>();
  for (const { event } of results) {
    for (const cause of signalCausesOf(event)) {
      if (found.has(cause)) continue;
      const place = parseSignalCause(cause);
      const signal = place?.partition === event.tape.partition ? await log.signalAt(place) : undefined;
      if (signal === undefined) {
        throw new TapeproofError(
          'CHECK_FAILED',
          `The chain is broken: ${event.eventId} names ${JSON.stringify(cause.slice(0, 100))}, and the tape has no such signal.`,
        );
      }
      found.set(cause, signal);
    }
  }
  return [...found.values()];
}

/** The signals that a result names, in its order, as the engine held them. */
export function signalsOfResult(
  result: StrategyResult,
  signals: readonly Located<ContextSignal>[],
): readonly Located<ContextSignal>[] {
  return signalCausesOf(result).flatMap((cause) => {
    const offset = parseSignalCause(cause)?.offset;
    return signals.filter((signal) => signal.offset === offset);
  });
}

export function asHeld({ event, offset }: Located<ContextSignal>): Signal {
  return signalOf(event, offset);
}
