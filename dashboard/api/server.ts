import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import { fastifySSE } from '@fastify/sse';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { allowedHosts } from '../../platform/health/allowed-hosts.ts';
import type { Log } from '../../platform/log.ts';
import type { Telemetry } from '../../platform/telemetry.ts';
import { OPENAPI_PATH } from '../contract/routes.ts';
import { API_PREFIX } from '../contract/values.ts';
import { bearerCheck } from './authorization.ts';
import { addDescription } from './description.ts';
import { LiveFeed, VIEWERS_MAX } from './live-feed.ts';
import { ApiProblem, problemBody, problemOf } from './problems.ts';
import type { ReadModels } from './read-models.ts';
import { addRoutes } from './routes.ts';
import { addWebPage } from './web-page.ts';

const HEADER_BYTES_MAX = 8_192;
const URL_CHARACTERS_MAX = 2_048;
/** The longest name of an instrument, with every character encoded. */
const PARAMETER_CHARACTERS_MAX = 600;
const REQUEST_DEADLINE_MS = 10_000;
const IDLE_MS_MAX = 15_000;
const DEADLINE_CHECK_INTERVAL_MS = 1_000;
/** Besides the streams. */
const OTHER_CONNECTIONS_MAX = 500;
/** From one address in a minute: a page asks some dozens of times, a script may ask fifty times a second. */
export const REQUESTS_PER_MINUTE_MAX = 3_000;
const RATE_WINDOW_MS = 60_000;
/** Addresses whose requests are counted; the one that was quiet longest makes room. */
const RATE_ADDRESSES_MAX = 10_000;

export interface DashboardServerSettings {
  readonly models: ReadModels;
  readonly telemetry: Telemetry;
  readonly log: Log;
  /** The clock, microseconds since 1970. */
  readonly nowUs: () => number;
  /** The address that it will listen on. */
  readonly host: string;
  /** Names by which it may be asked, besides its address and localhost. */
  readonly names: readonly string[];
  /** Undefined where none is required. */
  readonly token: string | undefined;
  /** The folder of the built web page. */
  readonly webFolder: string;
  /** Requests from one address in a minute. */
  readonly requestsPerMinuteMax?: number;
}

export interface DashboardServer {
  readonly app: FastifyInstance;
  readonly feed: LiveFeed;
}

/** The API and the web page, ready to listen or, in a test, to be asked directly. */
export async function createDashboardServer(settings: DashboardServerSettings): Promise<DashboardServer> {
  const app = fastify({
    logger: false,
    bodyLimit: 1,
    requestTimeout: REQUEST_DEADLINE_MS,
    keepAliveTimeout: IDLE_MS_MAX,
    forceCloseConnections: true,
    http: { maxHeaderSize: HEADER_BYTES_MAX, connectionsCheckingInterval: DEADLINE_CHECK_INTERVAL_MS },
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS_MAX },
    frameworkErrors: (error, _request, reply) => {
      sendProblem(reply, problemOf(error));
    },
    clientErrorHandler: refuseUnreadable,
  });
  app.server.maxConnections = VIEWERS_MAX + OTHER_CONNECTIONS_MAX;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  const { telemetry, log, models, nowUs } = settings;
  const feed = new LiveFeed({ models, telemetry, log, nowUs });
  await addPlugins(app, settings);
  addGuards(app, settings);
  addTelemetry(app, settings);
  addRoutes(app, settings, feed);
  await addWebPage(app, settings.webFolder);
  app.addHook('preClose', (done) => {
    feed.close();
    done();
  });
  await app.ready();
  return { app, feed };
}

async function addPlugins(app: FastifyInstance, { requestsPerMinuteMax }: DashboardServerSettings): Promise<void> {
  const self = ["'self'"];
  const none = ["'none'"];
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        ...{ defaultSrc: self, scriptSrc: self, styleSrc: self, connectSrc: self, fontSrc: self },
        imgSrc: ["'self'", 'data:'],
        ...{ objectSrc: none, baseUri: none, formAction: none, frameAncestors: none },
      },
    },
    // Served without TLS on the own machine; a proxy in front of it sets this.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
  });
  await app.register(rateLimit, {
    global: true,
    max: requestsPerMinuteMax ?? REQUESTS_PER_MINUTE_MAX,
    timeWindow: RATE_WINDOW_MS,
    cache: RATE_ADDRESSES_MAX,
    errorResponseBuilder: (_request, { max, after }) =>
      new ApiProblem(
        'TOO_MANY_REQUESTS',
        `More than ${max} requests came from this address within a minute: wait ${after}, then ask less often.`,
      ),
  });
  await app.register(fastifySSE, { heartbeatInterval: 0 });
  await addDescription(app);
}

