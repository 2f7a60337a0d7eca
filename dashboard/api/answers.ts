import { namedInstrument } from '../../platform/named-instrument.ts';
import { EFFECTIVE_N_MIN } from '../../proofs/scores/batch-means.ts';
import type { InstrumentOverview, InstrumentsResponse } from '../contract/instruments.ts';
import type { RouteName, RouteQuery, RouteResponse } from '../contract/routes.ts';
import { SERIES_SPAN_DEFAULT_US, type SeriesResponse } from '../contract/series.ts';
import { cursorOf, identityIn, numbersIn } from './cursor.ts';
import { instrumentStateOf } from './instrument-state.ts';
import { ApiProblem } from './problems.ts';
import type { ReadModels, StoredState } from './read-models.ts';
import { SharedByKey } from './bounded.ts';
import { diagramsOf, scoreRowOf, scoreSpansOf, skillRowOf, SCORES_NOTE } from './score-rows.ts';

/** Instruments that are listed. */
const INSTRUMENTS_MAX = 10_000;
/** Instruments for which prices are read, so that a list of thousands costs one bounded query. */
const SPARKLINES_MAX = 200;
/** A skill is computed from all outcomes of an instrument: for all viewers together this often. */
const SKILLS_KEPT_MS = 10_000;
const SKILLS_KEPT_MAX = 256;

export interface AnswerSettings {
  readonly models: ReadModels;
  /** The clock, microseconds since 1970. */
  readonly nowUs: () => number;
}

export interface RouteInput<Name extends RouteName> {
  readonly params: { readonly instrument?: string; readonly eventId?: string };
  readonly query: RouteQuery<Name>;
}

export type Answers = {
  readonly [Name in RouteName]: (input: RouteInput<Name>) => Promise<RouteResponse<Name>>;
};

/** How each route is answered. */
export function answersFrom({ models, nowUs }: AnswerSettings): Answers {
  const { latest, history, log } = models;
  const skills = new SharedByKey<Awaited<ReturnType<typeof history.skills>>>(SKILLS_KEPT_MS, SKILLS_KEPT_MAX);
  return {
    instruments: () => instrumentsOf(models, nowUs),
    async instrument({ params }) {
      const instrument = instrumentIn(params);
      const [states, prices] = await Promise.all([latest.read(), sparklinesOf(models, [instrument])]);
      const state = states.get(instrument);
      if (state === undefined) throw unknownInstrument(instrument);
      const asOfUs = nowUs();
      return { asOfUs, instrument: overviewOf(instrument, state, prices, asOfUs) };
    },
    series: ({ params, query }) => seriesOf(models, instrumentIn(params), query),
    async decisions({ params, query: { cursor, limit, ...query } }) {
      const instrument = instrumentIn(params);
      const [timeUs = 0, sequence = 0] = cursor === undefined ? [] : numbersIn(cursor, 2);
      const before = cursor === undefined ? undefined : { timeUs, sequence };
      // One more shows whether there is another page.
      const found = await history.decisions(instrument, query, before, limit + 1);
      const page = found.slice(0, limit);
      const last = page.at(-1);
      const hasMore = found.length > limit && last !== undefined;
      return {
        instrument,
        decisions: page.map(({ decision }) => decision),
        nextCursor: hasMore ? cursorOf([last.timeUs, last.sequence]) : null,
      };
    },
    async profile({ params }) {
      const instrument = instrumentIn(params);
      const snapshot = await history.latestSnapshot(instrument);
      if (snapshot === undefined) throw withoutSnapshot(instrument);
      return await log.profile(instrument, snapshot.snapshotId);
    },
    async scoreSpans({ params, query }) {
      const instrument = instrumentIn(params);
      const spans = await history.scoreSpans(instrument, query);
      return {
        ...{ instrument, forecast: query.forecast },
        group: spans === undefined ? null : spans.group,
        spanUs: spans?.spanUs ?? 0,
        spans: spans === undefined ? [] : [...scoreSpansOf(spans)],
      };
    },
    async skill({ params, query }) {
      const instrument = instrumentIn(params);
      const { rows, total } = await skills.get(JSON.stringify([instrument, query]), () =>
        history.skills(instrument, query),
      );
      return { instrument, rows: rows.map(skillRowOf), total };
    },
    async scores({ query }) {
      const { rows, total } = await history.scores(query);
      return { rows: rows.map(scoreRowOf), total, effectiveNMin: EFFECTIVE_N_MIN, note: SCORES_NOTE };
    },
    async reliability({ query }) {
      const { rows, total } = await history.bins(query);
      return { diagrams: [...diagramsOf(rows)], total };
    },
    async trials({ query: { cursor, limit } }) {
      const { next, ...page } = await log.trials(cursor === undefined ? undefined : identityIn(cursor), limit);
      return { ...page, nextCursor: next === undefined ? null : cursorOf([next]) };
    },
    audit: ({ params, query }) => log.audit(params.eventId ?? '', query.verify === true),
    pipeline: () => models.pipeline(),
    async deadLetters({ query: { cursor, limit } }) {
      const { next, ...page } = await log.deadLetters(cursor === undefined ? undefined : identityIn(cursor), limit);
      return { ...page, nextCursor: next === undefined ? null : cursorOf([next]) };
    },
    activations: () => log.activations(),
  };
}

