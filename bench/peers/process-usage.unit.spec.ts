import { describe, expect, it } from 'vitest';
import { busiestThread, threadTimesOf } from './process-usage.ts';

describe('the time of a process’s threads', () => {
  it('is that of the thread that ran most in between, new or not', () => {
    const before = new Map([
      ['1', { ranMs: 1_000, waitedMs: 500 }],
      ['2', { ranMs: 10, waitedMs: 0 }],
    ]);
    const after = new Map([
      ['1', { ranMs: 1_010, waitedMs: 600 }],
      ['2', { ranMs: 40, waitedMs: 3 }],
      ['3', { ranMs: 20, waitedMs: 9 }],
    ]);
    expect(busiestThread(before, after)).toEqual({ ranMs: 30, waitedMs: 3 });
    expect(busiestThread(new Map(), after)).toEqual({ ranMs: 1_010, waitedMs: 600 });
  });

  it('grows with the work of this process', () => {
    const before = threadTimesOf(process.pid);
    let sum = 0;
    for (let index = 0; index < 1e7; index += 1) sum += index % 7;
    expect(sum).toBeGreaterThan(0);
    expect(busiestThread(before, threadTimesOf(process.pid)).ranMs).toBeGreaterThan(0);
  });
});
