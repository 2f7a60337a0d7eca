import type { OrderCounts } from './survey-order.ts';
import type { RefusedByReason, Survey } from './survey.ts';

/** The most instruments named in a refusal; the rest are counted. */
const INSTRUMENTS_NAMED_MAX = 5;
const SECOND_US = 1_000_000;
const UNITS: readonly (readonly [name: string, us: number])[] = [
  ['days', 86_400 * SECOND_US],
  ['h', 3_600 * SECOND_US],
  ['min', 60 * SECOND_US],
  ['s', SECOND_US],
  ['ms', 1_000],
];

/** Microseconds for people, in the largest unit that has more than one: `27 days`, `1.5 s`. */
export function durationText(us: number): string {
  for (const [name, unitUs] of UNITS) {
    if (us >= (name === 'days' ? 2 * unitUs : unitUs)) return `${number(Math.floor((us / unitUs) * 10) / 10)} ${name}`;
  }
  return `${number(us)} µs`;
}

/** Counts of the order of an instrument's rows; `seconds` is omitted where unknown. */
export type OrderSaid = Omit<OrderCounts, 'seconds'> & { readonly seconds?: number | undefined };

/** The misplaced rows of an instrument, as lines; empty where there are none. */
export function orderLines(order: OrderSaid, of: Pick<OrderCounts, 'rows'> = order): string[] {
  const lines: string[] = [];
  if (order.late > 0) {
    const first = order.firstLate.map(({ line, stepUs }) => `line ${line} by ${durationText(stepUs)}`).join(', ');
    lines.push(
      `${number(order.late)} of ${rowsText(of.rows)} ${order.late === 1 ? 'comes' : 'come'} after newer ones, by up to ${durationText(order.largestStepBackUs)}: ${first}${rest(order.late, order.firstLate.length)}`,
    );
  }
  if (order.silencedSeconds > 0) {
    const ofSeconds = order.seconds === undefined ? '' : ` of ${number(order.seconds)}`;
    lines.push(
      `${number(order.silencedSeconds)}${ofSeconds} seconds with trades would have no decision because of that`,
    );
  }
  if (order.stray > 0) {
    const first = order.firstStray.map(({ line, stepUs }) => `line ${line} by ${durationText(stepUs)}`).join(', ');
    lines.push(
      `${number(order.stray)} of ${rowsText(of.rows)} ${order.stray === 1 ? 'is' : 'are'} stamped far ahead of those around ${order.stray === 1 ? 'it' : 'them'}: ${first}${rest(order.stray, order.firstStray.length)}`,
    );
  }
  return lines;
}

/** Refused rows by reason with the first lines of each, as lines. */
export function refusalLines(refused: RefusedByReason): string[] {
  return Object.entries(refused).flatMap(([reason, { count, first }]) => [
    `${reason} ${number(count)}${count > first.length ? `, the first ${first.length}` : ''}:`,
    ...first.map(({ line, detail, text }) => `  line ${line}: ${detail}: ${JSON.stringify(text)}`),
  ]);
}

export interface OrderRefusal {
  /** The misplaced rows that would silence decisions, by instrument. */
  readonly instruments: ReadonlyMap<string, { readonly order: OrderCounts; readonly rows: number }>;
  readonly path: string;
  /** The command as given; a remedy is appended to it. */
  readonly command: string;
  /** What the rows are late by: other rows of the file, which sorting corrects, or the tape, which it does not. */
  readonly behind: 'file' | 'tape';
}

/** Why a file is refused for the order of its rows, and the commands that proceed. */
export function orderRefusalText({ instruments, path, command, behind }: OrderRefusal): string {
  const named = [...instruments].slice(0, INSTRUMENTS_NAMED_MAX);
  const lines = named.flatMap(([name, { order, rows }]) =>
    orderLines(order, { rows }).map((line) => `  ${name}: ${line}`),
  );
  const more = instruments.size - named.length;
  if (more > 0) lines.push(`  and ${number(more)} more ${more === 1 ? 'instrument' : 'instruments'}`);
  const why =
    behind === 'file'
      ? `The order of the rows in ${path} would silence decisions: a trade that comes after a newer one of its instrument decides nothing.`
      : `${path} is older than the trades on the tape: a trade that comes after a newer one of its instrument decides nothing, and sorting the file does not help.`;
  const remedies =
    behind === 'file'
      ? [`To sort it by time:            ${command} --sort`, `To take it in this order:      ${command} --accept-late`]
      : [`To append it anyway:           ${command} --accept-late`];
  return [why, ...lines, 'Nothing was done.', ...remedies].join('\n');
}

/** Why a file is refused for the rows in it that are not trades, and what to do. */
export function refusedShareText(
  { trades, refused, refusedByReason }: Survey,
  path: string,
  command: string,
  refusedPercentMax: number,
): string {
  const rows = trades + refused;
  const lines = refusalLines(refusedByReason).map((line) => `  ${line}`);
  if (trades === 0) {
    return [
      `None of the ${rowsText(rows)} of ${path} can be read as a trade.`,
      ...lines,
      'Nothing was done. Is it the right file, and does its format (--format) and instrument (--instrument) fit?',
    ].join('\n');
  }
  const percent = Math.ceil((100 * refused) / rows);
  return [
    `${number(refused)} of ${rowsText(rows)} of ${path} are refused, more than ${refusedPercentMax} %.`,
    ...lines,
    'Nothing was done.',
    `To continue without these rows: ${command} --refused-max ${percent}`,
  ].join('\n');
}

function rest(count: number, named: number): string {
  return count > named ? ' …' : '';
}

function rowsText(rows: number): string {
  return `${number(rows)} row${rows === 1 ? '' : 's'}`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}
