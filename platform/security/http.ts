import { Agent as PlainAgent, request as requestPlain } from 'node:http';
import { Agent as TlsAgent, request as requestTls } from 'node:https';
import type { TlsOptions } from './tls.ts';

const ANSWER_BYTES_MAX = 16 * 1_048_576;
/** Less than what servers and what stands before them wait for a request. */
const IDLE_MS_MAX = 10_000;
const KEPT = { keepAlive: true, timeout: IDLE_MS_MAX };
/** They hold no process: an idle connection does not count as work. Other TLS options are another connection. */
const AGENTS = { plain: new PlainAgent(KEPT), tls: new TlsAgent(KEPT) };

export interface HttpRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly deadlineMs: number;
  /** Gives up earlier. */
  readonly signal?: AbortSignal | undefined;
  readonly tls: TlsOptions;
  /**
   * Keeps the connection for the next request to the server, for one that is asked every few seconds. A request that
   * meets a connection which the server has just closed is sent again over a new one: its method must allow that.
   */
  readonly keepsConnection?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  /** What the text was decoded from. */
  readonly bytes: Buffer;
}

/**
 * One request over HTTP or HTTPS: Node's `fetch` takes neither a certificate authority nor a URL with a password.
 * Redirects are not followed: they would carry the password elsewhere.
 */
export async function requestHttp(url: string, request: HttpRequest): Promise<HttpAnswer> {
  const deadline = AbortSignal.timeout(request.deadlineMs);
  const signal = request.signal === undefined ? deadline : AbortSignal.any([deadline, request.signal]);
  const limited = { ...request, signal };
  try {
    if (request.keepsConnection !== true) return await sendOnce(url, limited, false);
    return await sendOnce(url, limited, true).catch((error: unknown) => {
      if (error instanceof StaleConnection) return sendOnce(url, limited, false);
      throw error;
    });
  } catch (error) {
    throw deadline.aborted ? new Error(`no answer within ${request.deadlineMs / 1_000} s`, { cause: error }) : error;
  }
}

/** A kept connection ended before it answered. */
class StaleConnection extends Error {}

function sendOnce(url: string, request: HttpRequest, keepsConnection: boolean): Promise<HttpAnswer> {
  const { method, headers, body, signal, tls } = request;
  return new Promise((resolve, reject) => {
    const isTls = new URL(url).protocol === 'https:';
    const agent = keepsConnection && (isTls ? AGENTS.tls : AGENTS.plain);
    const send = isTls ? requestTls : requestPlain;
    const sent = send(url, { method, headers, agent, signal, ...tls }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) response.destroy(new Error(`the answer has more than ${ANSWER_BYTES_MAX} bytes`));
        else chunks.push(chunk);
      });
      response.on('end', () => {
        const whole = Buffer.concat(chunks);
        resolve({ status: response.statusCode ?? 0, text: whole.toString('utf8'), bytes: whole });
      });
      response.on('error', reject);
    });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      const isStale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      reject(isStale ? new StaleConnection(error.message, { cause: error }) : error);
    });
    sent.end(body);
  });
}
