import { createHash, timingSafeEqual } from 'node:crypto';
import { TapeproofError } from '../../platform/errors.ts';
import { ApiProblem } from './problems.ts';

/** A shorter token could be guessed. */
export const TOKEN_LENGTH_MIN = 16;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;
const BEARER = /^Bearer ([\x21-\x7e]+)$/i;

/**
 * Whether the address and the token may go together.
 *
 * @throws TapeproofError CONFIGURATION for an address that other machines reach without a token, and for a short one.
 */
export function assertProtected(host: string, token: string | undefined): void {
  if (token === undefined) {
    if (LOOPBACK.test(host)) return;
    throw new TapeproofError(
      'CONFIGURATION',
      `At ${host} other machines could read everything: set TAPEPROOF_DASHBOARD_TOKEN or give --token-file, or leave out --host.`,
    );
  }
  if (token.length >= TOKEN_LENGTH_MIN && BEARER.test(`Bearer ${token}`)) return;
  throw new TapeproofError(
    'CONFIGURATION',
    `The token of the dashboard must be ${TOKEN_LENGTH_MIN} or more letters, digits and signs without a space: "openssl rand -hex 32" makes one.`,
  );
}

/** Refuses a request whose Authorization header does not hold the token. @throws ApiProblem UNAUTHORIZED */
export function bearerCheck(token: string): (header: string | undefined) => void {
  const expected = digestOf(token);
  return (header) => {
    const [, given = ''] = BEARER.exec(header ?? '') ?? [];
    // Of one length, whatever was given: the time of the comparison says nothing.
    if (timingSafeEqual(digestOf(given), expected)) return;
    throw new ApiProblem(
      'UNAUTHORIZED',
      'This server requires a token: send it as "Authorization: Bearer TOKEN"; its operator has it.',
    );
  };
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
