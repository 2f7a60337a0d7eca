import { describe, expect, it } from 'vitest';
import { LIVE_TIMING } from './timing.ts';
import { BEGINNING_MS_MAX, mayStream } from './stream-start.ts';

class Beginner {
  isStarted: boolean;
  constructor(isStarted: boolean) {
    this.isStarted = isStarted;
  }

  beginWithAny(): void {
    this.isStarted = true;
  }
}

describe('the stream', () => {
  it('begins at once where each instrument has its beginning', () => {
    expect(mayStream([new Beginner(true), new Beginner(true)], 0)).toBe(true);
  });

  it('waits a few seconds for REST to tell where a new instrument begins, and goes on without', () => {
    const lanes = [new Beginner(true), new Beginner(false)];
    expect(mayStream(lanes, BEGINNING_MS_MAX - 1)).toBe(false);
    expect(lanes.map(({ isStarted }) => isStarted)).toEqual([true, false]);
    expect(mayStream(lanes, BEGINNING_MS_MAX)).toBe(true);
    expect(lanes.map(({ isStarted }) => isStarted)).toEqual([true, true]);
    expect(BEGINNING_MS_MAX).toBeLessThan(LIVE_TIMING.gapDeadlineMs / 5);
  });
});
