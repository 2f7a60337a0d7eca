/**
 * The fields of one CSV line, or undefined where its quotes are broken. A quoted field ends on its own line: market
 * data has no line breaks in fields, and this way a stray quote cannot swallow the rows after it.
 */
export function csvFields(line: string): string[] | undefined {
  if (!line.includes('"')) return line.split(',');
  const fields: string[] = [];
  let position = 0;
  while (true) {
    if (line[position] === '"') {
      const quotedField = /"((?:[^"]|"")*)"(?=,|$)/y;
      quotedField.lastIndex = position;
      const match = quotedField.exec(line);
      if (match === null) return undefined;
      fields.push((match[1] ?? '').replaceAll('""', '"'));
      position = quotedField.lastIndex;
    } else {
      const comma = line.indexOf(',', position);
      const end = comma === -1 ? line.length : comma;
      const field = line.slice(position, end);
      if (field.includes('"')) return undefined;
      fields.push(field);
      position = end;
    }
    if (position >= line.length) return fields;
    position += 1;
  }
}

/** Whether a line is this header, quotes and spaces around the names aside. */
export function isCsvHeader(line: string | undefined, header: string): boolean {
  const names = line === undefined ? undefined : csvFields(line);
  return names !== undefined && names.map((name) => name.trim()).join(',') === header;
}
