import { Instant, ZoneRulesProvider, type ZoneRules } from '@js-joda/core';
import '@js-joda/timezone';
import { EVENT_TIME_US_MAX, EVENT_TIME_US_MIN } from '../../contracts/trade-rules.ts';
import { nearestOf } from '../../contracts/nearest-name.ts';
import type { ZoneData } from './session-configuration.ts';

const US_PER_SECOND = 1_000_000;
const SECONDS_PER_DAY = 86_400;

/*
 * The only module that knows the library of time zones. It is consulted once, when a configuration is made; its data
 * are kept in that configuration. The engine's modules never import it: a later version of the library, with other
 * rules, changes no replay.
 */

/** The offsets of a zone of the IANA database for all times that a trade may have; undefined for an unknown name. */
export function zoneDataOf(timeZone: string): ZoneData | undefined {
  if (!ZoneRulesProvider.getAvailableZoneIds().includes(timeZone)) return undefined;
  const rules = ZoneRulesProvider.getRules(timeZone);
  const fromSeconds = EVENT_TIME_US_MIN / US_PER_SECOND;
  const toSeconds = EVENT_TIME_US_MAX / US_PER_SECOND;
  const offsets: [number, number][] = [[fromSeconds, offsetAt(rules, fromSeconds)]];
  // The library lists no changes, and no zone has two within a day.
  for (let seconds = fromSeconds; seconds < toSeconds; seconds += SECONDS_PER_DAY) {
    const offset = offsetAt(rules, seconds + SECONDS_PER_DAY);
    if (offset !== offsets.at(-1)?.[1]) offsets.push([changeWithin(rules, seconds, offset), offset]);
  }
  return { dataVersion: dataVersion(), offsets };
}

/** The known zone that a name probably means; undefined when none is near. */
export function nearestZoneOf(name: string): string | undefined {
  const known = ZoneRulesProvider.getAvailableZoneIds();
  // A city's name means the zone that is named after it.
  const city = `/${name.toLowerCase().replaceAll(' ', '_')}`;
  return known.find((id) => id.toLowerCase().endsWith(city)) ?? nearestOf(name, known);
}

/** The first second of a day from which on an offset holds, by bisection. */
function changeWithin(rules: ZoneRules, dayStartSeconds: number, offset: number): number {
  let before = dayStartSeconds;
  let after = dayStartSeconds + SECONDS_PER_DAY;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(rules, middle) === offset) after = middle;
    else before = middle;
  }
  return after;
}

function offsetAt(rules: ZoneRules, seconds: number): number {
  return rules.offset(Instant.ofEpochSecond(seconds)).totalSeconds();
}

/** Version of the IANA database; the library has it, but its types do not. */
function dataVersion(): string {
  const provider = ZoneRulesProvider as unknown as { getTzdbData(): { readonly version: string } };
  return provider.getTzdbData().version;
}
