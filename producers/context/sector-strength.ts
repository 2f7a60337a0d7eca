import { sha256Hex } from '../../contracts/codec.ts';
import { canonicalJson } from '../../contracts/canonical-json.ts';
import type { ContextSignal, IndicatorSnapshot } from '../../contracts/generated/events.ts';
import type { ContextConfiguration } from './context-configuration.ts';
import { signalIdOf } from './news.ts';

const US_PER_MS = 1_000;
const CONFIGURATION_HEX_DIGITS = 12;
const DECIMALS = 1e6;

/** The price of an instrument at a snapshot. */
interface Point {
  readonly eventId: string;
  readonly timeUs: number;
  readonly price: number;
}

/** The course of an instrument over a window. */
interface Course {
  readonly first: Point;
  readonly last: Point;
}

/** The strength of one sector among all. */
export interface SectorStrength {
  readonly sector: string;
  /** Mean return of its instruments over the window. */
  readonly meanReturn: number;
  /** −1, the weakest of all sectors, to 1, the strongest. */
  readonly value: number;
  /** 0 to 1: the share of the window, and of its instruments, that snapshots cover. */
  readonly confidence: number;
  /** Those with a course. */
  readonly instruments: readonly string[];
}

export interface Strengths {
  /** Market time at which they hold, microseconds: they rest on what was before it. */
  readonly timeUs: number;
  /** By name. */
  readonly sectors: readonly SectorStrength[];
  /** The snapshots that they rest on. */
  readonly causes: readonly string[];
}

type Settings = Pick<ContextConfiguration, 'instruments' | 'sectors'>;

/**
 * The relative strength of sectors, from snapshots: at each multiple of `everyMs` of market time, the mean return of a
 * sector's instruments over the `windowMs` before, by its rank among the sectors.
 *
 * `r = last / first − 1` of an instrument's snapshots in the window; a sector's is the mean; its value is
 * `(sectors with less − sectors with more) / (sectors − 1)`. Levy 1967, "Relative strength as a criterion for investment
 * selection", doi 10.1111/j.1540-6261.1967.tb00295.x, for the rank of returns.
 */
export class SectorStrengths {
  private readonly sectorOf: ReadonlyMap<string, string>;
  private readonly windowUs: number;
  private readonly everyUs: number;
  private readonly points = new Map<string, Point[]>();
  private newestUs = 0;

  constructor({ instruments, sectors }: Settings) {
    this.sectorOf = new Map(
      Object.entries(instruments).flatMap(([name, { sector }]) =>
        sector === undefined ? [] : [[name, sector] as const],
      ),
    );
    this.windowUs = sectors.windowMs * US_PER_MS;
    this.everyUs = sectors.everyMs * US_PER_MS;
  }

  /** The instruments that have a sector. */
  get instruments(): readonly string[] {
    return [...this.sectorOf.keys()];
  }

  /** The last market time at which strengths are due; 0 before the first snapshot. */
  get dueUs(): number {
    return Math.floor(this.newestUs / this.everyUs) * this.everyUs;
  }

  /** Takes in a snapshot; those of one instrument in the order of their times. One of no sector has no effect. */
  add({
    eventId,
    instrument,
    eventTime,
    lastPrice,
  }: Pick<IndicatorSnapshot, 'eventId' | 'instrument' | 'eventTime' | 'lastPrice'>): void {
    if (!this.sectorOf.has(instrument)) return;
    const points = this.points.get(instrument) ?? [];
    this.points.set(instrument, points);
    const last = points.at(-1);
    if (last !== undefined && eventTime < last.timeUs) return;
    const point = { eventId, timeUs: eventTime, price: lastPrice.toNumber() };
    // Of each interval, the first and the last are kept.
    if (this.intervalOf(points.at(-2)) === this.intervalOf(point)) points.pop();
    points.push(point);
    this.newestUs = Math.max(this.newestUs, eventTime);
    const from = this.dueUs - this.windowUs;
    const begun = points.findIndex(({ timeUs }) => timeUs >= from);
    if (begun > 0) points.splice(0, begun);
  }

