import { describe, expect, it } from 'vitest';
import { Decimal } from '../contracts/decimal.ts';
import type { Trade } from '../contracts/generated/events.ts';
import { MarketClock, WAITING_TRADES_MAX, type Standing } from './market-clock.ts';

const HOUR_US = 3_600_000_000;
const START_US = 1_735_689_600_000_000;
const RULES = { maxStepUs: HOUR_US, confirmingTrades: 3 };

let nextId = 0;
const unproven = (eventTime: number) => ({
  trade: {
    ...{ venue: 'x', instrument: 'A@x', tradeId: String((nextId += 1)), eventTime },
    ...{ price: Decimal.of('1'), size: Decimal.of('1'), side: 'BUY', receivedAt: 0, source: 'test' },
    ...{ suspicious: false, conditions: [] },
  } satisfies Trade,
  offset: nextId,
  isAhead: true,
});

/** Admits times like the engine. */
function taken(clock: MarketClock, times: readonly number[]) {
  const standings: Standing[] = [];
  const disproved: number[] = [];
  const proven: number[] = [];
  for (const time of times) {
    const standing = clock.judge(time);
    standings.push(standing);
    if (standing === 'AHEAD') clock.wait(unproven(time));
    if (standing === 'LATE' || standing === 'AHEAD') continue;
    if (standing === 'CONTESTED') disproved.push(...clock.fallBackTo(time).map(({ trade }) => trade.eventTime));
    const ended = clock.endWaiting(standing === 'CONFIRMED' ? time : undefined);
    proven.push(...ended.proven.map(({ trade }) => trade.eventTime));
    disproved.push(...ended.disproved.map(({ trade }) => trade.eventTime));
    clock.moveTo(time);
    clock.settleBy(unproven(time));
  }
  return { standings, disproved, proven };
}

const settled = () => {
  const clock = new MarketClock(RULES);
  taken(clock, [START_US, START_US + 1, START_US + 2]);
  return clock;
};

describe('MarketClock', () => {
  it('follows the trades, and calls earlier ones late', () => {
    const clock = new MarketClock(RULES);
    const { standings } = taken(clock, [START_US, START_US, START_US + HOUR_US, START_US + 5]);
    expect(standings).toEqual(['ON_TIME', 'ON_TIME', 'ON_TIME', 'LATE']);
    expect(clock.timeUs).toBe(START_US + HOUR_US);
  });

  it('is not moved by time stamps far ahead that no other trade confirms', () => {
    const clock = settled();
    const far = START_US + 4_000 * HOUR_US;
    const { standings, disproved } = taken(clock, [far, far + 1, START_US + 10]);
    expect(standings).toEqual(['AHEAD', 'AHEAD', 'ON_TIME']);
    expect(disproved).toEqual([far, far + 1]);
    expect(clock.timeUs).toBe(START_US + 10);
  });

  it('steps over a night when enough trades confirm that it is over', () => {
    const clock = settled();
    const morning = START_US + 17 * HOUR_US;
    const { standings, proven, disproved } = taken(clock, [morning, morning + 1, morning + 2, morning + 3]);
    expect(standings).toEqual(['AHEAD', 'AHEAD', 'CONFIRMED', 'ON_TIME']);
    expect([proven, disproved]).toEqual([[morning, morning + 1], []]);
  });

  it('does not include a wrong time stamp when it steps', () => {
    const clock = settled();
    const [far, morning] = [START_US + 4_000 * HOUR_US, START_US + 17 * HOUR_US];
    const { standings, proven, disproved } = taken(clock, [far, morning, morning + 1, morning + 2]);
    expect(standings).toEqual(['AHEAD', 'AHEAD', 'AHEAD', 'CONFIRMED']);
    expect([proven, disproved]).toEqual([[morning, morning + 1], [far]]);
    expect(clock.timeUs).toBe(morning + 2);
  });

  it('is contested while it rests on fewer trades than confirm a step', () => {
    const clock = new MarketClock(RULES);
    const far = START_US + 4_000 * HOUR_US;
    const { standings, disproved } = taken(clock, [far, START_US, START_US + 1, START_US - 2 * HOUR_US, START_US + 2]);
    expect(standings).toEqual(['ON_TIME', 'CONTESTED', 'ON_TIME', 'CONTESTED', 'AHEAD']);
    expect(disproved).toEqual([far, START_US, START_US + 1]);
    expect(taken(settled(), [START_US - 2 * HOUR_US]).standings).toEqual(['LATE']);
  });

  it('accepts a watermark as proof that time has advanced', () => {
    const clock = settled();
    const later = START_US + 9 * HOUR_US;
    clock.wait(unproven(later));
    expect(clock.watermarkTo(later - HOUR_US - 1)).toEqual([]);
    expect(clock.watermarkTo(later).map(({ trade }) => trade.eventTime)).toEqual([later]);
    clock.moveTo(later);
    expect(new MarketClock(RULES, clock.toState()).judge(later + HOUR_US)).toBe('ON_TIME');
  });

  it('holds a bounded number of waiting trades, and names the one that gives way', () => {
    const clock = settled();
    const times = Array.from({ length: WAITING_TRADES_MAX }, (_, index) => START_US + (9_000 - index * 3) * HOUR_US);
    for (const time of times) expect(clock.wait(unproven(time))).toBeUndefined();
    expect(clock.wait(unproven(START_US + 2 * HOUR_US))?.trade.eventTime).toBe(times[0]);
    expect(clock.waitingTrades).toHaveLength(WAITING_TRADES_MAX);
  });

  it('continues from its state as if there had been no pause', () => {
    const times = [0, 1, 20, 21, 0.5, 22, 23, 900, 24, 950, 951, 952, 10];
    for (let cut = 0; cut <= times.length; cut += 1) {
      const at = (part: readonly number[]) => part.map((hours) => START_US + hours * HOUR_US);
      const whole = new MarketClock(RULES);
      const expected = taken(whole, at(times)).standings;
      const begun = new MarketClock(RULES);
      const before = taken(begun, at(times.slice(0, cut))).standings;
      const resumed = new MarketClock(RULES, begun.toState());
      expect([...before, ...taken(resumed, at(times.slice(cut))).standings]).toEqual(expected);
    }
  });
});
