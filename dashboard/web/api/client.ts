import type { Problem } from '../../contract/problem.ts';
import { token } from './token.ts';

/** Where the server's routes begin. */
export const API_PREFIX = '/api/v1';
/** An audit may read thousands of records; everything else answers within a second. */
const ANSWER_TIMEOUT_MS = 60_000;

/** Why there is no answer, in sentences for people. */
export class ApiFailure extends Error {
  /** HTTP status; 0 where the server was not reached. */
  readonly status: number;
  readonly title: string;

  constructor(status: number, title: string, sentence: string) {
    super(sentence);
    [this.status, this.title] = [status, title];
  }
}

/**
 * The answer of a route.
 *
 * @param path after the prefix, such as `/instruments`
 * @throws ApiFailure with the server's sentence, or with one that says that it was not reached
 */
export async function answerOf<Answer>(path: string, signal: AbortSignal): Promise<Answer> {
  const response = await responseOf(path, 'application/json', signal);
  return (await response.json()) as Answer;
}

/** The bytes of a route that answers with a file. @throws ApiFailure as `answerOf` */
export async function bytesOf(path: string, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const response = await responseOf(path, '*/*', signal);
  return new Uint8Array(await response.arrayBuffer());
}

/** The headers that a request needs: the token where one was given. */
export function authorization(): Record<string, string> {
  return token.value === '' ? {} : { authorization: `Bearer ${token.value}` };
}

async function responseOf(path: string, accept: string, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`${API_PREFIX}${path}`, {
      ...{ headers: { accept, ...authorization() }, credentials: 'omit', redirect: 'error' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiFailure(0, 'The server does not answer', 'Look whether the dashboard still runs there.');
  }
  if (!response.ok) throw await failureOf(response);
  return response;
}

/** A proxy in between may answer with anything. */
async function failureOf(response: Response): Promise<ApiFailure> {
  try {
    const { status, title, detail } = (await response.json()) as Problem;
    return new ApiFailure(status, title, detail);
  } catch {
    return new ApiFailure(response.status, 'The server refused this', `It answered with HTTP ${response.status}.`);
  }
}
