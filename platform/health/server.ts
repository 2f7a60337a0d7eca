import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { TapeproofError } from '../errors.ts';
import type { Telemetry } from '../telemetry.ts';
import { redact } from '../security/redaction.ts';
import { allowedHosts } from './allowed-hosts.ts';
import { BoundedConnections } from './connections.ts';
import type { EventLoopWatch } from './event-loop.ts';

const HEADER_BYTES_MAX = 8_192;
const REQUEST_DEADLINE_MS = 2_000;
const IDLE_MS_MAX = 15_000;
/** A client that neither sends nor reads for this long is disconnected. */
const SILENCE_MS_MAX = 20_000;
/** More than the legitimate clients at any one time; one beyond it drops the oldest idle connection. */
const CONNECTIONS_MAX = 64;
const DEADLINE_CHECK_INTERVAL_MS = 1_000;

export interface HealthServerOptions {
  readonly service: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Names by which it may be addressed, besides its address and localhost. */
  readonly names?: readonly string[];
  readonly telemetry: Telemetry;
  readonly eventLoop: EventLoopWatch;
}

export interface HealthServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Answers GET and HEAD of /metrics (Prometheus' text format), /health (200 while the process is alive, else 503) and
 * /ready (200 while it can do its work, else 503), both with the checks as JSON. A request for another host is refused (421).
 *
 * @throws TapeproofError UNREACHABLE when the address cannot be listened on.
 */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { host, names = [] } = options;
  const isAllowed = allowedHosts(host, names);
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_DEADLINE_MS,
      requestTimeout: REQUEST_DEADLINE_MS,
      keepAliveTimeout: IDLE_MS_MAX,
      connectionsCheckingInterval: DEADLINE_CHECK_INTERVAL_MS,
    },
    (request, response) => {
      if (isAllowed(request.headers.host)) void answer(request, response, options);
      else refuseHost(request, response);
    },
  );
  server.setTimeout(SILENCE_MS_MAX);
  new BoundedConnections(server, CONNECTIONS_MAX);
  const port = await listen(server, host, options.port);
  return {
    host,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(refusal(error, host, port));
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

function refusal(error: NodeJS.ErrnoException, host: string, port: number): TapeproofError {
  const place = `Port ${port} of ${host}`;
  const sentence =
    error.code === 'EADDRINUSE'
      ? `${place} is in use: give another with --http-port or TAPEPROOF_HTTP_PORT, or 0 for a free one.`
      : `${place} cannot be listened on (${error.message}): give another address with --http-host and --http-port.`;
  return new TapeproofError('UNREACHABLE', sentence, { cause: error });
}

function refuseHost(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  const sentence =
    'This host name is not served here. Use the address of the server or localhost, or allow the name with --http-names or TAPEPROOF_HTTP_NAMES.\n';
  respond(request, response, 421, 'text/plain; charset=utf-8', sentence);
}

async function answer(request: IncomingMessage, response: ServerResponse, options: HealthServerOptions): Promise<void> {
  const { metrics, health } = options.telemetry;
  // A request's body is never read.
  request.resume();
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    respond(request, response, 405, 'text/plain; charset=utf-8', 'Only GET and HEAD.\n', { allow: 'GET, HEAD' });
    return;
  }
  const [path] = (request.url ?? '').split('?');
  if (path === '/metrics') {
    try {
      respond(request, response, 200, metrics.contentType, await metrics.text());
    } catch (error) {
      respond(request, response, 500, 'text/plain; charset=utf-8', `${(error as Error).message}\n`);
    }
  } else if (path === '/health') {
    const isAlive = health.isAlive && options.eventLoop.isResponsive;
    respondChecks(request, response, isAlive, 'alive', options);
  } else if (path === '/ready') {
    const isReady = health.isReady && options.eventLoop.isResponsive;
    respondChecks(request, response, isReady, 'ready', options);
  } else {
    respond(request, response, 404, 'text/plain; charset=utf-8', 'Only /metrics, /health and /ready exist.\n');
  }
}

function respondChecks(
  request: IncomingMessage,
  response: ServerResponse,
  isWell: boolean,
  question: 'alive' | 'ready',
  { service, telemetry, eventLoop }: HealthServerOptions,
): void {
  const checks = Object.fromEntries(
    [...telemetry.health.parts].map(([part, state]) => [part, { ok: state[question], detail: state.detail }]),
  );
  const body = {
    status: isWell ? 'ok' : 'failing',
    service,
    checks: {
      ...checks,
      'event-loop': { ok: eventLoop.isResponsive, detail: `blocked for at most ${eventLoop.delayMs} ms recently` },
    },
  };
  respond(request, response, isWell ? 200 : 503, 'application/json; charset=utf-8', `${JSON.stringify(body)}\n`);
}

function respond(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = redact(text);
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
