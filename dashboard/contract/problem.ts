import { z } from 'zod';

/** Why a request is refused: RFC 9457, `application/problem+json`. */
export const problem = z
  .strictObject({
    type: z.string().describe('urn:tapeproof:problem: and the kind of problem'),
    title: z.string().describe('the kind of problem, for people'),
    status: z.int().describe('the HTTP status'),
    detail: z.string().describe('one sentence: what, where, what to do'),
    service: z
      .enum(['kafka', 'registry', 'postgres', 'redis'])
      .optional()
      .describe('of STORE_DOWN: the service that does not answer'),
  })
  .meta({ id: 'Problem', description: 'why a request is refused (RFC 9457)' });

export type Problem = z.infer<typeof problem>;

/** Every kind of problem, with its HTTP status and title. */
export const PROBLEMS = {
  INVALID_REQUEST: { status: 400, title: 'The request is not valid' },
  UNAUTHORIZED: { status: 401, title: 'A token is required' },
  NOT_FOUND: { status: 404, title: 'There is no such thing' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'Only reading is allowed' },
  NOT_ACCEPTABLE: { status: 406, title: 'The answer has another type' },
  CHECK_FAILED: { status: 409, title: 'The log is not what it should be' },
  BODY_NOT_ACCEPTED: { status: 413, title: 'A request has no body here' },
  URL_TOO_LONG: { status: 414, title: 'The address is too long' },
  MISDIRECTED: { status: 421, title: 'The host name is not one of this server' },
  TOO_MANY_REQUESTS: { status: 429, title: 'Too many requests' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The headers are too large' },
  INTERNAL: { status: 500, title: 'An error of this server' },
  STORE_DOWN: { status: 503, title: 'A service does not answer' },
  NOT_SET_UP: { status: 503, title: 'Something is not set up yet' },
  BUSY: { status: 503, title: 'The server does as much as it may' },
  TOO_SLOW: { status: 504, title: 'The answer took too long' },
} as const;

export type ProblemKind = keyof typeof PROBLEMS;

export function problemType(kind: ProblemKind): string {
  return `urn:tapeproof:problem:${kind.toLowerCase().replaceAll('_', '-')}`;
}
