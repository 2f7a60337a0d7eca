import { describe, expect, it } from 'vitest';
import { noTelemetry } from '../telemetry.ts';
import { RefusalWatch, REFUSED_IN_A_ROW_MAX } from './refusals.ts';

const PLACE = { topic: 'raw.trades', partition: 3 };

function subject() {
  const telemetry = noTelemetry();
  const watch = new RefusalWatch(telemetry);
  let next = 0;
  return {
    watch,
    /** The refused ones are the last ones. */
    take: (records: number, refused: number, place = PLACE) => {
      next += records;
      const letters = Array.from({ length: refused }, (_, back) => {
        return { reason: 'UNKNOWN_SCHEMA' as const, source: { position: next - 1 - back } };
      });
      watch.taken(place, records, next - 1, letters);
    },
    isReady: () => telemetry.health.isReady,
    detail: () => telemetry.health.parts.get('dead-letters')?.detail,
    ratio: async () => /refused_ratio\{.*\} ([\d.]+)/.exec(await telemetry.metrics.text())?.[1],
  };
}

describe('a process whose records become dead letters', () => {
  it('is not ready after too many consecutive ones, says why and how many, and is ready after a usable one', () => {
    const { take, isReady, detail } = subject();
    take(1_000_000, 0);
    take(500, REFUSED_IN_A_ROW_MAX - 1);
    expect(isReady()).toBe(true);
    take(1, 1);
    expect(isReady()).toBe(false);
    expect(detail()).toBe(
      'each of the last 25 records of raw.trades-3 became dead letters (UNKNOWN_SCHEMA 25): "npx tapeproof dead-letters" lists them',
    );
    take(1, 0);
    expect(isReady()).toBe(true);
  });

  it('is not ready while more than half of the newest ones did, however many were good before', async () => {
    const { take, isReady, detail, ratio } = subject();
    take(1_000_000, 0);
    for (let round = 0; round < 20; round += 1) take(50, 30);
    expect([isReady(), await ratio()]).toEqual([false, '0.6']);
    expect(detail()).toMatch(/^600 of the last 1,000 records of raw.trades-3 .*UNKNOWN_SCHEMA 600/);
    for (let round = 0; round < 20; round += 1) take(50, 1);
    expect(isReady()).toBe(true);
  });

  it('is ready with a few of them, and judges each partition for itself', () => {
    const { take, isReady, watch } = subject();
    for (let round = 0; round < 100; round += 1) take(50, 20);
    expect(isReady()).toBe(true);
    take(30, 30, { topic: 'raw.trades', partition: 4 });
    take(500, 0);
    expect(isReady()).toBe(false);
    watch.forget({ 'raw.trades': [4] });
    expect(isReady()).toBe(true);
  });
});
