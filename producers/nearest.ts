import { columnNames, delimiterOf } from './csv.ts';
import { quotedLine } from './columns.ts';
import { FILE_SOURCES } from './catalogue.ts';
import type { FileHead, FileSource } from './source.ts';

/** Common names of the columns of trades, the commonest first. */
const USUAL_NAMES: Readonly<Record<string, readonly string[]>> = {
  time: ['time', 'timestamp', 'ts', 'event_time', 'exec_time', 'trade_time', 'datetime', 'date', 'unix', 'created_at'],
  price: ['price', 'px', 'rate', 'trade_price', 'exec_price', 'last'],
  size: ['size', 'qty', 'quantity', 'amount', 'volume', 'vol', 'trade_size', 'shares'],
  side: ['side', 'taker_side', 'taker', 'aggressor', 'direction'],
  id: ['id', 'trade_id', 'tid', 'tradeid', 'exec_id'],
  instrument: ['instrument', 'symbol', 'sym', 'pair', 'ticker', 'product_id'],
};
const NEEDED = ['time', 'price', 'size'];
/** A single common name, such as `price`, proves nothing: it is in every table. */
const COMMON_COLUMNS_MIN = 2;

/** The message about a file in an unknown format: how it begins, the nearest format, and what to try. */
export function unknownTable(head: FileHead): string {
  const [first = ''] = head.lines;
  const names = columnNames(first, head.delimiter ?? delimiterOf(first)) ?? [];
  const isHeader = names.length > 1 && names.every((name) => !/^[-+]?\.?\d/.test(name));
  if (!isHeader) {
    const columns = names.length > 2 ? '; name its columns, such as --columns time=#1,price=#2,size=#3' : '';
    return `it begins ${quotedLine(first)}${columns}`;
  }
  return `its header is ${quotedLine(first)}; ${nearestTo(names)}; to name its columns: --columns ${proposal(names)}`;
}

function nearestTo(names: readonly string[]): string {
  let nearest: { readonly source: FileSource; readonly missing: readonly string[]; readonly share: number } | undefined;
  for (const source of FILE_SOURCES) {
    if (source.columns.length === 0) continue;
    const missing = source.columns.filter((column) => !names.includes(column.toLowerCase()));
    const common = source.columns.length - missing.length;
    // Common columns as a share of all columns of either: a table with hundreds is not near to everything.
    const share = common / (names.length + missing.length);
    if (common >= COMMON_COLUMNS_MIN && share > (nearest?.share ?? 0)) nearest = { source, missing, share };
  }
  if (nearest === undefined) return 'no known format is near';
  const { source, missing } = nearest;
  return missing.length === 0
    ? `the nearest format is ${source.name}: if that is right, give --format ${source.name}`
    : `the nearest format is ${source.name}, which has ${missing.join(', ')} besides`;
}

function proposal(names: readonly string[]): string {
  const entries: string[] = [];
  for (const [key, usual] of Object.entries(USUAL_NAMES)) {
    const name = usual.find((candidate) => names.includes(candidate));
    if (name !== undefined) entries.push(`${key}=${name}`);
    else if (NEEDED.includes(key)) entries.push(`${key}=COLUMN`);
  }
  const text = entries.join(',');
  return text.includes(' ') ? `"${text}"` : text;
}
