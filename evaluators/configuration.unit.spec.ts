import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Decimal } from '../contracts/decimal.ts';
import { DECISIONS } from './calibration/rule-calibration.ts';
import {
  canonicalConfiguration,
  ConfigurationError,
  parseConfiguration,
  type EngineConfiguration,
} from './configuration.ts';
import { parseNewConfiguration } from './new-configuration.ts';
import { binSizeFrom, compileRules } from './rules.ts';
import { STRATEGIES } from './strategies/catalogue.ts';

const complaint = (raw: unknown) => {
  try {
    parseNewConfiguration(raw);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    return (error as Error).message;
  }
  return 'none';
};

describe('parseConfiguration', () => {
  it('fills in defaults, and does not change its own canonical text', () => {
    const configuration = parseConfiguration({ instruments: { 'BTC-USD@bitstamp': { binSize: '0.10' } } });
    expect(configuration).toMatchObject({
      anchorIntervalRecords: 50_000,
      cadenceMs: 1_000,
      hitRules: [{ kind: 'MOVE', horizonMs: 300_000, minMoveBps: 0, graceMs: 60_000 }],
      pooling: { sharpness: 1 },
      strategies: { RANGE_BREAKOUT: { enabled: true, weight: 1, parameters: { volumeFactor: 1.5 } } },
      instruments: { 'BTC-USD@bitstamp': { binSize: '0.1' } },
    });
    const canonical = canonicalConfiguration(configuration);
    expect(canonicalConfiguration(parseConfiguration(JSON.parse(canonical)))).toBe(canonical);
    expect(parseConfiguration(null)).toEqual(parseConfiguration({}));
  });

  it('reads the shipped file, which states every default as it is', () => {
    const shipped = parse(readFileSync(new URL('../config/engine.yaml', import.meta.url), 'utf8')) as object;
    const { instruments, ...rest } = parseConfiguration(shipped);
    expect(Object.keys(instruments)).toContain('BTC-USD@bitstamp');
    expect({ ...rest, instruments: {} }).toEqual(parseConfiguration({}));
    expect(Object.keys(shipped).sort()).toEqual(Object.keys(parseConfiguration({})).sort());
  });

  it.each([
    [{ cadenceMS: 1 }, 'an unknown key "cadenceMS" at the top level. Did you mean "cadenceMs"?'],
    [{ hitRule: { horizonSec: 1 } }, 'an unknown key "horizonSec" in hitRule. Did you mean "horizonMs"?'],
    [{ range: { zzz: 1 } }, 'an unknown key "zzz" in range. Known keys there are barMs, bars.'],
    [{ strategies: { VWAP_REVERSAL: {} } }, 'in strategies. Did you mean "VWAP_REVERSION"?'],
    [
      { strategies: { RANGE_BREAKOUT: { parameters: { volumefactor: 2 } } } },
      'in strategies.RANGE_BREAKOUT.parameters. Did you mean "volumeFactor"?',
    ],
    [{ instruments: { 'A@b': { binsize: '1' } } }, 'in instruments.A@b. Did you mean "binSize"?'],
    [
      { instruments: { 'BTC/USD@kraken': {} } },
      'key "instruments.BTC/USD@kraken" has "/" in its symbol: write BTC-USD@kraken, or BTC~2FUSD@kraken where',
    ],
    [{ instruments: { 'btc/usd': {} } }, 'key "instruments.btc/usd" names no venue: write BTC-USD@ and the venue'],
    [
      { instruments: { 'A@b': { binSize: 0.01 } } },
      'instruments.A@b.binSize is wrong: must be a decimal number in quotes',
    ],
    [{ instruments: { 'A@b': { binSize: '0' } } }, 'binSize is wrong: must be a decimal number above 0'],
    [{ cadenceMs: -1 }, 'cadenceMs is wrong'],
    [{ confidence: { mediumFrom: 0.9 } }, 'confidence is wrong: mediumFrom must not be above highFrom'],
    [{ hitRule: { minMoveBps: 0.12345678 } }, 'at most six digits'],
    [{ cadenceMs: 1.5 }, 'cadenceMs is wrong: it must be a whole number.'],
    [{ range: { bars: 0 } }, 'range.bars is wrong: it must be at least 1.'],
    [{ volumeProfile: { valueAreaShare: 0 } }, 'it must be above 0.'],
    [{ volumeProfile: { valueAreaRule: 'X' } }, 'it must be ONE_ROW or TWO_ROW.'],
    [{ hitRule: [] }, 'hitRule is wrong: it must be a mapping of keys to values.'],
    [
      JSON.parse('{"instruments":{"__proto__":{}}}'),
      'key "instruments.__proto__" names no venue: write __PROTO__@ and',
    ],
    [
      { strategies: { VWAP_REVERSION: { parameters: { entryDeviations: 5 } } } },
      'strategies.VWAP_REVERSION.parameters is wrong: entryDeviations must not be above maxDeviations.',
    ],
    [[], 'is not a mapping of keys to values'],
    ['text', 'is not a mapping of keys to values'],
  ])('refuses %j with a sentence', (raw, sentence) => {
    expect(complaint(raw)).toContain(sentence);
  });
});

