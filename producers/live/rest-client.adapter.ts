import type { HistoryRequest, VenueLimits } from '../venue.ts';
import { retryAfterMs, saysToWait } from './backoff.ts';
import type { Conceal } from './concealed.ts';

/** A full page has a few hundred kilobytes. */
const PAGE_BYTES_MAX = 8 * 1024 * 1024;
const DETAIL_LENGTH_MAX = 200;
const OK = 200;
/** The wait where the venue forbids requests without saying for how long. */
export const RETRY_AFTER_DEFAULT_MS = 60_000;

/** The result of one request. */
export type RestAnswer =
  | { readonly outcome: 'ok'; readonly status: number; readonly text: string; readonly usedWeight: number | undefined }
  | { readonly outcome: 'rate-limited'; readonly status: number; readonly retryAfterMs: number }
  | {
      readonly outcome: 'failed';
      /** Undefined where there was no answer. */
      readonly status: number | undefined;
      /** For people; untrusted text. */
      readonly detail: string;
    };

/** One request to a venue, and its answer. Never throws; the signal ends it. */
export type FetchPage = (request: HistoryRequest, signal: AbortSignal) => Promise<RestAnswer>;

export interface RestOptions {
  /** Response header with the weight used so far, lower case, where the venue sends one. */
  readonly usedWeightHeader: string | undefined;
  readonly limits: Pick<VenueLimits, 'waitStatuses'>;
  readonly timeoutMs: number;
  /** Besides the usual ones; a secret may be among them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The text of an answer; by default it is UTF-8. An error is an answer that failed. */
  readonly decode?: (body: Buffer, contentType: string | null) => string;
  /** Applied to the venue's words before they are shortened; omitted where no secret is sent. */
  readonly conceal?: Conceal;
  readonly signal: AbortSignal;
}

/** One GET, bounded in time and size. Never throws. */
export async function get(
  url: string,
  { usedWeightHeader, limits, timeoutMs, headers, decode = utf8, conceal = (text) => text, signal }: RestOptions,
): Promise<RestAnswer> {
  let status: number | undefined;
  try {
    const response = await fetch(url, {
      method: 'GET',
      redirect: 'error',
      credentials: 'omit',
      cache: 'no-store',
      headers: { accept: 'application/json', ...headers },
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    ({ status } = response);
    if (saysToWait(status, limits)) {
      await response.body?.cancel();
      const waitMs = retryAfterMs(response.headers.get('retry-after'), Date.now()) ?? RETRY_AFTER_DEFAULT_MS;
      return { outcome: 'rate-limited', status, retryAfterMs: waitMs };
    }
    const body = await bodyOf(response, PAGE_BYTES_MAX);
    const text = conceal(decode(body, response.headers.get('content-type')));
    if (status !== OK) return failed(status, text);
    const used = usedWeightHeader === undefined ? null : response.headers.get(usedWeightHeader);
    const usedWeight = used !== null && /^\d{1,9}$/.test(used) ? Number(used) : undefined;
    return { outcome: 'ok', status, text, usedWeight };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return failed(status, conceal(cause instanceof Error ? cause.message : String(cause)));
  }
}

function failed(status: number | undefined, detail: string): RestAnswer {
  return { outcome: 'failed', status, detail: detail.slice(0, DETAIL_LENGTH_MAX) };
}

/** The body of an answer as text. @throws Error where it has more bytes than these */
export async function textOf(response: Response, bytesMax: number): Promise<string> {
  return utf8(await bodyOf(response, bytesMax));
}

function utf8(body: Buffer): string {
  return body.toString('utf8');
}

async function bodyOf(response: Response, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`the answer has more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
