import { TapeproofError } from '../../platform/errors.ts';
import { passedOverText } from '../../platform/kafka/foreign-records.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { drawable, PANELS_MAX, reliabilitySvg } from '../../proofs/scoreboard/reliability-svg.ts';
import type { MergeKey } from '../../proofs/scoreboard/forecast-group.ts';
import type { PartKind, ScoreRow } from '../../proofs/scoreboard/score-row.ts';
import { scoreboardCsv } from '../../proofs/scoreboard/scoreboard-csv.ts';
import { scoreboardText } from '../../proofs/scoreboard/scoreboard-text.ts';
import { scoreboard, type ScoreboardQuery } from '../../proofs/scoreboard/scoreboard.ts';
import { tapeCountsText } from '../../proofs/set-aside-text.ts';
import { countTape } from '../../proofs/set-aside.ts';
import { triesBeside, triesLines } from '../laboratory/tries-beside.ts';
import type { JsonOption } from '../commands/options.ts';
import { print } from '../context.ts';
import { withEvents } from '../with-events.ts';
import { assertWritable } from '../writable.ts';
import { writeLines } from './derive.ts';

export interface ScoreboardOptions extends JsonOption {
  readonly instrument?: string;
  readonly forecast?: string;
  readonly since?: number;
  readonly until?: number;
  readonly merge?: readonly MergeKey[];
  readonly by?: PartKind;
  readonly period?: number;
  readonly details?: true;
  readonly plot?: string;
  readonly csv?: true;
}

export async function printScoreboard(options: ScoreboardOptions): Promise<void> {
  const { json, csv, plot, details } = options;
  const query = queryOf(options);
  if (plot !== undefined) await assertWritable(plot, '--plot');
  await withEvents('scoreboard', async ({ log, reader, registry, partitions }) => {
    const board = await scoreboard(log, partitions, query);
    if (plot !== undefined) await draw(board.rows, plot);
    if (csv === true) {
      process.stdout.write(scoreboardCsv(board.rows));
      return;
    }
    const trades = await countTape({ reader, registry, decode: createTapeDecoder(registry) }, partitions);
    const { passedOver } = log;
    const trials = await triesBeside(board, { reader, registry, decode: createTapeDecoder(registry) }, partitions);
    print(json, { ...board, trades, trials, passedOver }, () =>
      [
        scoreboardText(board, 'the tape', details === true),
        ...tapeCountsText(trades),
        ...triesLines(trials),
        ...passedOverText(passedOver),
      ].join('\n'),
    );
  });
}

/** @throws TapeproofError USAGE where options contradict each other. */
function queryOf({
  json,
  csv,
  instrument,
  forecast,
  since,
  until,
  merge = [],
  by,
  period,
}: ScoreboardOptions): ScoreboardQuery {
  if (json === true && csv === true) throw new TapeproofError('USAGE', 'Give --json or --csv, not both.');
  if (period !== undefined && by !== 'period') {
    throw new TapeproofError('USAGE', 'A period is what rows are split by: give --by period with --period.');
  }
  if (since !== undefined && until !== undefined && since >= until) {
    throw new TapeproofError(
      'USAGE',
      'No forecast is made at or after --since and before --until: give an earlier --since.',
    );
  }
  const query = { instrument, forecast, sinceUs: since, untilUs: until, merge, by };
  return period === undefined ? query : { ...query, periodUs: period };
}

/** @throws TapeproofError NOT_FOUND where no row has enough outcomes. */
async function draw(rows: readonly ScoreRow[], plot: string): Promise<void> {
  const drawn = drawable(rows);
  const [lacking] = rows.flatMap(({ withheld }) => withheld);
  if (drawn.length === 0) {
    const why = lacking === undefined ? 'there is no outcome yet' : lacking.sentence;
    throw new TapeproofError('NOT_FOUND', `There is nothing to draw into ${plot}: ${why}.`);
  }
  const svg = async function* () {
    yield await Promise.resolve(reliabilitySvg(drawn));
  };
  await writeLines(svg(), plot, '--plot');
  process.stderr.write(
    `${plot}: ${drawn.length} of ${rows.length} rows are drawn${drawn.length === PANELS_MAX ? ', as many as fit' : ': those with enough outcomes'}.\n`,
  );
}
