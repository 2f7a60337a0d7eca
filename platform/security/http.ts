import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { TlsOptions } from './tls.ts';

const ANSWER_BYTES_MAX = 16 * 1_048_576;

export interface HttpRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly deadlineMs: number;
  /** Gives up earlier. */
  readonly signal?: AbortSignal | undefined;
  readonly tls: TlsOptions;
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
export function requestHttp(url: string, request: HttpRequest): Promise<HttpAnswer> {
  const { method, headers, body, deadlineMs, tls } = request;
  return new Promise((resolve, reject) => {
    const send = new URL(url).protocol === 'https:' ? requestTls : requestPlain;
    const deadline = AbortSignal.timeout(deadlineMs);
    const signal = request.signal === undefined ? deadline : AbortSignal.any([deadline, request.signal]);
    const sent = send(url, { method, headers, agent: false, signal, ...tls }, (response) => {
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
    sent.on('error', (error) => {
      reject(deadline.aborted ? new Error(`no answer within ${deadlineMs / 1_000} s`, { cause: error }) : error);
    });
    sent.end(body);
  });
}
