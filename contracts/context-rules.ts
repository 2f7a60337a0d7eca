import type { ContextSignal } from './generated/events.ts';
import { refusalOfInstrument, refusalOfTimes, type Refusal } from './trade-rules.ts';

/**
 * Kinds of context. The engine holds a bounded number of signals of each, so a kind is added here, with a new engine
 * version, and not by a producer.
 */
export const CONTEXT_KINDS = ['NEWS_SENTIMENT', 'ECONOMIC_SENTIMENT', 'CALENDAR_EVENT', 'SECTOR_ROTATION'] as const;
export type ContextKind = (typeof CONTEXT_KINDS)[number];

/** No signal is in force for ever: a forgotten one would have an effect that nobody expects any more. */
export const VALIDITY_US_MAX = 366 * 86_400_000_000;
export const SIGNAL_SOURCE_LENGTH_MAX = 128;
export const SIGNAL_LINK_LENGTH_MAX = 2_048;
/** Events that a signal may be computed from. */
export const SIGNAL_CAUSES_MAX = 256;

const SIGNAL_ID = /^[\x21-\x7e]{1,64}$/;
const SOURCE = /^[\x21-\x7e]{1,128}$/;
const TEXT_HASH = /^[0-9a-f]{64}$/;
const LINK = /^[\x21-\x7e]{1,2048}$/;
const CAUSE = /^[a-z]{1,16}-\d{1,9}-\d{1,15}-\d{1,9}$/;

/** The kinds as texts come: `Array.includes` accepts only a kind. */
export function isContextKind(text: string): text is ContextKind {
  return (CONTEXT_KINDS as readonly string[]).includes(text);
}

/** Why a signal is not valid, or undefined when it is well-formed; like `refusalOf` for a trade. */
export function refusalOfSignal(signal: ContextSignal): Refusal | undefined {
  const { instrument, validFrom, validUntil, eventTime } = signal;
  const malformed = malformedIn(signal);
  if (malformed !== undefined) return { reason: 'MALFORMED', detail: `the signal's ${malformed}` };
  if (instrument !== null) {
    const misplaced = refusalOfInstrument(instrument, venueOf(instrument));
    if (misplaced !== undefined) return misplaced;
  }
  const untimely = refusalOfTimes(eventTime, signal.receivedAt);
  if (untimely !== undefined) return untimely;
  if (validFrom < eventTime) {
    const detail = `the signal is valid from ${validFrom} µs, before it was known at ${eventTime} µs`;
    return { reason: 'MALFORMED', detail };
  }
  if (validUntil <= validFrom || validUntil - validFrom > VALIDITY_US_MAX) {
    const detail = `the signal is valid from ${validFrom} µs until ${validUntil} µs: the end must be after the beginning, by at most ${VALIDITY_US_MAX} µs`;
    return { reason: 'MALFORMED', detail };
  }
  return undefined;
}

function malformedIn({
  signalId,
  kind,
  source,
  value,
  confidence,
  textHash,
  link,
  causes,
}: ContextSignal): string | undefined {
  if (!SIGNAL_ID.test(signalId)) return 'id must have 1 to 64 printable ASCII characters';
  if (!isContextKind(kind)) return `kind must be one of ${CONTEXT_KINDS.join(', ')}`;
  if (!SOURCE.test(source)) return `source must have 1 to ${SIGNAL_SOURCE_LENGTH_MAX} printable ASCII characters`;
  // Written so that NaN is refused too.
  if (!(value >= -1 && value <= 1)) return `value ${value} is outside -1 to 1`;
  if (!(confidence >= 0 && confidence <= 1)) return `confidence ${confidence} is outside 0 to 1`;
  if (textHash !== null && !TEXT_HASH.test(textHash)) return 'textHash must be 64 lower-case hex digits';
  if (link !== null && !LINK.test(link)) {
    return `link must have 1 to ${SIGNAL_LINK_LENGTH_MAX} printable ASCII characters`;
  }
  if (causes.length > SIGNAL_CAUSES_MAX) return `causes are ${causes.length}: at most ${SIGNAL_CAUSES_MAX} are allowed`;
  if (!causes.every((cause) => CAUSE.test(cause)))
    return 'causes must be ids of events, for example snapshot-3-10411-0';
  return undefined;
}

function venueOf(instrument: string): string {
  return instrument.slice(instrument.lastIndexOf('@') + 1);
}
