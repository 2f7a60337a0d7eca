import Table from 'cli-table3';
import { isoTimeOf } from '../../contracts/iso-time.ts';
import type { ResearchTrial } from '../../contracts/generated/events.ts';
import { counted } from '../../platform/counted.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { passedOverText } from '../../platform/kafka/foreign-records.ts';
import { trialsCsv } from '../../proofs/laboratory/trials-csv.ts';
import { readTrials } from '../../proofs/laboratory/trial-log.ts';
import type { TrialBook } from '../../proofs/laboratory/trials.ts';
import { NOTHING } from '../../proofs/scoreboard/scoreboard-text.ts';
import type { JsonOption } from '../commands/options.ts';
import { print } from '../context.ts';
import { withEvents } from '../with-events.ts';

const HASH_DIGITS = 12;

export interface TrialsOptions extends JsonOption {
  readonly csv?: true;
}

export async function printTrials({ json, csv }: TrialsOptions): Promise<void> {
  if (json === true && csv === true) throw new TapeproofError('USAGE', 'Give --json or --csv, not both.');
  await withEvents('trials', async ({ reader, registry, partitions }) => {
    const { book, passedOver } = await readTrials(reader, registry, partitions);
    if (csv === true) {
      process.stdout.write(trialsCsv(book.all));
      return;
    }
    const listed = book.all.map((trial) => ({ ...trial, tries: book.triesOver(trial).length }));
    print(json, { trials: listed, passedOver }, () => [trialsText(book), ...passedOverText(passedOver)].join('\n'));
  });
}

function trialsText(book: TrialBook): string {
  if (book.all.length === 0) return 'Nothing was tried yet.';
  const table = new Table({
    head: ['time', 'actor', 'kind', 'data', 'configuration', 'changed', 'n', 'Brier', 'skill', 'tries'],
    style: { head: [], border: [] },
  });
  for (const trial of book.all) {
    const { triedAt, actor, kind, configHash, gridPoint, n, brier, skill } = trial;
    table.push([
      ...[isoTimeOf(triedAt), actor, kind, dataText(trial), configHash.slice(0, HASH_DIGITS)],
      Object.entries(gridPoint)
        .map(([key, value]) => `${key}=${value}`)
        .join(' '),
      ...[n.toLocaleString('en'), brier?.toFixed(4) ?? NOTHING, skill?.toFixed(4) ?? NOTHING],
      book.triesOver(trial).length.toLocaleString('en'),
    ]);
  }
  return `${table.toString()}\n${counted(book.all.length, 'trial')}, all HYPOTHETICAL. tries: different configurations tried on the same data.`;
}

function dataText({ tapeId, fileHashes }: ResearchTrial): string {
  return tapeId === null ? fileHashes.map((hash) => `file ${hash.slice(0, HASH_DIGITS)}`).join(' ') : `tape ${tapeId}`;
}
