import { TapeproofError } from '../platform/errors.ts';
import { absenceOf, AllowedNames, type AbsentName } from './allowed-names.ts';
import { readRows, type OpenedFile } from './file-rows.adapter.ts';

/**
 * The allowed instruments that no row of the file names. The file is read until each is found, so to its end only
 * where one is absent.
 *
 * @throws TapeproofError USAGE where the file has rows and all of them would be refused, before any is.
 */
export async function absentNames(file: OpenedFile, signal?: AbortSignal): Promise<readonly AbsentName[]> {
  const { allowed } = file.reading;
  if (allowed === undefined) return [];
  const names = new AllowedNames(allowed);
  const all: OpenedFile = { ...file, reading: { ...file.reading, allowed: undefined } };
  for await (const rows of readRows(all, signal)) {
    for (const row of rows) if (row.kind === 'trade') names.see(row.trade.instrument);
    if (names.areAllSeen) return [];
  }
  if (signal?.aborted === true) return [];
  if (names.isNoneSeen) {
    const absences = names.absent().map(absenceOf).join('; ');
    throw new TapeproofError('USAGE', `No row of ${file.path} may be read: ${absences}.`);
  }
  return names.absent();
}
