import type { Command } from 'commander';
import type { ScoreboardOptions } from '../actions/scoreboard.ts';
import { nearestOf } from '../../contracts/nearest-name.ts';
import { parseIsoTime } from '../../contracts/iso-time.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { MERGE_KEYS, type MergeKey } from '../../proofs/scoreboard/forecast-group.ts';
import { PART_KINDS, type PartKind } from '../../proofs/scoreboard/score-row.ts';

const US_OF_UNIT: Readonly<Record<string, number>> = { s: 1e6, m: 60e6, h: 3_600e6, d: 86_400e6, w: 604_800e6 };

export function registerScoreboard(program: Command): void {
  program
    .command('scoreboard')
    .description('what came of the forecasts, with n, effective n and interval, from the decision log itself')
    .option('--instrument <instrument>', 'forecasts of this instrument alone')
    .option('--forecast <name>', 'those of this strategy alone; DECISION for the decisions')
    .option('--since <time>', 'forecasts made at or after it, ISO 8601', parseTime)
    .option('--until <time>', 'forecasts made before it, ISO 8601', parseTime)
    .option('--merge <keys>', `count together whatever their ${MERGE_KEYS.join(', ')}; separated by commas`, parseMerge)
    .option('--by <kind>', `split each row by ${PART_KINDS.join(', ')}`, parsePartKind)
    .option('--period <length>', 'length of a period, such as 12h, 1d or 2w', parsePeriod)
    .option('--details', 'with the parts of the Brier score, calibration, regret and drift')
    .option('--plot <file>', 'draw reliability diagrams into an SVG file')
    .option('--csv', 'print as CSV')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
Outcomes are counted together only where instrument, forecast, hit rule, configuration and engine version are the same.
docs/scoreboard.md explains each figure.

Examples:
  $ npx tapeproof scoreboard --instrument BTC-USD@bitstamp --details
  $ npx tapeproof scoreboard --forecast DECISION --by period --period 1d --csv
  $ npx tapeproof scoreboard --merge configuration,engine --plot reliability.svg`,
    )
    .action(async (options: ScoreboardOptions) => {
      const { printScoreboard } = await import('../actions/scoreboard.ts');
      await printScoreboard(options);
    });
}

/** @throws TapeproofError USAGE */
export function parseTime(text: string): number {
  const time = parseIsoTime(text);
  if (time !== undefined) return time;
  throw new TapeproofError('USAGE', `"${text}" is not a valid time: give one such as 2025-03-25T23:08:00Z.`);
}

function parseMerge(text: string): readonly MergeKey[] {
  const keys = text.split(',').map((key) => oneOf(key.trim(), MERGE_KEYS, '--merge'));
  return MERGE_KEYS.filter((known) => keys.includes(known));
}

function parsePartKind(text: string): PartKind {
  return oneOf(text, PART_KINDS, '--by');
}

function parsePeriod(text: string): number {
  const [, count = '', unit = ''] = /^([1-9]\d{0,5})([smhdw])$/.exec(text) ?? [];
  const us = US_OF_UNIT[unit];
  if (us !== undefined) return Number(count) * us;
  throw new TapeproofError('USAGE', `"${text}" is not a valid period: give one such as 12h, 1d or 2w.`);
}

/** @throws TapeproofError USAGE with the nearest name, else with all. */
function oneOf<const Name extends string>(text: string, names: readonly Name[], option: string): Name {
  const found = names.find((name) => name === text);
  if (found !== undefined) return found;
  const nearest = nearestOf(text, names);
  const advice = nearest === undefined ? `give ${names.join(', ')}.` : `did you mean ${nearest}?`;
  throw new TapeproofError('USAGE', `${option} does not know "${text}": ${advice}`);
}