/** What is refused before a route is asked, and how refusals look. */
function addGuards(app: FastifyInstance, { host, names, token }: DashboardServerSettings): void {
  const isAllowed = allowedHosts(host, names);
  const check = token === undefined ? undefined : bearerCheck(token);
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('cache-control', 'no-store');
    assertReadable(request, isAllowed);
    done();
  });
  // After the count of requests, which bounds guessing.
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.url.startsWith(API_PREFIX) || request.url.startsWith(OPENAPI_PATH)) {
      check?.(request.headers.authorization);
    }
    done();
  });
  app.setErrorHandler((error, _request, reply) => {
    sendProblem(reply, problemOf(error), error);
  });
}

function assertReadable(
  { method, url, headers }: FastifyRequest,
  isAllowed: (host: string | undefined) => boolean,
): void {
  if (!isAllowed(headers.host)) {
    throw new ApiProblem(
      'MISDIRECTED',
      'This server is not known by that host name: ask it by its address, or start it with --http-names NAME.',
    );
  }
  if (method !== 'GET' && method !== 'HEAD') {
    throw new ApiProblem('METHOD_NOT_ALLOWED', 'This server only reads: send GET or HEAD.');
  }
  if (url.length > URL_CHARACTERS_MAX) {
    throw new ApiProblem('URL_TOO_LONG', `The address is longer than ${URL_CHARACTERS_MAX} characters: shorten it.`);
  }
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0) {
    throw new ApiProblem('BODY_NOT_ACCEPTED', 'This server only reads: send the request without a body.');
  }
}

/** Where the problem of a request is noted for the telemetry. */
const PROBLEM = Symbol('problem');

interface Noted {
  [PROBLEM]?: { readonly problem: ApiProblem; readonly error: unknown };
}

function sendProblem(reply: FastifyReply, problem: ApiProblem, error: unknown = problem): void {
  (reply as Noted)[PROBLEM] = { problem, error };
  if (problem.kind === 'METHOD_NOT_ALLOWED') void reply.header('allow', 'GET, HEAD');
  if (problem.kind === 'UNAUTHORIZED') void reply.header('www-authenticate', 'Bearer');
  if (problem.kind === 'BUSY') void reply.header('retry-after', '5');
  void reply
    .code(problem.statusCode)
    .type('application/problem+json')
    .send(JSON.stringify(problemBody(problem)));
}

function addTelemetry(app: FastifyInstance, { telemetry: { metrics }, log }: DashboardServerSettings): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.count('tapeproof_dashboard_requests_total', { route, status: String(reply.statusCode) });
    metrics.observe('tapeproof_dashboard_request_seconds', { route }, reply.elapsedTime / 1_000);
    const noted = (reply as Noted)[PROBLEM];
    if (noted !== undefined) {
      const { problem, error } = noted;
      metrics.count('tapeproof_dashboard_refusals_total', { problem: problem.kind });
      if (problem.statusCode >= 500) {
        log.sampled('dashboard-request-failed')?.(`${route}: ${problem.message}`, {
          'http.response.status_code': problem.statusCode,
          error: error instanceof Error ? error : new Error(String(error)),
        });
      }
    }
    done();
  });
}

/** Bytes that are not a request of HTTP, or that never become one. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return;
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new ApiProblem('HEADERS_TOO_LARGE', `The headers are larger than ${HEADER_BYTES_MAX} bytes: shorten them.`)
      : new ApiProblem(
          'INVALID_REQUEST',
          'This is not a request of HTTP/1.1, or it did not end in time: send another.',
        );
  const body = JSON.stringify(problemBody(problem));
  socket.end(
    `HTTP/1.1 ${problem.statusCode} Refused\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
