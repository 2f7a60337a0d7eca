import { describe, expect, it } from 'vitest';
import { Decimal } from '../contracts/decimal.ts';
import type { HitRule, Outcome } from '../contracts/generated/events.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { admissionOf } from './admission.ts';
import {
  INSTRUMENT,
  marketLog,
  said,
  SECOND_US,
  START_US,
  watermarkedAt,
  tradeAt,
  traded,
  type Written,
} from './fixtures/market-log.ts';
import { settlementOf } from './settlement.ts';

const HOUR = 3_600;
const DUE_SECONDS = 300;
const configuration = parseConfiguration({});

/** The settlement of a forecast made at the first record of a tape, with its outcome at the last one. */
async function settled(
  tape: readonly Written[],
  changed: Partial<Outcome> = {},
  { kind = 'MOVE', known = [] }: { readonly kind?: HitRule['kind']; readonly known?: readonly string[] } = {},
) {
  const outcome = {
    ...{ instrument: INSTRUMENT, engineVersion: '3', verdict: 'VOID', dueTime: START_US + DUE_SECONDS * SECOND_US },
    ...{ referencePrice: Decimal.of('100') },
    ...{ tape: { partition: 0, offset: tape.length - 1 }, causes: ['decision-0-0-0', `trade-0-${tape.length - 1}-0`] },
    ...changed,
  } as Outcome;
  const hitRule = {
    ...{ horizonMs: DUE_SECONDS * 1_000, minMoveBps: 100, referencePrice: outcome.referencePrice },
    kind,
  };
  const registered = {
    ...{ offset: 0, eventTime: START_US, hitRule: { ...hitRule, minMovePoints: null, graceMs: null } },
    isKnown: (tradeId: string) => known.includes(tradeId),
  };
  const settlement = await settlementOf(marketLog(tape), outcome, registered, admissionOf(configuration, outcome));
  return {
    resolving: settlement.resolvingTrade?.offset,
    watermark: settlement.voidingWatermark?.offset,
    due: settlement.firstTradeDue?.offset,
    touch: settlement.firstTouch?.offset,
  };
}

const forecast = traded(0, 'forecast');
const suspicious = { suspicious: true };
const refused = { price: Decimal.of('-1') };

describe('settlementOf', () => {
  it.each([
    ['suspicious', suspicious],
    ['refused for its price', refused],
    ['of another instrument', { instrument: 'ETH-USDT@binance' }],
  ])('takes a trade that is %s for none that resolves', async (_what, changed) => {
    expect(await settled([forecast, traded(300, 'a')], { verdict: 'HIT' })).toMatchObject({ resolving: 1 });
    expect(await settled([forecast, traded(300, 'a', changed)], { verdict: 'HIT' })).toMatchObject({
      resolving: undefined,
    });
  });

  it.each([
    ['suspicious', suspicious],
    ['refused for its price', refused],
  ])('takes a trade that is %s for none that was due', async (_what, changed) => {
    const tape = [forecast, traded(310, 'a', changed), traded(320, 'b')];
    expect(await settled(tape)).toMatchObject({ due: 2 });
  });

  it('finds the watermark', async () => {
    expect(await settled([forecast, watermarkedAt(999)])).toEqual({
      resolving: undefined,
      watermark: 1,
      due: undefined,
      touch: undefined,
    });
  });

  it('ignores trades beyond the bound of the clock until enough of them confirm that time has advanced', async () => {
    const night = 10 * HOUR;
    const tape = [forecast, traded(night, 'a'), traded(night + 1, 'b'), traded(night + 2, 'c')];
    expect(await settled(tape.slice(0, 3))).toMatchObject({ due: undefined });
    // The first that waited is the first on time.
    expect(await settled(tape)).toMatchObject({ due: 1 });
    expect(await settled(tape.slice(0, 2), { engineVersion: '2' })).toMatchObject({ due: 1 });
  });

  it('does not let a time stamp far ahead confirm itself, or make another trade late', async () => {
    const far = traded(1_000 * HOUR, 'far');
    expect(await settled([forecast, far, far, far, traded(400, 'a')])).toMatchObject({ due: 4 });
    const another = traded(1_001 * HOUR, 'another');
    expect(await settled([forecast, far, far, another, traded(400, 'a')])).toMatchObject({ due: 4 });
  });

  it("accepts a watermark of the instrument as proof that time has advanced, but not another instrument's", async () => {
    const after = (watermark: Written) => [forecast, watermark, traded(10 * HOUR, 'a'), traded(10 * HOUR + 1, 'b')];
    expect(await settled(after(watermarkedAt(10 * HOUR - 1)))).toMatchObject({ due: 2 });
    expect(await settled(after(watermarkedAt(10 * HOUR - 1, ['ETH-USDT@binance'])))).toMatchObject({ due: undefined });
  });

  it('does not accept as due a repetition, or a trade that was taken back before it came', async () => {
    const cancelled = said('TradeCancelled', tradeAt(310, 'a'));
    expect(await settled([forecast, cancelled, traded(310, 'a'), traded(320, 'b')])).toMatchObject({ due: 3 });
  });

  describe('when barriers decide', () => {
    const touching = (seconds: number, tradeId: string, price = '101') =>
      traded(seconds, tradeId, { price: Decimal.of(price) });
    const touched = (tape: readonly Written[], known: readonly string[] = []) =>
      settled(tape, { verdict: 'HIT' }, { kind: 'FIRST_TOUCH', known });

    it('finds the first trade that touches one, and none when the price at the horizon decides', async () => {
      const tape = [forecast, touching(10, 'near', '100.99'), touching(20, 'down', '99'), touching(30, 'up')];
      expect(await touched(tape)).toMatchObject({ touch: 2 });
      expect(await settled(tape, { verdict: 'HIT' })).toMatchObject({ touch: undefined });
    });

    it('ignores a late trade, a repetition, a suspicious one, and any after the due time', async () => {
      const late = [forecast, traded(20, 'a'), touching(10, 'late'), touching(30, 'up')];
      expect(await touched(late)).toMatchObject({ touch: 3 });
      const known = [forecast, touching(0, 'known'), touching(30, 'up')];
      expect(await touched(known, ['known'])).toMatchObject({ touch: 2 });
      const suspect = [forecast, traded(10, 'a', { ...suspicious, price: Decimal.of('101') }), traded(300, 'b')];
      expect(await touched(suspect)).toMatchObject({ touch: undefined, due: 2 });
      expect(await touched([forecast, traded(300, 'a'), touching(300, 'b')])).toMatchObject({
        touch: undefined,
        due: 1,
      });
      expect(await touched([forecast, touching(300, 'b')])).toMatchObject({ touch: 1, due: 1 });
      expect(await touched([forecast, touching(301, 'b')])).toMatchObject({ touch: undefined, due: 1 });
    });
  });

  it('continues from a time stamp that was vouched for', async () => {
    const night = tradeAt(10 * HOUR, 'a');
    const tape = [forecast, traded(10 * HOUR, 'a'), said('TradeReleased', night), traded(10 * HOUR + 1, 'b')];
    expect(await settled(tape)).toMatchObject({ due: 3 });
  });
});