  /** The strengths at {@link dueUs}; a sentence's end where there are none. */
  strengths(): Strengths | string {
    const timeUs = this.dueUs;
    const courses = new Map<string, Course>();
    for (const name of this.sectorOf.keys()) {
      const course = this.courseOf(name, timeUs);
      if (course !== undefined) courses.set(name, course);
    }
    const names = [...new Set(this.sectorOf.values())].sort();
    const measured = names.flatMap((sector) => this.measure(sector, courses) ?? []);
    if (measured.length < 2) return 'fewer than two sectors have instruments with two snapshots in the window';
    const sectors = measured.map((sector) => ({ ...sector, value: rankOf(sector, measured) }));
    const causes = [...courses.values()].flatMap(({ first, last }) => [first.eventId, last.eventId]);
    return { timeUs, sectors, causes };
  }

  private courseOf(name: string, timeUs: number): Course | undefined {
    const within = (this.points.get(name) ?? []).filter(
      (point) => point.timeUs >= timeUs - this.windowUs && point.timeUs < timeUs,
    );
    const [first] = within;
    const last = within.at(-1);
    // A price of 0 or below has no return.
    if (first === undefined || last === undefined || first === last || first.price <= 0) return undefined;
    return { first, last };
  }

  private measure(sector: string, courses: ReadonlyMap<string, Course>): Omit<SectorStrength, 'value'> | undefined {
    const members = [...this.sectorOf].flatMap(([name, of]) => (of === sector ? [name] : []));
    const instruments = members.filter((name) => courses.has(name));
    if (instruments.length === 0) return undefined;
    let returns = 0;
    let covered = 0;
    for (const name of instruments) {
      const course = courses.get(name);
      if (course === undefined) continue;
      returns += course.last.price / course.first.price - 1;
      covered += (course.last.timeUs - course.first.timeUs) / this.windowUs;
    }
    const confidence = Math.min(1, Math.round((covered / members.length) * DECIMALS) / DECIMALS);
    return { sector, meanReturn: returns / instruments.length, confidence, instruments };
  }

  private intervalOf(point: Point | undefined): number {
    return Math.floor((point?.timeUs ?? Number.NaN) / this.everyUs);
  }
}

function rankOf(
  { meanReturn }: Pick<SectorStrength, 'meanReturn'>,
  all: readonly Omit<SectorStrength, 'value'>[],
): number {
  const below = all.filter((other) => other.meanReturn < meanReturn).length;
  const above = all.filter((other) => other.meanReturn > meanReturn).length;
  return (below - above) / (all.length - 1);
}

/** The signals of strengths: one for each instrument of a sector that has one. */
export function signalsOfStrengths(
  { timeUs, sectors, causes }: Strengths,
  { instruments, sectors: settings }: Settings,
  receivedAt: number,
): readonly ContextSignal[] {
  const key = sha256Hex(canonicalJson({ instruments, settings })).slice(0, CONFIGURATION_HEX_DIGITS);
  const bySector = new Map(sectors.map((strength) => [strength.sector, strength]));
  return Object.entries(instruments).flatMap(([instrument, { sector }]): ContextSignal[] => {
    const strength = bySector.get(sector ?? '');
    if (strength === undefined) return [];
    const { value, confidence } = strength;
    return [
      {
        // One at each time, whatever a second run has read meanwhile.
        signalId: signalIdOf(['sectors', key, instrument, timeUs]),
        ...{ kind: 'SECTOR_ROTATION', source: `sectors:${strength.sector}@${key}`, instrument, eventTime: timeUs },
        ...{ value, confidence, validFrom: timeUs, validUntil: timeUs + settings.validForMs * US_PER_MS },
        ...{ textHash: null, link: null, causes: [...causes], receivedAt },
      },
    ];
  });
}
