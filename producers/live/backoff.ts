import type { VenueLimits } from '../venue.ts';

/** The delay is not doubled more often than this. */
const DOUBLINGS_MAX = 30;

/**
 * A random delay, uniform between the minimum and a bound that doubles with each attempt, so that clients cut off
 * together do not return together.
 *
 * @param attempt from 1
 * @param random from [0, 1)
 */
export function backoffMs(attempt: number, leastMs: number, mostMs: number, random: number): number {
  const doubled = leastMs * 2 * (1 << Math.min(attempt - 1, DOUBLINGS_MAX - 1));
  const upperMs = Math.max(leastMs, Math.min(mostMs, doubled));
  return leastMs + random * (upperMs - leastMs);
}

const TOO_MANY_REQUESTS = 429;
const SECONDS = /^\d+$/;
const MILLISECONDS_PER_SECOND = 1_000;
/** A server that demands a longer wait is asked again after a day. */
export const RETRY_AFTER_MS_MAX = 24 * 3_600_000;

/** Whether an HTTP status means waiting: 429 (RFC 6585), or one that the venue defines. */
export function saysToWait(status: number, { waitStatuses }: Pick<VenueLimits, 'waitStatuses'>): boolean {
  return status === TOO_MANY_REQUESTS || waitStatuses?.includes(status) === true;
}

/**
 * The wait that a `Retry-After` demands (RFC 9110, 10.2.3: seconds or a date), at most {@link RETRY_AFTER_MS_MAX};
 * undefined where it cannot be parsed.
 *
 * @param wallClockMs milliseconds since 1970
 */
export function retryAfterMs(header: string | null | undefined, wallClockMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (SECONDS.test(text)) return Math.min(Number(text) * MILLISECONDS_PER_SECOND, RETRY_AFTER_MS_MAX);
  const date = /[A-Za-z]/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - wallClockMs), RETRY_AFTER_MS_MAX);
}
