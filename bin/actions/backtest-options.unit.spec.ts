import { describe, expect, it } from 'vitest';
import { checkBacktestOptions, type BacktestOptions } from './backtest-options.ts';

const DEFAULTS = { record: true, refusedMax: 1 } as const;
const OF_FILES: BacktestOptions = { ...DEFAULTS, trades: ['a.csv'] };
const OF_THE_TAPE: BacktestOptions = { ...DEFAULTS, tape: true };

describe('the options of a backtest', () => {
  it.each<[string, BacktestOptions]>([
    ['files', { ...OF_FILES, config: ['a.yaml', 'b.yaml'], record: false }],
    ['files with a grid', { ...OF_FILES, grid: ['a=1'], csv: true, strategy: ['mine.ts'] }],
    ['the recorded configurations', { ...OF_THE_TAPE, compare: true, instrument: 'A@b', from: 1, to: 2 }],
    ['another configuration', { ...OF_THE_TAPE, config: ['a.yaml'], strategy: ['mine.ts'], json: true }],
  ])('may be those of %s', (_what, options) => {
    expect(() => {
      checkBacktestOptions(options);
    }).not.toThrow();
  });

  it.each<[BacktestOptions, string]>([
    [DEFAULTS, 'Give --trades with a file of trades, or --tape.'],
    [{ ...OF_THE_TAPE, trades: ['a.csv'] }, '--trades is for files'],
    [{ ...OF_THE_TAPE, sort: true }, '--sort is for files'],
    [{ ...OF_THE_TAPE, events: 'x' }, '--events is for files'],
    [{ ...OF_FILES, compare: true }, '--compare is for the tape'],
    [{ ...OF_FILES, from: 0 }, '--from is for the tape'],
    [{ ...OF_THE_TAPE, record: false }, 'Trials over the tape are always recorded'],
    [{ ...OF_THE_TAPE, compare: true, config: ['a.yaml'] }, 'leave out --config and --grid with --compare'],
    [{ ...OF_THE_TAPE, compare: true, grid: ['a=1'] }, 'leave out --config and --grid with --compare'],
    [{ ...OF_THE_TAPE, config: ['a.yaml', 'b.yaml'] }, 'one configuration is tried at a time'],
    [{ ...OF_THE_TAPE, strategy: ['mine.ts'] }, 'give --config with --strategy'],
    [{ ...OF_FILES, config: ['a.yaml', 'b.yaml'], grid: ['a=1'] }, 'A grid changes one configuration'],
    [{ ...OF_FILES, events: 'x', grid: ['a=1'] }, 'Events belong to one configuration'],
    [{ ...OF_FILES, csv: true }, 'Only a grid is printed as CSV'],
    [{ ...OF_FILES, csv: true, json: true, grid: ['a=1'] }, 'Give --json or --csv, not both.'],
  ])('are refused in one sentence: %j', (options, sentence) => {
    expect(() => {
      checkBacktestOptions(options);
    }).toThrow(sentence);
  });
});
