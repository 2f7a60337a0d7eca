import type { DeadLetter } from '../contracts/generated/events.ts';
import type { LogFields } from './log-fields.ts';
import type { Log } from './log.ts';
import { DEAD_LETTER_REASONS } from './metrics/dead-letter-reasons.ts';
import type { Metrics } from './metrics/metrics.ts';

/** What is said of everything that was refused, kept or not. */
type Refused = Pick<DeadLetter, 'reader' | 'reason'> & Partial<Pick<DeadLetter, 'deadLetterId'>>;

/** A counter of errors that has no series before the first would hide that one: `increase()` needs a 0 before it. */
export function beginDeadLetters(metrics: Metrics, reader: string): void {
  for (const reason of DEAD_LETTER_REASONS) metrics.count('tapeproof_dead_letters_total', { reader, reason }, 0);
}

/** Counts a dead letter and writes its line. @param sentence made only where the line is written: they are sampled. */
export function reportDeadLetter(
  { metrics, log }: { readonly metrics: Metrics; readonly log: Log },
  letter: Refused,
  sentence: () => string,
  fields: LogFields,
): void {
  metrics.count('tapeproof_dead_letters_total', { reader: letter.reader, reason: letter.reason });
  logDeadLetter(log, letter, sentence, fields);
}

/** The line of what was refused, which may not be kept. */
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
