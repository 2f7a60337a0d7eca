import { counted } from '../../platform/counted.ts';
import type { BacktestStrategy } from '../backtest.ts';
import { scoreboardText } from '../scoreboard/scoreboard-text.ts';
import type { Scoreboard } from '../scoreboard/scoreboard.ts';
import { setAsideText } from '../set-aside-text.ts';
import type { TradesOfInstrument } from '../set-aside.ts';
import type { FieldDifference } from './field-differences.ts';
import type { LogComparisonReport, LogDifference } from './log-comparison.ts';
import type { TapePart } from '../tape-parts.ts';
import type { NotDerived } from './tape-steps.ts';
import { trialLines, type TrialReport } from './trial-report.ts';

const HASH_DIGITS = 12;
/** Fields of a difference that are shown. */
const FIELDS_SHOWN_MAX = 12;

/** What every report of a run over the recorded tape says of it. */
export interface TapeRunReport {
  readonly engineVersion: string;
  /** False when it was stopped before the end of the tape. */
  readonly complete: boolean;
  readonly tapeId: string | null;
  readonly parts: readonly TapePart[];
  /** Tape records processed. */
  readonly records: number;
  /** What restricts the decisions: instrument, from, to. */
  readonly selection: Readonly<Record<string, string>>;
  /** Null for those recorded on the tape. */
  readonly configuration: { readonly path: string; readonly configHash: string } | null;
  readonly strategies: readonly BacktestStrategy[];
  readonly scoreboard: Scoreboard;
  readonly instruments: readonly TradesOfInstrument[];
  readonly notDerived: readonly NotDerived[];
  /** Null for the recorded configurations: nothing was tried. */
  readonly trial: TrialReport | null;
}

export const TAPE_BACKTEST_SCHEMA = 'tapeproof.tape-backtest/1';

/** A backtest over the recorded tape. */
export interface TapeBacktestReport extends TapeRunReport {
  readonly schema: typeof TAPE_BACKTEST_SCHEMA;
  /** False for the recorded configurations: then it is what the engine decided. */
  readonly hypothetical: boolean;
  /** Null unless it was asked for. */
  readonly log: LogComparisonReport | null;
}

/** What a comparison with the log found. Only EQUAL is a pass: what could not be compared was not found equal. */
type Verdict = 'EQUAL' | 'DIFFERENT' | 'PARTLY COMPARED' | 'NOTHING COMPARED';

function verdictOf(log: LogComparisonReport, { notDerived, complete }: ComparedPart): Verdict {
  if (log.differing + log.missing + log.extra > 0) return 'DIFFERENT';
  if (log.notDerived > 0 || notDerived.length > 0 || !complete) return 'PARTLY COMPARED';
  return log.equal === 0 ? 'NOTHING COMPARED' : 'EQUAL';
}

type ComparedPart = Pick<TapeBacktestReport, 'notDerived' | 'complete'>;

/** Whether the log, if it was compared, is exactly what the tape gives, all of it. */
export function isWhollyEqual({ log, ...part }: ComparedPart & Pick<TapeBacktestReport, 'log'>): boolean {
  return log === null || verdictOf(log, part) === 'EQUAL';
}

/** For people. */
export function tapeBacktestText(report: TapeBacktestReport): string {
  const { hypothetical, engineVersion, scoreboard, instruments, log, trial } = report;
  const opening = hypothetical
    ? `Backtest: HYPOTHETICAL, as engine ${engineVersion} would have decided on this tape.`
    : `Backtest of the configurations recorded on this tape, by engine ${engineVersion}.`;
  const board = Object.keys(scoreboard.decisions).length === 0 ? 'Nothing was decided.' : scoreboardText(scoreboard);
  const setAside = setAsideText(instruments);
  return [
    [opening, ...headLines(report)].join('\n'),
    board,
    ...(setAside.length === 0 ? [] : [setAside.join('\n')]),
    ...(log === null ? [] : [logLines(log, report).join('\n')]),
    ...(trial === null ? [] : [trialLines(trial).join('\n')]),
  ].join('\n\n');
}

/** The tape, the configuration and the strategies of a run, and what it could not derive. */
export function headLines(report: TapeRunReport): readonly string[] {
  const { tapeId, parts, records, selection, configuration, strategies, complete, notDerived } = report;
  const offsets = parts.map(({ partition, from, to }) => `${partition}: ${from} to ${to - 1}`).join(', ');
  const selected = Object.entries(selection).map(([name, value]) => `${name} ${value}`);
  return [
    ...(complete ? [] : ['Stopped before the end of the tape: all figures below are of what was read.']),
    `  tape           ${tapeId ?? 'not activated'}, ${counted(records, 'record')}, offsets by partition ${offsets}`,
    ...(selected.length === 0 ? [] : [`  scored         ${selected.join(', ')}`]),
    configuration === null
      ? '  configuration  as recorded'
      : `  configuration  ${configuration.path}  ${configuration.configHash.slice(0, HASH_DIGITS)}`,
    ...strategies.map(({ name, path, sha256 }) => `  strategy       ${name}  ${path}  ${sha256.slice(0, HASH_DIGITS)}`),
    ...notDerived.map(
      ({ partition, fromOffset, engineVersion }) =>
        `Not derived: partition ${partition} from offset ${fromOffset} on, where engine ${engineVersion} is in force.`,
    ),
  ];
}

function logLines(log: LogComparisonReport, part: ComparedPart): readonly string[] {
  const { equal, differing, missing, extra, notYetRecorded, notDerived, repeated, first } = log;
  const others = [
    [differing, 'have other bytes'],
    [missing, 'are missing in the log'],
    [extra, 'are in the log but not derived'],
    [notDerived, 'are of another engine version: not compared'],
    [notYetRecorded, 'are not in the log yet'],
    [repeated, 'are there once more, set aside: "npx tapeproof certify" compares their bytes'],
  ] as const;
  return [
    `${verdictOf(log, part)}: ${counted(equal, 'event')} of the log have the bytes that the tape gives${others.flatMap(([count, what]) => (count === 0 ? [] : `; ${count.toLocaleString('en')} ${what}`)).join('')}.`,
    ...(first === null ? [] : differenceLines(first)),
  ];
}

function differenceLines({ kind, topic, partition, sequence, eventId, logOffset, fields }: LogDifference): string[] {
  const what = { bytes: 'other bytes', missing: 'missing in the log', extra: 'not derived' }[kind];
  const place = logOffset === null ? '' : `, log offset ${logOffset}`;
  return [
    `First difference: ${topic}-${partition} sequence ${sequence}${place}, ${eventId}: ${what}`,
    ...fieldLines(fields, ['log', 'derived']),
  ];
}

/** One line for each field. @param sides - names of the recorded and the other value. */
export function fieldLines(fields: readonly FieldDifference[], sides: readonly [string, string]): string[] {
  const more = fields.length - FIELDS_SHOWN_MAX;
  return [
    ...fields
      .slice(0, FIELDS_SHOWN_MAX)
      .map(
        ({ field, recorded, hypothetical }) =>
          `    ${field}: ${sides[0]} ${recorded ?? 'nothing'}, ${sides[1]} ${hypothetical ?? 'nothing'}`,
      ),
    ...(more > 0 ? [`    and ${more} more fields: --json lists them`] : []),
  ];
}
