import { randomBytes, type X509Certificate } from 'node:crypto';
import { TapeproofError } from '../../platform/errors.ts';
import { requestHttp, type HttpAnswer, type HttpRequest } from '../../platform/security/http.ts';
import type { TlsOptions } from '../../platform/security/tls.ts';
import { notUsable } from '../tlog/encoding.ts';
import { refused } from './certificate-path.ts';
import { digestOf, timestampRequest, tokenIn, verifyToken, type VerifiedTimestamp } from './token.ts';

/** For one time stamp. */
const DEADLINE_MS = 10_000;
/** Certificates of the whole path included; public authorities answer with 3 to 8 kB. */
const ANSWER_BYTES_MAX = 65_536;
/** A positive number in its shortest form: see `timestampRequest`. */
const NONCE_BYTES = 16;
/** Between the authority's clock and ours: with more, one of the two is wrong. */
const CLOCK_DIFFERENCE_MS_MAX = 300_000;
const US_PER_MS = 1_000;
const MS_PER_S = 1_000;

/** A time-stamping authority. */
export interface TimestampAuthority {
  /** It may hold a password, so no message repeats it. */
  readonly url: URL;
  /** Authorities that its certificate must lead to; without them it leads nowhere. */
  readonly roots?: readonly X509Certificate[] | undefined;
  readonly tls?: TlsOptions;
}

/** A time stamp that was verified, with its token. */
export interface Timestamp extends VerifiedTimestamp {
  readonly token: Buffer;
}

export interface StampingOptions {
  readonly nowMs: () => number;
  readonly deadlineMs?: number | undefined;
  /** Gives up earlier. */
  readonly signal?: AbortSignal;
}

/** @throws TapeproofError USAGE when it is not an address over HTTP or HTTPS. */
export function authorityAt(url: string, roots?: readonly X509Certificate[]): TimestampAuthority {
  const parsed = URL.parse(url);
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return { url: parsed, roots };
  throw new TapeproofError(
    'USAGE',
    'The address of the time-stamping authority is not a valid URL: give http://… or https://….',
  );
}

/** Its name without whatever the address may hold that is secret: scheme, host and port. */
export function nameOf({ url }: TimestampAuthority): string {
  return url.origin;
}

/**
 * Has a text stamped with the time, and verifies the answer.
 *
 * @param noteText - of the signed note, with its newline at the end.
 * @throws TapeproofError UNREACHABLE when the authority does not answer in time or is out of order; CHECK_FAILED when it
 *   rejects the request or its answer must not be believed; NOT_USABLE when its answer is not a time stamp.
 */
export async function stampedBy(
  authority: TimestampAuthority,
  noteText: string,
  { nowMs, deadlineMs = DEADLINE_MS, signal }: StampingOptions,
): Promise<Timestamp> {
  const digest = digestOf(noteText);
  const nonce = randomBytes(NONCE_BYTES);
  nonce[0] = ((nonce[0] ?? 0) & 0x3f) | 0x40;
  const { status, bytes } = await ask(authority, timestampRequest(digest, nonce), { deadlineMs, signal });
  try {
    if (status !== 200) throw new TapeproofError(...declined(status));
    if (bytes.length > ANSWER_BYTES_MAX) throw notUsable(`The answer has more than ${ANSWER_BYTES_MAX} bytes`);
    const token = tokenIn(bytes);
    const verified = verifyToken(token, { digest, nonce, roots: authority.roots });
    const differenceMs = Math.abs(verified.timeUs / US_PER_MS - nowMs());
    if (differenceMs > CLOCK_DIFFERENCE_MS_MAX) {
      const seconds = Math.round(differenceMs / MS_PER_S);
      throw refused(`differs from the clock of this machine by ${seconds} s: one of the two clocks is wrong`);
    }
    return { ...verified, token };
  } catch (error) {
    if (!(error instanceof TapeproofError)) throw error;
    throw new TapeproofError(error.code, `${nameOf(authority)}: ${error.message}`, { cause: error });
  }
}

async function ask(
  authority: TimestampAuthority,
  body: Buffer,
  bounds: Pick<HttpRequest, 'deadlineMs' | 'signal'>,
): Promise<HttpAnswer> {
  const { url, tls = {} } = authority;
  try {
    return await requestHttp(url.href, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query', 'content-length': String(body.length) },
      ...{ body, tls, ...bounds },
    });
  } catch (error) {
    throw new TapeproofError(
      'UNREACHABLE',
      `The time-stamping authority ${nameOf(authority)} does not answer (${(error as Error).message}).`,
      { cause: error },
    );
  }
}

/** Out of order or busy: later; else it does not serve us. */
function declined(status: number): ['UNREACHABLE' | 'CHECK_FAILED', string] {
  const isPassing = status >= 500 || status === 408 || status === 429;
  return [isPassing ? 'UNREACHABLE' : 'CHECK_FAILED', `It answers with the HTTP status ${status}.`];
}
