import type { DeadLetterReason } from '../../contracts/generated/events.ts';

const REASONS: Readonly<Record<DeadLetterReason, true>> = {
  UNDECODABLE: true,
  UNKNOWN_SCHEMA: true,
  SCHEMA_NOT_ACCEPTED: true,
  MALFORMED: true,
  NOT_A_NUMBER: true,
  NOT_POSITIVE: true,
  OUT_OF_BOUNDS: true,
  PRECISION: true,
  TIME_OUT_OF_BOUNDS: true,
  CLOCK_LEAD: true,
  INSTRUMENT_MALFORMED: true,
  INSTRUMENT_NOT_ALLOWED: true,
  WRONG_PARTITION: true,
  SIDE_UNKNOWN: true,
  TRADE_ID_MALFORMED: true,
};

/** All of them, so that a counter by reason shows each from 0. The compiler checks that none is missing. */
export const DEAD_LETTER_REASONS = Object.keys(REASONS) as readonly DeadLetterReason[];