describe('a configuration on the tape', () => {
  it('is read as before, even when a new one like it is refused', () => {
    const contradictory = { strategies: { VWAP_REVERSION: { parameters: { entryDeviations: 5 } } } };
    expect(parseConfiguration(contradictory)).toMatchObject(contradictory);
  });

  it('enables no strategy that it could not name', () => {
    const [parameters, weight] = [{}, 1];
    const then = { VWAP_REVERSION: { enabled: true, weight, parameters }, RANGE_BREAKOUT: { enabled: false, weight } };
    const enabled = ({ strategies }: EngineConfiguration) =>
      STRATEGIES.filter(({ name }) => strategies[name]?.enabled === true).map(({ name }) => name);
    const joinedLater = STRATEGIES.filter(({ isEnabledUnlessNamed }) => !isEnabledUnlessNamed).map(({ name }) => name);
    expect(joinedLater.length).toBeGreaterThan(0);
    for (const parse of [parseConfiguration, parseNewConfiguration]) {
      expect(enabled(parse({ strategies: then }))).toContain('VWAP_REVERSION');
      expect(enabled(parse({ strategies: then })).filter((name) => joinedLater.includes(name))).toEqual([]);
      expect(enabled(parse({})).filter((name) => joinedLater.includes(name))).toEqual([]);
      for (const name of joinedLater) expect(enabled(parse({ strategies: { [name]: {} } }))).toContain(name);
    }
  });

  it('of one that joined without a new engine version are absent unless they are named, so that hashes stay', () => {
    const unlisted = STRATEGIES.filter(({ isListedUnlessNamed }) => !isListedUnlessNamed).map(({ name }) => name);
    expect(unlisted).toEqual(['NEWS_SENTIMENT', 'SECTOR_ROTATION']);
    for (const parse of [parseConfiguration, parseNewConfiguration]) {
      for (const name of unlisted) {
        expect(canonicalConfiguration(parse({}))).not.toContain(name);
        expect(parse({ strategies: { [name]: {} } }).strategies[name]).toMatchObject({ enabled: true, weight: 1 });
      }
    }
  });
});

describe('compileRules', () => {
  it('keeps the calibration of decisions when only a disabled strategy changed', () => {
    const keyOf = (strategies: object) =>
      compileRules(parseConfiguration({ strategies })).calibration.seriesKeys.get(DECISIONS);
    const [off, on] = [{ enabled: false }, { enabled: true }];
    const [name = ''] = STRATEGIES.filter(({ isEnabledUnlessNamed }) => !isEnabledUnlessNamed).map((one) => one.name);
    expect(keyOf({ [name]: { ...off, weight: 2 } })).toBe(keyOf({}));
    expect(keyOf({ [name]: { ...on, weight: 2 } })).not.toBe(keyOf({}));
    expect(keyOf({ [name]: { ...on, weight: 2 } })).not.toBe(keyOf({ [name]: on }));
  });
});

describe('binSizeFrom', () => {
  it.each([
    ['61837.63', '1'],
    ['800.01', '0.01'],
    ['2059.1', '0.1'],
    ['1000', '0.1'],
    ['999.999999999999', '0.01'],
    ['0.5', '0.00001'],
    ['0.000000000001', '0.000000000001'],
    ['999999999999999', '10000000000'],
    ['-37.63', '0.001'],
    ['-0.1', '0.00001'],
    ['0', '0.0001'],
  ])('takes the power of ten of %s by 10,000', (first, bin) => {
    expect(binSizeFrom(Decimal.of(first)).toString()).toBe(bin);
  });
});
