import { describe, expect, it } from 'vitest';
import { refusalOfWatermark } from '../../contracts/trade-rules.ts';
import { Watermarks } from './watermarks.ts';

const WALL_MS = 1_790_000_010_700;
const SECOND_US = 1_000_000;

function eventTimeOf(wallMs: number): number {
  return (Math.floor(wallMs / 1_000) - 2) * SECOND_US;
}

function inSync(instrument: string, completeUntilMs: number | undefined = WALL_MS) {
  return { instrument, completeUntilMs };
}

/** The watermark that is due, written. */
function written(watermarks: Watermarks, ...[partition, streams, nowMs, wallMs]: Parameters<Watermarks['next']>) {
  const watermark = watermarks.next(partition, streams, nowMs, wallMs);
  expect(watermarks.next(partition, streams, nowMs, wallMs)).toEqual(watermark);
  if (watermark !== undefined) watermarks.written(partition, watermark, nowMs);
  return watermark;
}

describe('watermarks', () => {
  it('speak, sorted, for the instruments in sync, up to whole seconds less the allowance', () => {
    const watermarks = new Watermarks('binance', 1_000, 2_000);
    const streams = [
      inSync('B-C@binance'),
      { instrument: 'A-C@binance', completeUntilMs: undefined },
      inSync('A-B@binance'),
    ];
    const watermark = written(watermarks, 3, streams, 0, WALL_MS);
    expect(watermark).toEqual({
      venue: 'binance',
      instruments: ['A-B@binance', 'B-C@binance'],
      eventTime: eventTimeOf(WALL_MS),
      receivedAt: WALL_MS * 1_000,
      source: 'live:binance',
    });
    expect(watermark === undefined ? 'no watermark' : refusalOfWatermark(watermark)).toBeUndefined();
  });

  it('claim no more than the instrument that is proven the least, nor more than the clock', () => {
    const watermarks = new Watermarks('binance', 1_000, 2_000);
    const streams = [inSync('A-B@binance', WALL_MS - 5_000), inSync('B-C@binance', WALL_MS + 60_000)];
    expect(written(watermarks, 0, streams, 0, WALL_MS)?.eventTime).toBe(eventTimeOf(WALL_MS - 5_000));
    const ahead = [inSync('B-C@binance', WALL_MS + 60_000)];
    expect(written(watermarks, 1, ahead, 0, WALL_MS)?.eventTime).toBe(eventTimeOf(WALL_MS));
  });

  it('come once an interval and partition, and never go back', () => {
    const watermarks = new Watermarks('binance', 1_000, 2_000);
    const streams = (wallMs: number) => [inSync('A-B@binance', wallMs)];
    expect(written(watermarks, 0, streams(WALL_MS), 0, WALL_MS)).toBeDefined();
    expect(written(watermarks, 0, streams(WALL_MS + 999), 999, WALL_MS + 999)).toBeUndefined();
    expect(written(watermarks, 1, streams(WALL_MS), 999, WALL_MS)).toBeDefined();
    expect(written(watermarks, 0, streams(WALL_MS + 100), 1_000, WALL_MS + 1_000)).toBeUndefined();
    expect(written(watermarks, 0, streams(WALL_MS + 1_000), 1_000, WALL_MS + 1_000)).toBeDefined();
    expect(written(watermarks, 0, streams(WALL_MS - 9_000), 5_000, WALL_MS - 9_000)).toBeUndefined();
  });

  it('go on behind those of the tape, and come at once', () => {
    const watermarks = new Watermarks('binance', 1_000, 2_000);
    watermarks.held(0, eventTimeOf(WALL_MS));
    watermarks.held(0, eventTimeOf(WALL_MS - 60_000));
    expect(written(watermarks, 0, [inSync('A-B@binance')], 0, WALL_MS)).toBeUndefined();
    const later = WALL_MS + 1_000;
    expect(written(watermarks, 0, [inSync('A-B@binance', later)], 1, later)).toBeDefined();
  });

  it('are none where no instrument is in sync', () => {
    const watermarks = new Watermarks('binance', 1_000, 2_000);
    const none = [{ instrument: 'A-B@binance', completeUntilMs: undefined }];
    expect(written(watermarks, 0, none, 0, WALL_MS)).toBeUndefined();
  });
});
