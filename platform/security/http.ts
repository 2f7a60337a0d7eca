import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { TlsOptions } from './tls.ts';

const ANSWER_BYTES_MAX = 16 * 1_048_576;

export interface HttpRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly deadlineMs: number;
  readonly tls: TlsOptions;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * One request over HTTP or HTTPS: Node's `fetch` takes neither a certificate authority nor a URL with a password.
 * Redirects are not followed: they would carry the password elsewhere.
 */
export function requestHttp(url: string, { method, headers, body, deadlineMs, tls }: HttpRequest): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const send = new URL(url).protocol === 'https:' ? requestTls : requestPlain;
    const signal = AbortSignal.timeout(deadlineMs);
    const sent = send(url, { method, headers, agent: false, signal, ...tls }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) response.destroy(new Error(`the answer has more than ${ANSWER_BYTES_MAX} bytes`));
        else chunks.push(chunk);
      });
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
      });
      response.on('error', reject);
    });
    sent.on('error', (error) => {
      reject(signal.aborted ? new Error(`no answer within ${deadlineMs / 1_000} s`, { cause: error }) : error);
    });
    sent.end(body);
  });
}
