import { counted } from '../../platform/counted.ts';
import type { IngestProgress } from '../../producers/main.ts';
import type { InstrumentReport } from '../../producers/ingest-counts.ts';
import { orderLines, refusalLines } from '../../producers/survey-text.ts';
import type { RefusedByReason, Survey } from '../../producers/survey.ts';

/** A phase's label in the progress bar; the last and longest has only the file's name. */
export const PHASE_TITLES: Readonly<Record<IngestProgress['phase'], string>> = {
  identify: 'reading',
  survey: 'surveying',
  scan: 'reading the tape',
  compare: 'comparing',
  sort: 'sorting',
  append: '',
};

/** The command as typed, for a shell; the option that continues after a refusal is appended to it. */
export function commandGiven(): string {
  return ['npx tapeproof', ...process.argv.slice(2).map(quotedForShell)].join(' ');
}

/** The counts of each instrument's rows, one line each, with remarks below. */
export function instrumentLines(instruments: Readonly<Record<string, InstrumentReport>>): string[] {
  return Object.entries(instruments).flatMap(([name, report]) => {
    const { rows, appended, alreadyThere, repeated, firstRepeated, late, stray } = report;
    const parts = [
      ...(alreadyThere > 0 ? [`${number(appended)} appended`, `${number(alreadyThere)} already there`] : []),
      ...(repeated > 0 ? [`${number(repeated)} repeated in the file (${linesText(firstRepeated, repeated)})`] : []),
      ...(late > 0 ? [`${number(late)} late`] : []),
      ...(stray > 0 ? [`${number(stray)} stamped far ahead`] : []),
    ];
    return [
      `  ${name.padEnd(24)} ${number(rows)}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`,
      ...orderLines({ ...report, seconds: undefined }).map((line) => `    ${line}`),
    ];
  });
}

/** A survey's remarks on each instrument. */
export function surveyLines({ instruments }: Survey, isSorted: boolean): string[] {
  return [...instruments].flatMap(([name, { rows, repeated, firstRepeated, order }]) => {
    const lines = isSorted ? [] : orderLines(order);
    if (repeated > 0) {
      lines.push(
        `${number(repeated)} of ${counted(rows, 'row')} repeat an earlier one: ${linesText(firstRepeated, repeated)}`,
      );
    }
    return lines.map((line) => `  ${name}: ${line}`);
  });
}

/** The refused rows by reason with the first of each. */
export function refusedText(refused: RefusedByReason): string[] {
  return refusalLines(refused).map((line) => `    ${line}`);
}

function linesText(lines: readonly number[], count: number): string {
  return `line${count === 1 ? '' : 's'} ${lines.join(', ')}${count > lines.length ? ' …' : ''}`;
}

export function quotedForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}
