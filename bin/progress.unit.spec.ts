import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { progressBar } from './progress.ts';

describe('the rate of a progress bar', () => {
  let written = '';
  const isTerminal = process.stderr.isTTY;

  beforeEach(() => {
    written = '';
    process.stderr.isTTY = false;
    vi.useFakeTimers({ toFake: ['performance'] });
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      written += String(text);
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
    process.stderr.isTTY = isTerminal;
  });

  it('counts from the first reading on, not earlier work', () => {
    const bar = progressBar('engine');
    bar.update({ done: 40_000, total: 100_000, unit: 'records', count: 40_000 });
    vi.advanceTimersByTime(2_000);
    bar.update({ done: 100_000, total: 100_000, unit: 'records', count: 100_000 });
    expect(written).toBe('engine: 25 %, 40,000 records\nengine: 100 %, 100,000 records, 30,000 records/s\n');
  });

  it('is left out if everything was done before', () => {
    progressBar('engine').update({ done: 9, total: 9, unit: 'records', count: 1_902 });
    expect(written).toBe('engine: 100 %, 1,902 records\n');
  });
});
