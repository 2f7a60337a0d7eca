import type { InstrumentsEvent } from '../../contract/events.ts';
import type {
  InstrumentOverview,
  InstrumentsResponse,
  InstrumentState,
  SparklinePoint,
} from '../../contract/instruments.ts';

/** As many as the server sends. */
const SPARKLINE_POINTS_MAX = 60;

/** An instrument, and when its state arrived by the viewer's clock: ages count on from there. */
export interface LiveInstrument extends InstrumentOverview {
  readonly arrivedMs: number;
}

export type LiveInstruments = ReadonlyMap<string, LiveInstrument>;

/** The instruments of a full answer; it has the sparklines. */
export function fromAnswer({ instruments }: InstrumentsResponse, arrivedMs: number): LiveInstruments {
  return new Map(instruments.map((overview) => [overview.state.instrument, { ...overview, arrivedMs }]));
}

/** The instruments after an event: those that it names are replaced, and a new price continues their sparkline. */
export function afterEvent(known: LiveInstruments, event: InstrumentsEvent, arrivedMs: number): LiveInstruments {
  const next = new Map(event.isComplete ? [] : known);
  for (const state of event.instruments) {
    const sparkline = continued(known.get(state.instrument)?.sparkline ?? null, state);
    next.set(state.instrument, { state, sparkline, arrivedMs });
  }
  return next;
}

function continued(
  sparkline: readonly SparklinePoint[] | null,
  { price, priceTimeUs }: InstrumentState,
): SparklinePoint[] | null {
  if (price === null || priceTimeUs === null) return sparkline === null ? null : [...sparkline];
  const before = sparkline ?? [];
  const last = before.at(-1);
  if (last !== undefined && last.timeUs >= priceTimeUs) return [...before];
  return [...before, { timeUs: priceTimeUs, price }].slice(-SPARKLINE_POINTS_MAX);
}

/** How old an instrument's price is now, and whether that makes it stale. */
export interface Freshness {
  /** Null where nothing says so. */
  readonly ageMs: number | null;
  readonly isStale: boolean;
}

/** @param nowMs by the same clock as `arrivedMs` */
export function freshnessOf({ state, arrivedMs }: LiveInstrument, nowMs: number): Freshness {
  const { ageMs, staleAfterMs, isStale } = state;
  if (ageMs === null) return { ageMs, isStale };
  const age = ageMs + Math.max(0, nowMs - arrivedMs);
  return { ageMs: age, isStale: isStale || (staleAfterMs !== null && age > staleAfterMs) };
}
