import { parse } from 'csv-parse/sync';

/** The possible delimiters of a table, the likeliest first. */
const DELIMITERS = [',', ';', '\t', '|'] as const;

/**
 * The fields of one line, spaces around them aside, or undefined where its quotes are broken. A quoted field ends on its
 * own line: market data has no line breaks in fields, and this way a stray quote cannot swallow the rows after it.
 */
export function csvFields(line: string, delimiter: string): string[] | undefined {
  if (!line.includes('"')) return line.split(delimiter);
  try {
    const [fields] = parse(line, {
      delimiter,
      quote: '"',
      escape: '"',
      record_delimiter: '\n',
      relax_column_count: true,
      relax_quotes: false,
      trim: delimiter !== '\t',
    });
    return fields;
  } catch {
    return undefined;
  }
}

/** The delimiter of a table that begins with this line: the one that occurs most often in it. */
export function delimiterOf(firstLine: string): string {
  let found: string = DELIMITERS[0];
  let most = 0;
  for (const delimiter of DELIMITERS) {
    const count = (csvFields(firstLine, delimiter)?.length ?? 1) - 1;
    if (count > most) [found, most] = [delimiter, count];
  }
  return found;
}

/** The names of a header's columns as they are compared: trimmed, in lower case, without one empty last name. */
export function columnNames(header: string, delimiter: string): string[] | undefined {
  const names = csvFields(header, delimiter)?.map((name) => name.trim().toLowerCase());
  if (names !== undefined && names.length > 1 && names.at(-1) === '') names.pop();
  return names;
}
