import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { parseNewConfiguration } from '../evaluators/new-configuration.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { STRATEGIES } from '../evaluators/strategies/catalogue.ts';
import { defineStrategy, neutral, type Opinion, type Strategy } from '../evaluators/strategies/strategy.ts';
import { TapeproofError } from '../platform/errors.ts';
import { checkedStrategy } from './backtest-strategy.ts';
import { Backtest } from './backtest.ts';

const PATH = './mine.ts';
const SOUND: Opinion = { direction: 'LONG', probability: 0.6, quality: 1, indicators: { x: 1 }, reasoning: () => 'up' };
const parameters = z.strictObject({ slope: z.number().default(1) });

function mine(evaluate: () => unknown, changes: object = {}): Strategy {
  return defineStrategy({ name: 'MINE', parameters, evaluate: evaluate as () => Opinion, ...changes });
}

/** The last sentence of a backtest of three trades. */
function complaint(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(TapeproofError);
    expect((error as TapeproofError).exitCode).toBe(2);
    return (error as TapeproofError).message;
  }
  return 'none';
}

function backtestOf(strategy: Strategy): Backtest {
  const known = [...STRATEGIES, checkedStrategy(PATH, strategy)];
  const backtest = new Backtest([{ path: 'a.yaml', configuration: parseConfiguration({}, known) }], known);
  syntheticTrades({ seed: 1, count: 200 }).forEach((trade, index) => {
    backtest.step({ kind: 'trade', line: index + 2, trade }, 'trades.csv');
  });
  return backtest;
}

describe('a strategy from a file', () => {
  it('runs beside those of the catalogue, and is configured in the same place', () => {
    const result = backtestOf(mine(() => SOUND)).report({ complete: true, files: [], strategies: [] });
    const { events } = result.configurations[0]!.scoreboard;
    const enabled = STRATEGIES.filter(({ isEnabledUnlessNamed }) => isEnabledUnlessNamed);
    expect(events['strategy.results']).toBe(events['probability.decisions'] * (enabled.length + 1));
    const known = [...STRATEGIES, mine(() => SOUND)];
    const set = { strategies: { MINE: { weight: 2, parameters: { slope: 3 } } } };
    expect(parseNewConfiguration(set, known)).toMatchObject(set);
    expect(() => parseNewConfiguration({ strategies: { MINE: { parameters: { slpoe: 3 } } } }, known)).toThrow(
      'unknown key "slpoe" in strategies.MINE.parameters. Did you mean "slope"?',
    );
    expect(() => parseNewConfiguration({ strategies: { MINNE: {} } }, known)).toThrow('Did you mean "MINE"?');
    expect(() => parseNewConfiguration(set)).toThrow('unknown key "MINE" in strategies');
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'exports undefined instead of a strategy'],
    ['a number', 5, 'exports 5 instead of a strategy'],
    [
      'a bare declaration',
      { name: 'MINE', parameters, evaluate: () => SOUND },
      'does not export a strategy made by defineStrategy',
    ],
    ['a name in lower case', mine(() => SOUND, { name: 'mine' }), 'has the name "mine"'],
    ['loose parameters', mine(() => SOUND, { parameters: z.object({}) }), 'define them with z.strictObject'],
    [
      'a parameter without a default',
      mine(() => SOUND, { parameters: z.strictObject({ slope: z.number() }) }),
      'has no default for its parameter slope',
    ],
    [
      'a parameter that JSON cannot represent',
      mine(() => SOUND, { parameters: z.strictObject({ slope: z.any().default(Infinity) }) }),
      'has parameters that JSON does not preserve',
    ],
    [
      'a parameter that JSON does not preserve',
      mine(() => SOUND, { parameters: z.strictObject({ slope: z.string().prefault('1').transform(Number) }) }),
      'has parameters that JSON does not preserve',
    ],
  ])('is refused when it is %s', (_what, made, sentence) => {
    expect(complaint(() => checkedStrategy(PATH, made))).toMatch(
      new RegExp(`^The strategy \\./mine\\.ts .*${sentence}`),
    );
  });

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'returns undefined instead of an opinion'],
    ['a promise', Promise.resolve(SOUND), 'returns a promise'],
    ['an unknown direction', { ...SOUND, direction: 'UP' }, 'returns the direction "UP"'],
    ['no probability', { ...SOUND, probability: undefined }, 'returns the probability undefined'],
    ['NaN', { ...SOUND, probability: Number.NaN }, 'returns the probability NaN: it must be 0 to 1'],
    ['a probability above 1', { ...SOUND, probability: 1.01 }, 'returns the probability 1.01'],
    ['a probability below 0', { ...SOUND, probability: -0.01 }, 'returns the probability -0.01'],
    ['a NEUTRAL with a probability', { ...SOUND, direction: 'NEUTRAL' }, 'returns NEUTRAL with the probability 0.6'],
    ['a quality of NaN', { ...SOUND, quality: Number.NaN }, 'returns the quality NaN'],
    ['an infinite indicator', { ...SOUND, indicators: { z: Infinity } }, 'returns the indicator z Infinity'],
    ['a signal that it was not given', { ...SOUND, signals: [{}] }, 'returns the signals'],
    ['no list of signals', { ...SOUND, signals: 'all' }, 'returns the signals'],
    ['no indicators', { ...SOUND, indicators: null }, 'returns the indicators null'],
    ['no reasoning', { ...SOUND, reasoning: undefined }, 'returns the reasoning undefined'],
    [
      'a text as reasoning',
      { ...SOUND, reasoning: 'up' },
      'returns the reasoning "up": it must be a function that returns a text',
    ],
  ])('is stopped when it returns %s, with the place', (_what, opinion, sentence) => {
    const said = complaint(() => backtestOf(mine(() => opinion)));
    expect(said).toContain(`The strategy MINE (${PATH}) ${sentence}`);
    expect(said).toMatch(/at trades\.csv line 2, snapshot-0-1-0 of BTC-USDT@binance at 2025-03-\d\dT[\d:.]+Z\.$/);
  });

  it('is stopped when it throws, whatever it throws', () => {
    const throwing = (what: unknown) =>
      complaint(() =>
        backtestOf(
          mine(() => {
            throw what;
          }),
        ),
      );
    expect(throwing(new Error('no data'))).toContain(`MINE (${PATH}) throws: no data. It was at trades.csv line 2,`);
    expect(throwing('a text')).toContain('throws: a text.');
  });

  it('cannot change stored values', () => {
    const said = complaint(() =>
      backtestOf(
        defineStrategy({
          name: 'MINE',
          parameters,
          evaluate(snapshot) {
            (snapshot as { vwap: number }).vwap = 0;
            return neutral(0, {}, () => 'changed');
          },
        }),
      ),
    );
    expect(said).toContain('throws: Cannot assign to read only property');
  });
});
