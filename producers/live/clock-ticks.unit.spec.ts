import { describe, expect, it } from 'vitest';
import { refusalOfTick } from '../../contracts/trade-rules.ts';
import { ClockTicks } from './clock-ticks.ts';

const WALL_MS = 1_790_000_010_700;
const SECOND_US = 1_000_000;

function eventTimeOf(wallMs: number): number {
  return (Math.floor(wallMs / 1_000) - 2) * SECOND_US;
}

function inSync(instrument: string, completeUntilMs: number | undefined = WALL_MS) {
  return { instrument, completeUntilMs };
}

/** The tick that is due, written. */
function written(ticks: ClockTicks, ...[partition, streams, nowMs, wallMs]: Parameters<ClockTicks['next']>) {
  const tick = ticks.next(partition, streams, nowMs, wallMs);
  expect(ticks.next(partition, streams, nowMs, wallMs)).toEqual(tick);
  if (tick !== undefined) ticks.written(partition, tick, nowMs);
  return tick;
}

describe('clock ticks', () => {
  it('cover, sorted, the instruments in sync, up to whole seconds minus the allowance', () => {
    const ticks = new ClockTicks('binance', 1_000, 2_000);
    const streams = [
      inSync('B-C@binance'),
      { instrument: 'A-C@binance', completeUntilMs: undefined },
      inSync('A-B@binance'),
    ];
    const tick = written(ticks, 3, streams, 0, WALL_MS);
    expect(tick).toEqual({
      venue: 'binance',
      instruments: ['A-B@binance', 'B-C@binance'],
      eventTime: eventTimeOf(WALL_MS),
      receivedAt: WALL_MS * 1_000,
      source: 'live:binance',
    });
    expect(tick === undefined ? 'no tick' : refusalOfTick(tick)).toBeUndefined();
  });

  it('claim no more than the instrument that is proven the least, nor more than the clock', () => {
    const ticks = new ClockTicks('binance', 1_000, 2_000);
    const streams = [inSync('A-B@binance', WALL_MS - 5_000), inSync('B-C@binance', WALL_MS + 60_000)];
    expect(written(ticks, 0, streams, 0, WALL_MS)?.eventTime).toBe(eventTimeOf(WALL_MS - 5_000));
    const ahead = [inSync('B-C@binance', WALL_MS + 60_000)];
    expect(written(ticks, 1, ahead, 0, WALL_MS)?.eventTime).toBe(eventTimeOf(WALL_MS));
  });

  it('are due once per interval and partition, and never go back', () => {
    const ticks = new ClockTicks('binance', 1_000, 2_000);
    const streams = (wallMs: number) => [inSync('A-B@binance', wallMs)];
    expect(written(ticks, 0, streams(WALL_MS), 0, WALL_MS)).toBeDefined();
    expect(written(ticks, 0, streams(WALL_MS + 999), 999, WALL_MS + 999)).toBeUndefined();
    expect(written(ticks, 1, streams(WALL_MS), 999, WALL_MS)).toBeDefined();
    expect(written(ticks, 0, streams(WALL_MS + 100), 1_000, WALL_MS + 1_000)).toBeUndefined();
    expect(written(ticks, 0, streams(WALL_MS + 1_000), 1_000, WALL_MS + 1_000)).toBeDefined();
    expect(written(ticks, 0, streams(WALL_MS - 9_000), 5_000, WALL_MS - 9_000)).toBeUndefined();
  });

  it('continue after those of the tape, and are due at once', () => {
    const ticks = new ClockTicks('binance', 1_000, 2_000);
    ticks.held(0, eventTimeOf(WALL_MS));
    ticks.held(0, eventTimeOf(WALL_MS - 60_000));
    expect(written(ticks, 0, [inSync('A-B@binance')], 0, WALL_MS)).toBeUndefined();
    const later = WALL_MS + 1_000;
    expect(written(ticks, 0, [inSync('A-B@binance', later)], 1, later)).toBeDefined();
  });

  it('are absent where no instrument is in sync', () => {
    const ticks = new ClockTicks('binance', 1_000, 2_000);
    const none = [{ instrument: 'A-B@binance', completeUntilMs: undefined }];
    expect(written(ticks, 0, none, 0, WALL_MS)).toBeUndefined();
  });
});
