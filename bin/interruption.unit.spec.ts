import { afterEach, describe, expect, it } from 'vitest';
import { interruption } from './interruption.ts';

describe('an interruption', () => {
  const before = {
    SIGINT: process.listeners('SIGINT'),
    SIGTERM: process.listeners('SIGTERM'),
    SIGHUP: process.listeners('SIGHUP'),
  };

  afterEach(() => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      for (const listener of process.listeners(name)) {
        if (!before[name].includes(listener)) process.removeListener(name, listener);
      }
    }
  });

  it('is one if the same order arrives twice at once, as from a process group and from its launcher', () => {
    const signal = interruption();
    expect(signal.aborted).toBe(false);
    process.emit('SIGTERM', 'SIGTERM');
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe('SIGTERM');
    // Would end the process, which vitest reports as a failure.
    expect(() => process.emit('SIGTERM', 'SIGTERM')).not.toThrow();
  });
});
