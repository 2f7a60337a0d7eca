import type { z } from 'zod';
import { auditQuery, auditResponse } from './audit.ts';
import { decisionsQuery, decisionsResponse } from './decisions.ts';
import { instrumentResponse, instrumentsResponse } from './instruments.ts';
import { activationsResponse, deadLettersQuery, deadLettersResponse, pipelineResponse } from './pipeline.ts';
import {
  reliabilityResponse,
  scoresQuery,
  scoreSpansQuery,
  scoreSpansResponse,
  scoresResponse,
  skillQuery,
  skillResponse,
  trialsQuery,
  trialsResponse,
} from './scores.ts';
import { profileResponse, seriesQuery, seriesResponse } from './series.ts';
import { API_PREFIX, eventParams, instrumentParams, noQuery } from './values.ts';

/** A route that answers with JSON: GET only. Anything else answers with a problem (problem.ts). */
export interface Route {
  readonly path: `${typeof API_PREFIX}/${string}`;
  readonly summary: string;
  readonly params?: z.ZodObject;
  /** Any other parameter is refused. */
  readonly query: z.ZodObject;
  readonly response: z.ZodType;
}

export const ROUTES = {
  instruments: {
    path: `${API_PREFIX}/instruments`,
    summary: 'The latest state of every instrument',
    query: noQuery,
    response: instrumentsResponse,
  },
  instrument: {
    path: `${API_PREFIX}/instruments/:instrument`,
    summary: 'The latest state of one instrument',
    params: instrumentParams,
    query: noQuery,
    response: instrumentResponse,
  },
  series: {
    path: `${API_PREFIX}/instruments/:instrument/series`,
    summary: 'Price and indicators over time',
    params: instrumentParams,
    query: seriesQuery,
    response: seriesResponse,
  },
  decisions: {
    path: `${API_PREFIX}/instruments/:instrument/decisions`,
    summary: 'Decisions with their outcomes, newest first',
    params: instrumentParams,
    query: decisionsQuery,
    response: decisionsResponse,
  },
  profile: {
    path: `${API_PREFIX}/instruments/:instrument/profile`,
    summary: 'The volume profile at the latest snapshot',
    params: instrumentParams,
    query: noQuery,
    response: profileResponse,
  },
  scoreSpans: {
    path: `${API_PREFIX}/instruments/:instrument/score-spans`,
    summary: 'Skill and regret over time',
    params: instrumentParams,
    query: scoreSpansQuery,
    response: scoreSpansResponse,
  },
  skill: {
    path: `${API_PREFIX}/instruments/:instrument/skill`,
    summary: 'Skill by group, with its interval',
    params: instrumentParams,
    query: skillQuery,
    response: skillResponse,
  },
  scores: {
    path: `${API_PREFIX}/scores`,
    summary: 'Results of forecasts by group',
    query: scoresQuery,
    response: scoresResponse,
  },
  reliability: {
    path: `${API_PREFIX}/reliability`,
    summary: 'Reliability diagrams by group',
    query: scoresQuery,
    response: reliabilityResponse,
  },
  trials: {
    path: `${API_PREFIX}/trials`,
    summary: 'Configurations tried on recorded data, all hypothetical',
    query: trialsQuery,
    response: trialsResponse,
  },
  audit: {
    path: `${API_PREFIX}/audit/:eventId`,
    summary: 'The chain from an outcome to the trades, with its checks',
    params: eventParams,
    query: auditQuery,
    response: auditResponse,
  },
  pipeline: {
    path: `${API_PREFIX}/pipeline`,
    summary: 'Services, lag, ledger, rebuilds, dead letters and gaps',
    query: noQuery,
    response: pipelineResponse,
  },
  deadLetters: {
    path: `${API_PREFIX}/dead-letters`,
    summary: 'Records and rows that could not be used, newest first',
    query: deadLettersQuery,
    response: deadLettersResponse,
  },
  activations: {
    path: `${API_PREFIX}/activations`,
    summary: 'Who put what in force, when and why',
    query: noQuery,
    response: activationsResponse,
  },
} as const satisfies Readonly<Record<string, Route>>;

/** The proof of an event: text/plain, a `.tlog-proof` file that `tapeproof verify-proof` reads. */
export const PROOF_PATH = `${API_PREFIX}/audit/:eventId/proof`;
/** Server-sent events (events.ts). */
export const EVENTS_PATH = `${API_PREFIX}/events`;
export const OPENAPI_PATH = '/openapi.json';

export type RouteName = keyof typeof ROUTES;
export type RouteResponse<Name extends RouteName> = z.infer<(typeof ROUTES)[Name]['response']>;
export type RouteQuery<Name extends RouteName> = z.infer<(typeof ROUTES)[Name]['query']>;
