import { describe, expect, it } from 'vitest';
import { nearestZoneOf, zoneDataOf } from './zone-library.ts';

const FROM_MS = Date.parse('2009-01-01T00:00:00Z');
const TO_MS = Date.parse('2100-01-01T00:00:00Z');
const SAMPLE_MS = 5 * 86_400_000;

/** Offset by the runtime's own data, seconds. */
function intlOffsets(timeZone: string): (timeMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  return (timeMs) => {
    const text = format.formatToParts(timeMs).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours, minutes] = /^GMT(?:([+-])(\d\d):(\d\d))?$/.exec(text) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 3_600 + Number(minutes ?? 0) * 60);
  };
}

describe('zoneDataOf', () => {
  // If one of these differs after an update of Node, its data are newer: update the library, too.
  it.each([
    'America/New_York',
    'Europe/London',
    'Europe/Berlin',
    'America/Chicago',
    'Asia/Tokyo',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    'America/Sao_Paulo',
    'Europe/Moscow',
    'Pacific/Apia',
    'UTC',
  ])('has the offsets of %s that the runtime has, through 2099', (timeZone) => {
    const { offsets } = zoneDataOf(timeZone)!;
    const offsetAt = intlOffsets(timeZone);
    expect(offsets[0]?.[0]).toBe(FROM_MS / 1_000);
    for (const [at, [from, offset]] of offsets.entries()) {
      expect([from, offsetAt(from * 1_000)]).toEqual([from, offset]);
      if (at > 0) expect([from, offsetAt(from * 1_000 - 1)]).toEqual([from, offsets[at - 1]?.[1]]);
    }
    let period = 0;
    for (let timeMs = FROM_MS; timeMs < TO_MS; timeMs += SAMPLE_MS) {
      while ((offsets[period + 1]?.[0] ?? Number.POSITIVE_INFINITY) * 1_000 <= timeMs) period += 1;
      expect([timeMs, offsetAt(timeMs)]).toEqual([timeMs, offsets[period]?.[1]]);
    }
  });

  it('names the version of the data, and stays within a few kilobytes', () => {
    expect(zoneDataOf('America/New_York')?.dataVersion).toMatch(/^20\d\d[a-z]$/);
    expect(JSON.stringify(zoneDataOf('America/New_York')).length).toBeLessThan(4_000);
  });

  it.each(['', 'EST+5', '+02:00', 'america/new_york', 'constructor', '__proto__', 'SYSTEM'])(
    'does not know %j',
    (name) => {
      expect(zoneDataOf(name)).toBeUndefined();
    },
  );
});

describe('nearestZoneOf', () => {
  it.each([
    ['america/new_york', 'America/New_York'],
    ['New York', 'America/New_York'],
    ['America/NewYork', 'America/New_York'],
    ['chicago', 'America/Chicago'],
    ['xxxxxxxxxxxxxxxxxxxxxxxx', undefined],
  ])('takes %j for %j', (name, zone) => {
    expect(nearestZoneOf(name)).toBe(zone);
  });
});
