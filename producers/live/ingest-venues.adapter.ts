import { TapeproofError } from '../../platform/errors.ts';
import { secretSetting, type Environment } from '../../platform/security/settings.ts';
import type { Credentials, Endpoints } from '../venue.ts';
import { writtenVenue } from '../venues/ccxt/venue.ts';
import { venueNamed } from '../venues/named.ts';
import { ingestLive } from './ingest-live.adapter.ts';
import { planOf, type LiveIngestOptions, type LiveIngestReport, type LiveStatus } from './live-options.ts';

export interface VenuesIngestOptions extends Omit<LiveIngestOptions, 'venue' | 'endpoints'> {
  /** The venue of instruments that name none; undefined where each names its own. */
  readonly venue?: string | undefined;
  /** Holds the credentials of venues that require an account. */
  readonly environment?: Environment | undefined;
  /** Replaces the venues' own addresses, by venue. */
  readonly endpoints?: Readonly<Record<string, Partial<Endpoints>>> | undefined;
}

/**
 * One live ingest for each venue that the instruments name.
 *
 * @throws TapeproofError USAGE where an instrument names no venue and none is given, or an option is not valid;
 *   CONFIGURATION where a venue requires an account and its variables are not set.
 */
export function venuePlans(options: VenuesIngestOptions): readonly LiveIngestOptions[] {
  const byVenue = new Map<string, string[]>();
  for (const given of options.instruments.map((each) => each.trim())) {
    const at = given.lastIndexOf('@');
    const name = at < 0 ? given : given.slice(0, at + 1) + writtenVenue(given.slice(at + 1));
    const venue = writtenVenue(options.venue ?? (at < 0 ? '' : given.slice(at + 1)));
    if (venue === '') {
      const words = `${JSON.stringify(name.slice(0, 64))} names no venue: give --venue, or write the instrument with it`;
      throw new TapeproofError('USAGE', `${words}, like BTC-USDT@binance.`);
    }
    byVenue.set(venue, [...(byVenue.get(venue) ?? []), name]);
  }
  const addresses = Object.entries(options.endpoints ?? {}).map(
    ([venue, each]) => [writtenVenue(venue), each] as const,
  );
  const endpoints = new Map(addresses);
  const unused = [...endpoints.keys()].find((venue) => !byVenue.has(venue));
  if (unused !== undefined) {
    const words = `An address is given for ${JSON.stringify(unused.slice(0, 64))}, of which no instrument is named`;
    throw new TapeproofError('USAGE', `${words}: write venue=address with one of ${[...byVenue.keys()].join(', ')}.`);
  }
  const plans = [...byVenue].map(([venue, instruments]): LiveIngestOptions => {
    const healthPart = byVenue.size === 1 ? 'venue' : `venue-${venue}`;
    const credentials = credentialsOf(venue, options.environment ?? {});
    return { ...options, venue, instruments, endpoints: endpoints.get(venue), healthPart, credentials };
  });
  for (const plan of plans) planOf(plan);
  return plans;
}

/**
 * The account of a venue; undefined where it requires none.
 *
 * @throws TapeproofError CONFIGURATION, whose message never repeats a value.
 */
export function credentialsOf(name: string, environment: Environment): Credentials | undefined {
  const account = venueNamed(name)?.account;
  if (account === undefined) return undefined;
  const { keyVariable, secretVariable } = account;
  const key = secretSetting(environment, keyVariable);
  const secret = secretSetting(environment, secretVariable);
  if (key !== undefined && secret !== undefined) return { key, secret };
  const words = `set ${keyVariable} and ${secretVariable}, or name their files in ${keyVariable}_FILE and ${secretVariable}_FILE.`;
  throw new TapeproofError('CONFIGURATION', `The venue ${name} requires an account: ${words}`);
}

/**
 * Takes the trades of one or more venues until the signal, each as {@link ingestLive} does; where one cannot go on, all
 * end. Venues share nothing but the process: an outage of one leaves the others as they are.
 */
export async function ingestVenues(options: VenuesIngestOptions): Promise<LiveIngestReport> {
  const plans = venuePlans(options);
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const statuses = new Map<string, LiveStatus>();
  const { onStatus } = options;
  const runs = plans.map(async (plan) => {
    const reportStatus = (status: LiveStatus): void => {
      statuses.set(plan.venue, status);
      // Once a second, not once for each venue.
      if (plan === plans[0]) onStatus?.(statusOfAll([...statuses.values()]));
    };
    try {
      return await ingestLive({ ...plan, signal, onStatus: onStatus === undefined ? undefined : reportStatus });
    } catch (error) {
      failed.abort();
      throw error;
    }
  });
  const ended = await Promise.allSettled(runs);
  const failure = ended.find((end) => end.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  return reportOfAll(ended.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : [])));
}

function statusOfAll(statuses: readonly LiveStatus[]): LiveStatus {
  const sum = (of: (status: LiveStatus) => number): number => statuses.reduce((total, each) => total + of(each), 0);
  return {
    tradesAppended: sum(({ tradesAppended }) => tradesAppended),
    tradesPerSecond: sum(({ tradesPerSecond }) => tradesPerSecond),
    waiting: sum(({ waiting }) => waiting),
    instruments: statuses.flatMap(({ instruments }) => instruments),
  };
}

function reportOfAll(reports: readonly LiveIngestReport[]): LiveIngestReport {
  const sum = (of: (report: LiveIngestReport) => number): number =>
    reports.reduce((total, each) => total + of(each), 0);
  return {
    complete: reports.every(({ complete }) => complete),
    seconds: Math.max(...reports.map(({ seconds }) => seconds)),
    tradesAppended: sum(({ tradesAppended }) => tradesAppended),
    fromHistory: sum(({ fromHistory }) => fromHistory),
    perInstrument: Object.assign({}, ...reports.map(({ perInstrument }) => perInstrument)) as Record<string, number>,
    watermarks: sum(({ watermarks }) => watermarks),
    gaps: sum(({ gaps }) => gaps),
    amendments: sum(({ amendments }) => amendments),
    deadLetters: sum(({ deadLetters }) => deadLetters),
    deadLettersNotKept: sum(({ deadLettersNotKept }) => deadLettersNotKept),
  };
}
