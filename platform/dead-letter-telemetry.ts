import type { DeadLetter } from '../contracts/generated/events.ts';
import type { LogFields } from './log-field-catalogue.ts';
import type { Log } from './log.ts';
import { DEAD_LETTER_REASONS } from './metrics/dead-letter-reasons.ts';
import type { Metrics } from './metrics/metrics.ts';

/** The part of a dead letter that is logged; without an id where the letter is not kept. */
type Refused = Pick<DeadLetter, 'reader' | 'reason'> & Partial<Pick<DeadLetter, 'deadLetterId'>>;

/** A counter of errors without a series before the first error would hide that error: `increase()` needs a preceding 0. */
export function beginDeadLetters(metrics: Metrics, reader: string): void {
  for (const reason of DEAD_LETTER_REASONS) metrics.count('tapeproof_dead_letters_total', { reader, reason }, 0);
}

/** Counts a dead letter and writes its line. @param sentence called only if the line is written: such lines are sampled. */
export function reportDeadLetter(
  { metrics, log }: { readonly metrics: Metrics; readonly log: Log },
  letter: Refused,
  sentence: () => string,
  fields: LogFields,
): void {
  metrics.count('tapeproof_dead_letters_total', { reader: letter.reader, reason: letter.reason });
  logDeadLetter(log, letter, sentence, fields);
}

/** Writes the line of a refusal whose dead letter may not be kept. */
export function logDeadLetter(
  log: Log,
  { deadLetterId, reader, reason }: Refused,
  sentence: () => string,
  fields: LogFields,
): void {
  log.sampled('dead-letter')?.(sentence(), {
    ...(deadLetterId === undefined ? {} : { 'event.id': deadLetterId }),
    'event.reason': reason,
    'tapeproof.reader': reader,
    ...fields,
  });
}
