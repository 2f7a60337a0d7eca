import type { Credentials } from '../venue.ts';
import { openCcxtPages } from './ccxt-pages.adapter.ts';
import { concealing } from './concealed.ts';
import type { LivePlan } from './live-options.ts';
import { get, type FetchPage } from './rest-client.adapter.ts';

/**
 * How pages of a venue are fetched: by HTTP, or by ccxt.
 *
 * @throws TapeproofError of {@link openCcxtPages}
 */
export async function openPages(
  { venue, endpoints, timing }: LivePlan,
  credentials: Credentials | undefined,
): Promise<FetchPage> {
  const { requestTimeoutMs: timeoutMs } = timing;
  const { limits, history, account, ccxtExchange } = venue;
  const { restUrl } = endpoints;
  if (ccxtExchange !== undefined) return await openCcxtPages({ exchange: ccxtExchange, restUrl, timeoutMs });
  const headers = credentials === undefined ? {} : (account?.headers(credentials) ?? {});
  const { usedWeightHeader } = history;
  const conceal = concealing(credentials);
  return ({ path }, signal) =>
    get(`${restUrl}${path}`, { usedWeightHeader, limits, timeoutMs, headers, conceal, signal });
}
