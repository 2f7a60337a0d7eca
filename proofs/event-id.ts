import type { DerivedName } from '../contracts/topics.ts';

const NAMES = {
  snapshot: 'IndicatorSnapshot',
  result: 'StrategyResult',
  decision: 'ProbabilityDecision',
  outcome: 'Outcome',
} as const satisfies Record<string, DerivedName>;

const PATTERN = /^(snapshot|result|decision|outcome)-(\d{1,9})-(\d{1,15})-(\d{1,9})$/;

/** An event's identity, taken apart: the tape position that caused it and its number among that position's events. */
export interface EventId {
  readonly text: string;
  readonly type: DerivedName;
  readonly partition: number;
  /** Offset on the tape, not in the event's own topic. */
  readonly tapeOffset: number;
  readonly number: number;
}

/** Reads `decision-3-10411-0`; undefined when malformed. */
export function parseEventId(text: string): EventId | undefined {
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const [, kind, partition, tapeOffset, number] = match;
  return {
    text,
    type: NAMES[kind as keyof typeof NAMES],
    partition: Number(partition),
    tapeOffset: Number(tapeOffset),
    number: Number(number),
  };
}

const TAPE_RECORD = /^(?:trade|watermark|tick)-\d{1,9}-(\d{1,15})-0$/;

/**
 * The tape offset that a cause names, such as `trade-3-10411-0`; engine versions 2 and 3 wrote `tick` for `watermark`;
 * undefined when it does not name a record of the tape.
 */
export function tapeOffsetOf(cause: string | undefined): number | undefined {
  const match = TAPE_RECORD.exec(cause ?? '');
  return match === null ? undefined : Number(match[1]);
}

const SIGNAL = /^signal-(\d{1,9})-(\d{1,15})-0$/;

/** A record's place on the tape. */
export interface TapePlace {
  readonly partition: number;
  readonly offset: number;
}

/** Reads the name of a signal among an event's causes, such as `signal-3-10411-0`; undefined when malformed. */
export function parseSignalCause(cause: string): TapePlace | undefined {
  const match = SIGNAL.exec(cause);
  return match === null ? undefined : { partition: Number(match[1]), offset: Number(match[2]) };
}
