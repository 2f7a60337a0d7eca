import type { Trade } from '../contracts/generated/events.ts';
import { TapeproofError } from '../platform/errors.ts';
import { openFile, readRows, type FileOptions, type OpenedFile } from './file-rows.adapter.ts';
import type { FileRow } from './rows.ts';
import { sortedRows } from './sort.adapter.ts';
import { isOutOfOrder, type OrderCounts } from './survey-order.ts';
import { orderRefusalText, refusedShareText } from './survey-text.ts';
import { REFUSED_PERCENT_MAX, Surveyor, type Survey } from './survey.ts';

export interface SurveyOptions extends FileOptions {
  /** Rows are taken by event time, those of the same time in the file's order. */
  readonly sort?: boolean | undefined;
  /** Rows are accepted although their order silences decisions. */
  readonly acceptLate?: boolean | undefined;
  /** Percent of the rows that may be refused; {@link REFUSED_PERCENT_MAX} if omitted. */
  readonly refusedPercentMax?: number | undefined;
  /** The command as it was given, for the remedies in a refusal. */
  readonly command?: string | undefined;
}

/** Called with the progress of a pass over the file, in stored bytes. */
export type FilePhase = 'identify' | 'survey' | 'sort';
export type OnPhase = (phase: FilePhase, done: number, total: number) => void;

/** A file that was read through once. */
export interface SurveyedFile {
  readonly opened: OpenedFile;
  readonly survey: Survey;
}

/**
 * Reads the file for its identity and once more for its survey, before anything is done with it.
 *
 * @throws the signal's reason when it is given; TapeproofError USAGE as `openFile` and `readRows`; CHECK_FAILED where too many rows are refused
 */
export async function surveyFile(options: SurveyOptions, onPhase: OnPhase = () => undefined): Promise<SurveyedFile> {
  const opened = await openFile(options, (done, total) => {
    onPhase('identify', done, total);
  });
  const surveyor = new Surveyor();
  const groups = readRows(opened, options.signal, (done, total) => {
    onPhase('survey', done, total);
  });
  try {
    for await (const group of groups) for (const row of group) surveyor.accept(row);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TapeproofError(
      'USAGE',
      `The file ${opened.path} has ${error.message}: is it a file of trades, and is its format right?`,
      { cause: error },
    );
  }
  options.signal?.throwIfAborted();
  const survey = surveyor.survey();
  assertReadable(survey, options);
  return { opened, survey };
}

/**
 * @param orders the order of the rows to be appended, among themselves or after the end of the tape, by instrument
 * @param behind what makes rows late: other rows of the file, or the tape
 * @throws TapeproofError CHECK_FAILED where that would silence decisions and no option accepts it
 */
export function assertInOrder(
  { survey }: Pick<SurveyedFile, 'survey'>,
  orders: ReadonlyMap<string, OrderCounts>,
  behind: 'file' | 'tape',
  options: SurveyOptions,
): void {
  if (options.acceptLate === true || (behind === 'file' && options.sort === true)) return;
  const refused = new Map<string, { readonly order: OrderCounts; readonly rows: number }>();
  for (const [name, order] of orders) {
    const whole = survey.instruments.get(name)?.order ?? order;
    if (isOutOfOrder(order, whole)) refused.set(name, { order, rows: whole.rows });
  }
  if (refused.size === 0) return;
  const { path } = options;
  const text = orderRefusalText({ instruments: refused, path, command: commandOf(options), behind });
  throw new TapeproofError('CHECK_FAILED', text);
}

/** The order of each instrument's rows in the file. */
export function ordersIn({ survey }: Pick<SurveyedFile, 'survey'>): Map<string, OrderCounts> {
  return new Map([...survey.instruments].map(([name, { order }]) => [name, order]));
}

/** The file's rows, sorted if requested. Ends early, without an error, when the signal is given. */
export function rowsOf(
  { opened }: SurveyedFile,
  { sort, signal }: SurveyOptions,
  onBytes: (done: number, total: number) => void = () => undefined,
  onPhase: OnPhase = () => undefined,
): AsyncGenerator<readonly FileRow[]> {
  if (sort !== true) return readRows(opened, signal, onBytes);
  const unsorted = readRows(opened, signal, (done, total) => {
    onPhase('sort', done, total);
  });
  return sortedRows(unsorted, { signal, onSorted: onBytes });
}

/** The trades of a surveyed file, in the requested order. Ends early, without an error, when the signal is given. */
export async function* tradesOf(
  file: SurveyedFile,
  options: SurveyOptions,
  onPhase: OnPhase = () => undefined,
): AsyncGenerator<Trade> {
  for await (const group of rowsOf(file, options, undefined, onPhase)) {
    for (const row of group) if (row.kind === 'trade') yield row.trade;
  }
}

function assertReadable(survey: Survey, options: SurveyOptions): void {
  const refusedPercentMax = options.refusedPercentMax ?? REFUSED_PERCENT_MAX;
  const { trades, refused, refusedByReason } = survey;
  // Where the instruments to read are named, the others are refused on purpose.
  const unwanted = refusedByReason.INSTRUMENT_NOT_ALLOWED?.count ?? 0;
  const isTooMany = (refused - unwanted) * 100 > refusedPercentMax * (trades + refused);
  if (refused === 0 || (trades > 0 && !isTooMany)) return;
  throw new TapeproofError(
    'CHECK_FAILED',
    refusedShareText(survey, options.path, commandOf(options), refusedPercentMax),
  );
}

function commandOf({ command, path }: SurveyOptions): string {
  return command ?? `npx tapeproof ingest file ${path}`;
}
