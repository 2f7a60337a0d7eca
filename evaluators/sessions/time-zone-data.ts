import { Instant, ZoneId, ZoneRulesProvider } from '@js-joda/core';
import '@js-joda/timezone';
import type { TimeZoneSource } from '../configuration.ts';
import type { TimeZoneData } from './time-zone.ts';

/** Trades are stamped within these years: see `EVENT_TIME_US_MIN`; the first offset holds before, too. */
const FROM_SECONDS = Date.UTC(2008, 0, 1) / 1_000;
const TO_SECONDS = Date.UTC(2100, 0, 1) / 1_000;
const STEP_SECONDS = 86_400;

/** The part of the provider that the library's types leave out. */
const provider = ZoneRulesProvider as unknown as {
  readonly getTzdbData: () => { readonly version: string };
  readonly getAvailableZoneIds: () => readonly string[];
};

/** Names of the time zones that the library knows. */
function timeZoneNames(): readonly string[] {
  return provider.getAvailableZoneIds();
}

/**
 * Offsets of a time zone, of the IANA database as @js-joda/timezone carries it; undefined for a name that it does not know.
 * Takes some milliseconds: asked once, when a configuration is made.
 */
function timeZoneDataOf(name: string): TimeZoneData | undefined {
  if (!timeZoneNames().includes(name)) return undefined;
  const rules = ZoneId.of(name).rules();
  const offsetAt = (seconds: number) => rules.offset(Instant.ofEpochSecond(seconds)).totalSeconds();
  const offsets = [FROM_SECONDS, offsetAt(FROM_SECONDS)];
  for (let seconds = FROM_SECONDS; seconds < TO_SECONDS; seconds += STEP_SECONDS) {
    const [before, after] = [offsetAt(seconds), offsetAt(seconds + STEP_SECONDS)];
    if (before === after) continue;
    let [low, high] = [seconds, seconds + STEP_SECONDS];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    offsets.push(high, after);
  }
  return { dataVersion: provider.getTzdbData().version, offsets };
}

/** The IANA database as @js-joda/timezone carries it. */
export const JODA_TIME_ZONES: TimeZoneSource = { dataOf: timeZoneDataOf, names: timeZoneNames };
