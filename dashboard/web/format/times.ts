const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A duration in its two greatest units: `8 s`, `4 min`, `2 h 5 min`, `3 d 4 h`; below a second `now`. */
export function ageText(ageMs: number): string {
  if (ageMs < SECOND_MS) return 'now';
  if (ageMs < MINUTE_MS) return `${Math.floor(ageMs / SECOND_MS)} s`;
  if (ageMs < HOUR_MS) return `${Math.floor(ageMs / MINUTE_MS)} min`;
  if (ageMs < DAY_MS) return twoUnits(ageMs, HOUR_MS, 'h', MINUTE_MS, 'min');
  return twoUnits(ageMs, DAY_MS, 'd', HOUR_MS, 'h');
}

/** A length of time that is exact: `300 s`, `250 ms`. */
export function durationText(ms: number): string {
  return ms % SECOND_MS === 0 ? `${ms / SECOND_MS} s` : `${ms} ms`;
}

function twoUnits(ms: number, great: number, greatName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % great) / small);
  return `${Math.floor(ms / great)} ${greatName}${rest === 0 ? '' : ` ${rest} ${smallName}`}`;
}

/** How a time is written in the viewer's zone, beside the same in UTC. */
export interface TimeText {
  /** `14:03:07`, with the day before it where that is not `nowMs`'s. */
  readonly local: string;
  /** `2025-03-25 13:03:07.250 UTC`. */
  readonly utc: string;
  /** For the attribute `datetime`. */
  readonly iso: string;
}

/** @param zone an IANA name; undefined: the viewer's. */
export function timeText(timeMs: number, nowMs: number, zone?: string): TimeText {
  const iso = new Date(timeMs).toISOString();
  const day = dayText(timeMs, zone);
  const clock = new Intl.DateTimeFormat('en-GB', {
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone: zone },
  }).format(timeMs);
  return {
    local: day === dayText(nowMs, zone) ? clock : `${day}, ${clock}`,
    utc: `${iso.replace('T', ' ').replace('Z', '')} UTC`,
    iso,
  };
}

/** `25 Mar 2025`. */
export function dayText(timeMs: number, zone?: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    ...{ day: 'numeric', month: 'short', year: 'numeric', timeZone: zone },
  }).format(timeMs);
}
