import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from './codec.ts';
import { TradeIdentities, type IdentitiesBounds } from './trade-identities.ts';

/** Small, so that a few hundred trades fill many blocks and pages. */
const SMALL: IdentitiesBounds = { identitiesMax: 100_000, blockBytes: 48, pageBytes: 256 };
const START_US = 1_742_943_600_000_000;

type Trade = readonly [tradeId: string, eventTimeUs: number];

const number = fc.oneof(
  fc.nat({ max: 300 }),
  fc.nat({ max: 300 }).map((n) => 10 ** 15 - 150 + n),
);
const tradeId = fc.oneof(
  number.map(String),
  number.map((n) => `c0011223344556677-${n}`),
  number.map((n) => String(n).padStart(5, '0')),
  fc.uuid(),
  fc.constantFrom('a', '-', '0', '00', 'x'.repeat(64)),
);
const eventTimeUs = fc.oneof(
  fc.nat({ max: 20 }).map((n) => START_US + n),
  fc.nat({ max: 4_000_000_000 }).map((n) => START_US + n),
  fc.constantFrom(0, 1, 4_102_444_800_000_000),
);
const trade: fc.Arbitrary<Trade> = fc.tuple(tradeId, eventTimeUs);
/** In order of time, in any order, and with repeats. */
const trades = fc
  .tuple(fc.array(trade, { maxLength: 400, size: 'max' }), fc.boolean(), fc.array(fc.nat(), { maxLength: 60 }))
  .map(([all, inOrder, repeats]) => {
    const sequence = inOrder ? all.toSorted(([, left], [, right]) => left - right) : [...all];
    for (const repeat of repeats) {
      const repeated = all[repeat % Math.max(1, all.length)];
      if (repeated !== undefined) sequence.splice((repeat * 31) % (sequence.length + 1), 0, repeated);
    }
    return sequence;
  });

const keyOf = ([id, timeUs]: Trade) => `${timeUs} ${id}`;
const restored = (identities: TradeIdentities, bounds: Partial<IdentitiesBounds> = SMALL) =>
  TradeIdentities.fromState(identities.toState(), bounds);
const written = (identities: TradeIdentities) => {
  const { forgottenBeforeUs, pages } = identities.toState();
  return { forgottenBeforeUs, pages: pages.map(({ hash, bytes }) => [hash, bytes.toString('hex')]) };
};

