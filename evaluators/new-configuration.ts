import { refusalOfName } from '../contracts/instrument-name.ts';
import { checkTimeZones, ConfigurationError, sessionsOf, shapedConfiguration } from './configuration.ts';
import type { EngineConfiguration } from './configuration.ts';
import { isTradingHours, type ZoneData } from './sessions/session-configuration.ts';
import { nearestZoneOf, zoneDataOf } from './sessions/zone-library.ts';
import { STRATEGIES } from './strategies/catalogue.ts';
import type { Strategy } from './strategies/strategy.ts';

/**
 * Checks a configuration that is to be put in force, as `parseConfiguration` checks one that already is. It also
 * explains faults in plain words, refuses some values that earlier builds accepted, and adds the data of the time zones
 * that its sessions name. A zone whose data it holds already keeps them, so that a configuration taken from a tape
 * stays the same.
 *
 * @param known - the strategies that may be named.
 * @throws ConfigurationError
 */
export function parseNewConfiguration(raw: unknown, known: readonly Strategy[] = STRATEGIES): EngineConfiguration {
  const accepted = shapedConfiguration(raw, known);
  const { instruments } = (raw ?? {}) as { readonly instruments?: object };
  // The one key that zod's records drop silently.
  if (Object.hasOwn(instruments ?? {}, '__proto__')) {
    const refusal = refusalOfName('__proto__');
    throw new ConfigurationError(`The configuration's key "instruments.__proto__" ${refusal?.predicate ?? ''}.`);
  }
  for (const { name, contradictionIn } of known) {
    const settings = accepted.strategies[name];
    const contradiction = settings === undefined ? undefined : contradictionIn(settings.parameters);
    if (contradiction !== undefined) {
      throw new ConfigurationError(`The configuration's strategies.${name}.parameters is wrong: ${contradiction}.`);
    }
  }
  const resolved = withTimeZones(accepted);
  checkTimeZones(resolved);
  return resolved;
}

function withTimeZones(configuration: EngineConfiguration): EngineConfiguration {
  const { timeZones: given = {}, ...rest } = configuration;
  const zones = new Map<string, ZoneData>();
  for (const [place, session] of sessionsOf(configuration)) {
    if (!isTradingHours(session) || zones.has(session.timeZone)) continue;
    const { timeZone } = session;
    const data = Object.hasOwn(given, timeZone) ? given[timeZone] : zoneDataOf(timeZone);
    if (data === undefined) throw new ConfigurationError(`The configuration's ${place}.timeZone ${unknown(timeZone)}`);
    zones.set(timeZone, data);
  }
  const unused = Object.keys(given).find((timeZone) => !zones.has(timeZone));
  if (unused !== undefined) {
    throw new ConfigurationError(`The configuration's timeZones.${unused} belongs to no session: leave it out.`);
  }
  return zones.size === 0 ? rest : { ...rest, timeZones: Object.fromEntries(zones) };
}

function unknown(timeZone: string): string {
  const nearest = nearestZoneOf(timeZone);
  const mend = nearest === undefined ? `Its names are like "America/New_York".` : `Did you mean "${nearest}"?`;
  return `"${timeZone}" is not in the IANA database of time zones. ${mend}`;
}