/** The written form; unambiguous letters of other alphabets are escaped. @throws TapeproofError USAGE */
function instrumentIn({ instrument = '' }: RouteInput<RouteName>['params']): string {
  return namedInstrument(instrument);
}

function unknownInstrument(instrument: string): ApiProblem {
  return new ApiProblem(
    'NOT_FOUND',
    `Redis does not have the instrument ${instrument}: /api/v1/instruments lists those that it has.`,
  );
}

function withoutSnapshot(instrument: string): ApiProblem {
  return new ApiProblem(
    'NOT_FOUND',
    `There is no snapshot of ${instrument} in Postgres: /api/v1/instruments lists the instruments with a price.`,
  );
}

async function instrumentsOf(models: ReadModels, nowUs: () => number): Promise<InstrumentsResponse> {
  const states = await models.latest.read();
  const names = [...states.keys()].sort();
  const listed = names.slice(0, INSTRUMENTS_MAX);
  const prices = await sparklinesOf(models, listed.slice(0, SPARKLINES_MAX));
  const asOfUs = nowUs();
  return {
    asOfUs,
    instruments: listed.map((name) => overviewOf(name, states.get(name) ?? {}, prices, asOfUs)),
    total: names.length,
  };
}

type Sparklines = Awaited<ReturnType<ReadModels['history']['sparklines']>>;

/** Prices beside the latest states, which do not wait for Postgres: undefined while it does not answer. */
async function sparklinesOf({ history }: ReadModels, instruments: readonly string[]): Promise<Sparklines | undefined> {
  try {
    return await history.sparklines(instruments);
  } catch (error) {
    if (error instanceof ApiProblem) return undefined;
    throw error;
  }
}

function overviewOf(
  instrument: string,
  stored: StoredState,
  prices: Sparklines | undefined,
  asOfUs: number,
): InstrumentOverview {
  const sparkline = prices === undefined ? null : [...(prices.get(instrument) ?? [])];
  return { state: instrumentStateOf(instrument, stored, asOfUs), sparkline };
}

async function seriesOf(
  { history }: ReadModels,
  instrument: string,
  { fromUs, toUs, limit }: RouteQuery<'series'>,
): Promise<SeriesResponse> {
  const rule = `the last snapshot of each of at most ${limit} spans of equal length`;
  const end = toUs ?? (await endOf(history, instrument));
  if (end === undefined) {
    return { instrument, fromUs: fromUs ?? null, toUs: null, rule, spanUs: 0, points: [] };
  }
  const begin = fromUs ?? (await beginOf(history, instrument, end));
  if (begin >= end) {
    throw new ApiProblem('INVALID_REQUEST', 'The query parameter fromUs is not before toUs: give an earlier one.');
  }
  const spanUs = Math.ceil((end - begin) / limit);
  const spans = Math.ceil((end - begin) / spanUs);
  const points = await history.series(instrument, { fromUs: begin, spanUs, spans });
  // The last span may reach beyond the end.
  const within = points.filter(({ timeUs }) => timeUs < end);
  return { instrument, fromUs: begin, toUs: end, rule, spanUs, points: within };
}

/** One day before the end, or where the snapshots of that day begin. */
async function beginOf(history: ReadModels['history'], instrument: string, endUs: number): Promise<number> {
  const dayBefore = Math.max(0, endUs - SERIES_SPAN_DEFAULT_US);
  const first = await history.firstSnapshotUs(instrument, dayBefore);
  return first === undefined || first >= endUs ? dayBefore : first;
}

async function endOf(history: ReadModels['history'], instrument: string): Promise<number | undefined> {
  const latest = await history.latestSnapshot(instrument);
  return latest === undefined ? undefined : latest.timeUs + 1;
}
