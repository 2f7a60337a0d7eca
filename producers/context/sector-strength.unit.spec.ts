import { describe, expect, it } from 'vitest';
import { Decimal } from '../../contracts/decimal.ts';
import { refusalOfSignal } from '../../contracts/context-rules.ts';
import { parseContextConfiguration, type ContextConfiguration } from './context-configuration.ts';
import { SectorStrengths, signalsOfStrengths } from './sector-strength.ts';

/** A multiple of the interval. */
const START_US = 1_742_983_200_000_000;
const MINUTE_US = 60_000_000;

function configured(sectorOf: Readonly<Record<string, string>>): ContextConfiguration {
  const parsed = parseContextConfiguration({
    instruments: Object.fromEntries(Object.entries(sectorOf).map(([name, sector]) => [`${name}@x`, { sector }])),
    sectors: { windowMs: 600_000, everyMs: 60_000, validForMs: 120_000 },
  });
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

const configuration = configured({ A1: 'a', A2: 'a', B1: 'b', C1: 'c' });

function strengthsOf(
  prices: readonly (readonly [name: string, minute: number, price: string])[],
  on = configuration,
): SectorStrengths {
  const strengths = new SectorStrengths(on);
  const ordered = prices.toSorted(([, left], [, right]) => left - right);
  for (const [index, [name, minute, price]] of ordered.entries()) {
    const eventTime = START_US + minute * MINUTE_US;
    const eventId = `snapshot-0-${index}-0`;
    strengths.add({ eventId, instrument: `${name}@x`, eventTime, lastPrice: Decimal.of(price) });
  }
  return strengths;
}

const COURSE = [
  ['A1', 0, '100'],
  ['A1', 9, '110'],
  ['A2', 0, '100'],
  ['A2', 9, '130'],
  ['B1', 0, '100'],
  ['B1', 9, '90'],
  ['C1', 0, '100'],
  ['C1', 9, '100'],
  ['C1', 10, '500'],
] as const;

describe('the strength of sectors', () => {
  it('is the rank of their mean returns before the time that is due', () => {
    const found = strengthsOf(COURSE).strengths();
    if (typeof found === 'string') throw new Error(found);
    expect(found.timeUs).toBe(START_US + 10 * MINUTE_US);
    expect(found.sectors.map(({ sector, value, confidence }) => [sector, value, confidence])).toEqual([
      ['a', 1, 0.9],
      ['b', -1, 0.9],
      ['c', 0, 0.9],
    ]);
    expect(found.sectors[0]?.meanReturn).toBeCloseTo(0.2, 12);
    // The snapshot at the time itself is not among them.
    expect(found.causes).toHaveLength(8);
    expect(found.causes).not.toContain('snapshot-0-8-0');
  });

  it('leaves out what is before the window', () => {
    const found = strengthsOf([...COURSE, ['A1', 12, '110'], ['B1', 12, '90'], ['B1', 20, '1']]).strengths();
    // From minute 10 on, one snapshot each: no course.
    expect(found).toContain('fewer than two sectors');
  });

  it.each([
    ['nothing', []],
    ['one sector', COURSE.filter(([name]) => name.startsWith('A'))],
    ['one snapshot each', [...COURSE.filter(([, minute]) => minute === 0), ['A1', 10, '1'] as const]],
    [
      'a price of 0 at first',
      COURSE.map(([name, minute, price]) => [name, minute, minute === 0 ? '0' : price] as const),
    ],
  ])('is not computed from %s', (_name, prices) => {
    expect(strengthsOf(prices).strengths()).toContain('fewer than two sectors');
  });

  it('is the same for equal returns', () => {
    const equal = COURSE.map(([name, minute]) => [name, minute, '100'] as const);
    const found = strengthsOf(equal).strengths();
    if (typeof found === 'string') throw new Error(found);
    expect(found.sectors.map(({ value }) => value)).toEqual([0, 0, 0]);
  });

  it('is the same with every snapshot of an interval as with the first and the last', () => {
    const many = COURSE.flatMap(([name, minute, price]) =>
      minute === 9
        ? [0.1, 0.2, 0.3].map((later) => [name, minute + later, String(Number(price) + later)] as const)
        : [],
    );
    const few = many.filter((_, index) => index % 3 !== 1);
    const returnsOf = (prices: typeof many) => {
      const found = strengthsOf([...COURSE, ...prices]).strengths();
      return typeof found === 'string' ? found : found.sectors.map(({ meanReturn }) => meanReturn);
    };
    expect(returnsOf(many)).toEqual(returnsOf(few));
  });

  it('takes no snapshot of an instrument without a sector, and none that is late', () => {
    const strengths = strengthsOf(COURSE);
    const before = strengths.strengths();
    const lastPrice = Decimal.of('1');
    strengths.add({ eventId: 'snapshot-0-90-0', instrument: 'Z@x', eventTime: START_US + 50 * MINUTE_US, lastPrice });
    strengths.add({ eventId: 'snapshot-0-91-0', instrument: 'A1@x', eventTime: START_US, lastPrice });
    expect(strengths.strengths()).toEqual(before);
  });
});

describe('signals of strengths', () => {
  const found = strengthsOf(COURSE).strengths();
  if (typeof found === 'string') throw new Error(found);
  const receivedAt = found.timeUs + MINUTE_US;
  const signals = signalsOfStrengths(found, configuration, receivedAt);

  it('are one for each instrument, well-formed, and name their snapshots', () => {
    expect(signals.map(({ instrument, value }) => [instrument, value])).toEqual([
      ['A1@x', 1],
      ['A2@x', 1],
      ['B1@x', -1],
      ['C1@x', 0],
    ]);
    for (const signal of signals) {
      expect(refusalOfSignal(signal)).toBeUndefined();
      expect(signal.causes).toEqual(found.causes);
    }
  });

  it('have an identity for their time and configuration, whenever they are computed', () => {
    const idsOf = (on: ContextConfiguration) =>
      signalsOfStrengths(found, on, receivedAt + 1).map(({ signalId }) => signalId);
    expect(idsOf(configuration)).toEqual(signals.map(({ signalId }) => signalId));
    expect(idsOf({ ...configuration, sectors: { ...configuration.sectors, windowMs: 1_200_000 } })[0]).not.toBe(
      signals[0]?.signalId,
    );
  });

  it('are well-formed with as many instruments as may have a sector', () => {
    const names = Array.from({ length: 64 }, (_, index) => [`I${index}`, `s${index % 3}`] as const);
    const on = configured(Object.fromEntries(names));
    const many = strengthsOf(
      names.flatMap(([name], index) => [
        [name, 0, '100'] as const,
        [name, 9, String(100 + index)] as const,
        [name, 10, '1'] as const,
      ]),
      on,
    ).strengths();
    if (typeof many === 'string') throw new Error(many);
    expect(signalsOfStrengths(many, on, receivedAt).map(refusalOfSignal)).toEqual(names.map(() => undefined));
  });
});
