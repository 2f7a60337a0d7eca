import { describe, expect, it } from 'vitest';
import { LIVE_TIMING } from './timing.ts';
import { BEGINNING_MS_MAX, mayStream } from './stream-start.ts';

describe('the stream', () => {
  it('begins at once where each instrument has its beginning', () => {
    expect(mayStream([{ isStarted: true }, { isStarted: true }], 0)).toBe(true);
  });

  it('waits a few seconds for REST to show where a new instrument begins, and then continues without it', () => {
    const streams = [{ isStarted: true }, { isStarted: false }];
    expect(mayStream(streams, BEGINNING_MS_MAX - 1)).toBe(false);
    expect(mayStream(streams, BEGINNING_MS_MAX)).toBe(true);
    expect(BEGINNING_MS_MAX).toBeLessThan(LIVE_TIMING.gapDeadlineMs / 5);
  });
});
