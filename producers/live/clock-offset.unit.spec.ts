import { expect, it } from 'vitest';
import { ClockOffset } from './clock-offset.ts';
import { refusedWith, tradeWith } from './fixtures/trade.ts';

const SECOND_US = 1_000_000;
const MINUTE_US = 60 * SECOND_US;

it('is the least delay of one to two minutes, and unknown without a trade', () => {
  const offset = new ClockOffset();
  expect(offset.leastUs).toBeUndefined();
  offset.measured(1_000, 1_900);
  offset.measured(2_000, 2_300);
  offset.measured(3_000, 3_800);
  expect(offset.leastUs).toBe(300);
  offset.measured(MINUTE_US, MINUTE_US + 5_000);
  expect(offset.leastUs).toBe(300);
  offset.measured(2 * MINUTE_US + SECOND_US, 2 * MINUTE_US + SECOND_US + 4_000);
  expect(offset.leastUs).toBe(4_000);
});

it('is measured by the trades of a page, whose older ones change nothing', () => {
  const offset = new ClockOffset();
  const [older, newer] = [tradeWith(1), tradeWith(2_000)];
  const receivedAt = newer.eventTime + 700;
  offset.measuredByPage([{ ...older, receivedAt }, refusedWith(3), { ...newer, receivedAt }]);
  expect(offset.leastUs).toBe(700);
});
