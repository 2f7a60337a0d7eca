import { describe, expect, it } from 'vitest';
import { Decimal } from '../contracts/decimal.ts';
import type { Outcome } from '../contracts/generated/events.ts';
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

/** What settled a forecast made at the first record of a tape, whose outcome lies at the last one. */
async function settled(tape: readonly Written[], changed: Partial<Outcome> = {}) {
  const outcome = {
    ...{ instrument: INSTRUMENT, engineVersion: '3', verdict: 'VOID', dueTime: START_US + DUE_SECONDS * SECOND_US },
    ...{ tape: { partition: 0, offset: tape.length - 1 }, causes: ['decision-0-0-0', `trade-0-${tape.length - 1}-0`] },
    ...changed,
  } as Outcome;
  const since = { offset: 0, eventTime: START_US };
  const settlement = await settlementOf(marketLog(tape), outcome, since, admissionOf(configuration, outcome));
  return {
    resolving: settlement.resolvingTrade?.offset,
    watermark: settlement.voidingWatermark?.offset,
    due: settlement.firstTradeDue?.offset,
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
    });
  });

  it('takes trades beyond the bound of the clock for none, until enough of them confirm that time went on', async () => {
    const night = 10 * HOUR;
    const tape = [forecast, traded(night, 'a'), traded(night + 1, 'b'), traded(night + 2, 'c')];
    expect(await settled(tape.slice(0, 3))).toMatchObject({ due: undefined });
    // The first that waited is the first on time.
    expect(await settled(tape)).toMatchObject({ due: 1 });
    expect(await settled(tape.slice(0, 2), { engineVersion: '2' })).toMatchObject({ due: 1 });
  });

  it('lets no stamp far ahead confirm itself, and no other trade be late by it', async () => {
    const far = traded(1_000 * HOUR, 'far');
    expect(await settled([forecast, far, far, far, traded(400, 'a')])).toMatchObject({ due: 4 });
    const another = traded(1_001 * HOUR, 'another');
    expect(await settled([forecast, far, far, another, traded(400, 'a')])).toMatchObject({ due: 4 });
  });

  it('takes a watermark of the instrument for a proof that time went on, and one of another for none', async () => {
    const after = (watermark: Written) => [forecast, watermark, traded(10 * HOUR, 'a'), traded(10 * HOUR + 1, 'b')];
    expect(await settled(after(watermarkedAt(10 * HOUR - 1)))).toMatchObject({ due: 2 });
    expect(await settled(after(watermarkedAt(10 * HOUR - 1, ['ETH-USDT@binance'])))).toMatchObject({ due: undefined });
  });

  it('takes no repeat, and nothing that was taken back before it came, for a trade that was due', async () => {
    const cancelled = said('TradeCancelled', tradeAt(310, 'a'));
    expect(await settled([forecast, cancelled, traded(310, 'a'), traded(320, 'b')])).toMatchObject({ due: 3 });
  });

  it('goes on from a stamp that was vouched for', async () => {
    const night = tradeAt(10 * HOUR, 'a');
    const tape = [forecast, traded(10 * HOUR, 'a'), said('TradeReleased', night), traded(10 * HOUR + 1, 'b')];
    expect(await settled(tape)).toMatchObject({ due: 3 });
  });
});