describe('TradeIdentities', () => {
  it('agrees with a set, whatever the ids, their order, and the states on the way', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.constant('add' as const) },
      { weight: 1, arbitrary: fc.constantFrom('has', 'restore', 'forget') },
    );
    fc.assert(
      fc.property(trades, fc.array(step, { minLength: 1, maxLength: 200 }), (sequence, steps) => {
        let identities = new TradeIdentities(SMALL);
        const model = new Map<string, number>();
        let forgottenBeforeUs = 0;
        sequence.forEach((each, index) => {
          const [id, timeUs] = each;
          const kind = steps[index % steps.length];
          if (kind === 'restore') identities = restored(identities);
          if (kind === 'has') expect(identities.has(id, timeUs)).toBe(model.has(keyOf(each)));
          if (kind === 'forget' && index % 5 === 0) {
            identities.forgetBefore(timeUs);
            forgottenBeforeUs = Math.max(forgottenBeforeUs, timeUs);
            for (const [key, heldUs] of model) if (heldUs < timeUs) model.delete(key);
          }
          const isJudged = timeUs >= forgottenBeforeUs;
          expect(identities.canJudge(timeUs)).toBe(isJudged);
          expect(identities.add(id, timeUs)).toBe(isJudged && !model.has(keyOf(each)));
          if (isJudged) model.set(keyOf(each), timeUs);
          expect(identities.size).toBe(model.size);
        });
        for (const each of sequence) expect(identities.has(...each)).toBe(model.has(keyOf(each)));
        expect(identities.forgottenBeforeUs).toBe(forgottenBeforeUs);
      }),
      { numRuns: 300 },
    );
  });

  it('has the same pages for the same additions, with states on the way or without', () => {
    fc.assert(
      fc.property(trades, fc.array(fc.nat({ max: 9 }), { minLength: 1 }), (sequence, cuts) => {
        const whole = new TradeIdentities({ ...SMALL, identitiesMax: 200 });
        let parted = new TradeIdentities({ ...SMALL, identitiesMax: 200 });
        sequence.forEach(([id, timeUs], index) => {
          const cut = cuts[index % cuts.length];
          if (cut === 0) parted = restored(parted, { ...SMALL, identitiesMax: 200 });
          if (cut === 1) parted.toState();
          if (cut === 2) parted.has(id, timeUs + 1);
          if (index % 97 === 96) for (const each of [whole, parted]) each.forgetBefore(timeUs);
          expect(parted.add(id, timeUs)).toBe(whole.add(id, timeUs));
        });
        expect(written(parted)).toEqual(written(whole));
      }),
      { numRuns: 300 },
    );
  });

  it('hands out pages that later additions do not change, and the same ones where nothing was added', () => {
    fc.assert(
      fc.property(trades, fc.nat(), (sequence, cut) => {
        const identities = new TradeIdentities(SMALL);
        const add = (some: readonly Trade[]) => {
          for (const each of some) identities.add(...each);
        };
        add(sequence.slice(0, cut % (sequence.length + 1)));
        const before = identities.toState();
        identities.toState().pages.forEach((page, index) => {
          expect(page).toBe(before.pages[index]);
        });
        add(sequence);
        for (const { hash, bytes } of before.pages) expect(sha256Hex(bytes)).toBe(hash);
      }),
    );
  });

  it('changes the last page only where trades come in order', () => {
    const identities = new TradeIdentities();
    for (let index = 0; index < 60_000; index += 1) identities.add(String(index), START_US + index * 100);
    const before = identities.toState().pages;
    for (let index = 60_000; index < 90_000; index += 1) identities.add(String(index), START_US + index * 100);
    const after = identities.toState().pages;
    expect(before.length).toBeGreaterThan(2);
    expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
    expect(after[before.length - 1]).not.toEqual(before.at(-1));
    for (const { bytes } of after) expect(bytes.length).toBeLessThan(2 * 32_768);
  });

  it('distinguishes ids that look alike, and trades of one id at several times', () => {
    const identities = new TradeIdentities();
    // The first two are equal as doubles.
    const ids = ['9007199254740993', '9007199254740992', '1', '01', '001', '1 ', '+1', '1.0', '', '999999999999999'];
    for (const timeUs of [START_US + 1, START_US, START_US + 2]) {
      for (const id of ids) expect(identities.add(id, timeUs)).toBe(true);
    }
    for (const timeUs of [START_US + 1, START_US, START_US + 2]) {
      for (const id of ids) expect(identities.add(id, timeUs)).toBe(false);
    }
    expect(identities.size).toBe(3 * ids.length);
  });

  it('holds many trades of one stamp', () => {
    const identities = new TradeIdentities();
    const idOf = (index: number) => (index % 2 === 0 ? String((index * 7_919) % 100_003) : `id-${index}`);
    for (let index = 0; index < 40_000; index += 1) expect(identities.add(idOf(index), START_US)).toBe(true);
    identities.add('later', START_US + 1);
    for (let index = 0; index < 40_000; index += 1) expect(identities.add(idOf(index), START_US)).toBe(false);
    expect(identities.size).toBe(40_001);
  });

  it('forgets the oldest beyond its bound, and says so', () => {
    const identities = new TradeIdentities({ ...SMALL, identitiesMax: 1_000 });
    for (let index = 0; index < 5_000; index += 1) {
      expect(identities.add(`id-${index}`, START_US + index)).toBe(true);
      expect(identities.size).toBeLessThanOrEqual(1_000);
    }
    const { forgottenBeforeUs } = identities;
    expect(identities.size).toBe(START_US + 5_000 - forgottenBeforeUs);
    expect(identities.size).toBeGreaterThan(950);
    expect(identities.canJudge(forgottenBeforeUs - 1)).toBe(false);
    expect(identities.add('new', forgottenBeforeUs - 1)).toBe(false);
    expect(identities.canJudge(forgottenBeforeUs)).toBe(true);
    expect(identities.add('new', forgottenBeforeUs)).toBe(true);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 52 + 2])('refuses a time that is not whole microseconds: %d', (timeUs) => {
    const identities = new TradeIdentities();
    expect(() => identities.add('1', timeUs)).toThrow(RangeError);
    expect(() => identities.has('1', timeUs)).toThrow(RangeError);
  });
});
