import { describe, expect, it } from 'vitest';
import { Decimal } from '../contracts/decimal.ts';
import type { IndicatorSnapshot, StrategyResult, TakerSide, Trade } from '../contracts/generated/events.ts';
import { contentOf, goOn, startDerivation } from './derive.ts';
import { amended, eventsOf, ofType } from './fixtures/tape-contents.ts';
import { onlyStrategies } from './fixtures/only-strategies.ts';
import { parseNewConfiguration } from './new-configuration.ts';

const BAR_US = 60_000_000;
const START_US = 1_735_689_600_000_000;

/** Trades of a market in bars of a minute; a range is of two. */
function market(side: (index: number) => TakerSide) {
  const configuration = { range: { bars: 2 }, strategies: onlyStrategies({ ORDER_FLOW_IMBALANCE: {} }) };
  const task = startDerivation(parseNewConfiguration(configuration));
  const trades = Array.from({ length: 12 }, (_, index): Trade => {
    return {
      ...{ venue: 'binance', instrument: 'BTC-USDT@binance', tradeId: `t${index}`, side: side(index) },
      ...{ eventTime: START_US + (index * BAR_US) / 4, price: Decimal.of(String(100 + (index % 4))) },
      ...{ size: Decimal.of('0.1'), receivedAt: 0, source: 'test', suspicious: false, conditions: [] },
    };
  });
  const told = (...steps: readonly Parameters<typeof goOn>[1][]) => {
    const events = eventsOf(steps.map((content) => goOn(task, content)));
    return {
      snapshot: ofType<IndicatorSnapshot>(events, 'IndicatorSnapshot').at(-1),
      result: ofType<StrategyResult>(events, 'StrategyResult').at(-1),
    };
  };
  return { trades, told, first: told(...trades.map(contentOf)) };
}

const after = (trade: Trade, seconds: number): Trade => {
  return { ...trade, tradeId: `later${seconds}`, eventTime: trade.eventTime + seconds * 1_000_000 };
};

describe("takers' volumes of a snapshot", () => {
  it('are those of the completed bars and the current one, and lead to a forecast', () => {
    const { first } = market((index) => (index % 4 === 3 ? 'SELL' : 'BUY'));
    expect(first.snapshot).toMatchObject({ takerBuyVolume: 0.9, takerSellVolume: 0.3, takerUnknownVolume: 0 });
    expect(first.snapshot?.rangeFirstPrice).toEqual(Decimal.of('100'));
    expect(first.result).toMatchObject({ strategy: 'ORDER_FLOW_IMBALANCE', direction: 'LONG' });
  });

  it('include a late trade of the current bar by its side, and none of a completed bar', () => {
    const { trades, told } = market(() => 'SELL');
    const [completed, current] = [trades[1]!, trades[9]!];
    const late = (trade: Trade, tradeId: string) =>
      contentOf({ ...trade, tradeId, side: 'BUY', size: Decimal.of('7') });
    const { snapshot } = told(late(completed, 'a'), late(current, 'b'), contentOf(after(trades[11]!, 2)));
    expect(snapshot).toMatchObject({ takerBuyVolume: 7, takerSellVolume: 1.3, takerUnknownVolume: 0 });
  });

  it.each(['TradeCancelled', 'TradeCorrected'] as const)(
    'have unknown sides for the bar of a trade after its %s',
    (name) => {
      const { trades, told } = market(() => 'BUY');
      // A price within its bar: the range continues.
      const { venue, instrument, tradeId, eventTime, price, size } = trades[5]!;
      const about = {
        venue,
        instrument,
        tradeId,
        eventTime,
        price,
        size,
        reason: 'test',
        actor: 'test',
        receivedAt: 0,
      };
      const corrected = { correctedPrice: price, correctedSize: Decimal.of('0.2') };
      const content =
        name === 'TradeCancelled'
          ? amended(name, { ...about, source: 'test' })
          : amended(name, { ...about, ...corrected, source: 'test' });
      const { snapshot, result } = told(content, contentOf(after(trades[11]!, 2)));
      const unknown = name === 'TradeCancelled' ? 0.3 : 0.5;
      expect(snapshot).toMatchObject({ takerBuyVolume: 0.9, takerSellVolume: 0, takerUnknownVolume: unknown });
      expect(result).toMatchObject({ direction: 'NEUTRAL' });
      expect(result?.indicators).toHaveProperty('takerUnknownVolume', unknown);
    },
  );

  it('have no known side when the source names none', () => {
    const { first } = market(() => 'UNKNOWN');
    expect(first.snapshot).toMatchObject({ takerBuyVolume: 0, takerSellVolume: 0, takerUnknownVolume: 1.2 });
    expect(first.result).toMatchObject({
      direction: 'NEUTRAL',
      probability: 0.5,
      indicators: { takerBuyVolume: 0, takerSellVolume: 0, takerUnknownVolume: 1.2 },
    });
  });
});
