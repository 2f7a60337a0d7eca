import { isoTimeOf } from '../../contracts/iso-time.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { OutcomeColumns, type KeptOutcome } from './outcome-columns.ts';
import type { Part, PartKind } from './score-row.ts';

const US_PER_MS = 1_000;
const MS_PER_SECOND = 1_000;
/** Bound for one group: each part is a row. */
const PARTS_MAX = 1_000;
/** Upper ends of the classes of lead, in horizons. */
const LEAD_CLASSES = [0.25, 0.5, 1];

export interface PartOf {
  readonly part: Part;
  readonly outcomes: OutcomeColumns;
}

/**
 * A group's outcomes, in recorded order, split by a further common property.
 *
 * - `period`: forecasts made in the same span of the given microseconds since 1970, UTC
 * - `lead`: hits and misses by how long after the forecast they were settled, in horizons
 *
 * @throws TapeproofError USAGE when there would be too many parts.
 */
export function partsOf(
  outcomes: OutcomeColumns,
  by: PartKind,
  { horizonMs, periodUs }: { readonly horizonMs: number; readonly periodUs: number },
): readonly PartOf[] {
  const parts = new Map<string, OutcomeColumns>();
  const valueOf = VALUE_OF[by];
  for (const outcome of outcomes) {
    const value = valueOf(outcome, horizonMs, periodUs);
    if (value === undefined) continue;
    let part = parts.get(value);
    if (part === undefined) {
      if (parts.size === PARTS_MAX) {
        throw new TapeproofError('USAGE', `There are more than ${PARTS_MAX} periods: give a longer one with --period.`);
      }
      part = new OutcomeColumns();
      parts.set(value, part);
    }
    part.append(outcome);
  }
  return [...parts]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([value, of]) => ({ part: { by, value }, outcomes: of }));
}

type ValueOf = (outcome: KeptOutcome, horizonMs: number, periodUs: number) => string | undefined;

const VALUE_OF: Readonly<Record<PartKind, ValueOf>> = {
  direction: ({ direction }) => direction,
  level: ({ level }) => level ?? 'UNKNOWN',
  horizon: (_, horizonMs) => `${horizonMs / MS_PER_SECOND} s`,
  period: ({ forecastTime }, _, periodUs) => isoTimeOf(Math.floor(forecastTime / periodUs) * periodUs),
  lead: leadOf,
};

function leadOf({ verdict, eventTime, forecastTime }: KeptOutcome, horizonMs: number): string | undefined {
  if (verdict === 'VOID') return undefined;
  const lead = (eventTime - forecastTime) / US_PER_MS / horizonMs;
  const at = LEAD_CLASSES.findIndex((end) => lead <= end);
  const begin = at === -1 ? LEAD_CLASSES.at(-1) : LEAD_CLASSES[at - 1];
  const end = LEAD_CLASSES[at];
  if (end === undefined) return `more than ${begin} horizons`;
  return begin === undefined ? `0 to ${end} horizons` : `${begin} to ${end} horizons`;
}
