import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import type { InstrumentsEvent } from '../../dashboard/contract/events.ts';
import { instrumentsEvent, pipelineEvent } from '../../dashboard/contract/events.ts';
import { PROBLEMS, problem, problemType, type ProblemKind } from '../../dashboard/contract/problem.ts';
import { ROUTES, type RouteName } from '../../dashboard/contract/routes.ts';
import { formatProof } from '../../proofs/tlog/tlog-proof.ts';
import { proofOf, treeOf } from '../support/signed-log.ts';
import { fixtureAudit } from './fixture-audit.ts';
import { fixtureMarket, type FixtureMarket } from './fixture-market.ts';
import { fixtureActivations, fixtureDeadLetters, fixturePipeline } from './fixture-pipeline.ts';
import { fixtureReliability, fixtureScores, fixtureSkills, fixtureSpans, fixtureTrials } from './fixture-scores.ts';

export const DIST_FOLDER = join(import.meta.dirname, '..', '..', 'dashboard', 'web', 'dist');
/** A name of a venue that may stand in no path as it is. */
export const ODD_INSTRUMENT = 'ES/H6 50%?#@cme';
const HEARTBEAT_MS = 1_000;
const POLICY =
  "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  ...{ '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' },
  '.woff2': 'font/woff2',
};

/**
 * The built page with an API of made-up data, as strict as the contract's schemas: stands for the real server in
 * tests of the page. Loopback only.
 */
export class FixtureServer {
  readonly markets: readonly FixtureMarket[];
  readonly #nowUs = Date.now() * 1_000;
  readonly #viewers = new Set<ServerResponse>();
  readonly #server: Server;
  readonly #heartbeat: NodeJS.Timeout;
  #downService: 'redis' | 'postgres' | undefined;
  #token: string | undefined;
  #isSilent = false;
  #eventId = 0;

  private constructor() {
    const instruments = [
      {
        instrument: 'BTC-USDT@binance',
        displayName: 'BTC-USDT@binance',
        price: 64_120,
        binSize: 25,
        seed: 1,
        ageMs: 400,
      },
      {
        instrument: 'ETH-USDT@binance',
        displayName: 'ETH-USDT@binance',
        price: 3_318,
        binSize: 2,
        seed: 2,
        ageMs: 700,
      },
      { instrument: 'EURUSD@lmax', displayName: 'EURUSD@lmax', price: 1.0824, binSize: 0.0002, seed: 5, ageMs: 900 },
      { instrument: ODD_INSTRUMENT, displayName: ODD_INSTRUMENT, price: 5_612, binSize: 1, seed: 7, ageMs: 5_400_000 },
    ];
    this.markets = instruments.map((seed) => fixtureMarket(seed, this.#nowUs));
    this.#server = createServer((request, response) => {
      void this.#answer(request, response);
    });
    this.#heartbeat = setInterval(() => {
      this.#beat();
    }, HEARTBEAT_MS);
  }

  static async start(): Promise<FixtureServer> {
    const started = new FixtureServer();
    started.#server.listen(0, '127.0.0.1');
    await once(started.#server, 'listening');
    return started;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Another price of the first instrument, as an event. */
  publishPrice(price: string): void {
    const { state } = this.markets[0]!.overview;
    this.#publish('instruments', {
      ...{ asOfUs: Date.now() * 1_000, isComplete: false },
      instruments: [{ ...state, price, priceTimeUs: Date.now() * 1_000, ageMs: 0 }],
    });
  }

  /** Lets a store be down, or all of them be up again. */
  setDown(service: 'redis' | 'postgres' | undefined): void {
    this.#downService = service;
  }

  /** Demands a bearer token from now on; undefined: no more. */
  setToken(token: string | undefined): void {
    this.#token = token;
  }

  /** Sends nothing more, and leaves new streams without an answer, as over a half-open connection. */
  setSilent(isSilent: boolean): void {
    this.#isSilent = isSilent;
  }

  /** Cuts every open stream. */
  dropViewers(): void {
    for (const viewer of this.#viewers) viewer.destroy();
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.dropViewers();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.address);
    if (!url.pathname.startsWith('/api/')) {
      await this.#sendFile(url.pathname, response);
      return;
    }
    if (this.#token !== undefined && request.headers.authorization !== `Bearer ${this.#token}`) {
      refuse(response, 'UNAUTHORIZED', 'Send the token of this server.');
      return;
    }
    if (url.pathname === '/api/v1/events') this.#subscribe(response);
    else if (url.pathname.endsWith('/proof')) response.end(formatProof(proofOf(treeOf(20), 11)));
    else this.#sendAnswer(url, response);
  }

  #sendAnswer(url: URL, response: ServerResponse): void {
    const [, , , ...parts] = url.pathname.split('/').map(decodeURIComponent);
    const [name, route] = this.#routeOf(parts);
    const down = this.#downService;
    if (down !== undefined && down === storeOf(name)) {
      const store = down === 'redis' ? 'Redis' : 'Postgres';
      refuse(response, 'STORE_DOWN', `${store} does not answer at 127.0.0.1: look whether it runs.`, down);
      return;
    }
    if (name === undefined) {
      refuse(response, 'NOT_FOUND', `There is no instrument or event of that name: look at ${parts.join(' ')}.`);
      return;
    }
    const query = ROUTES[name].query.parse(Object.fromEntries(url.searchParams)) as Readonly<Record<string, unknown>>;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(ROUTES[name].response.parse(route(query))));
  }

  #routeOf(parts: readonly string[]): readonly [RouteName, Answer] | readonly [undefined, undefined] {
    const [first = '', second, third] = parts;
    const asOfUs = Date.now() * 1_000;
    const market = this.markets.find(({ instrument }) => instrument === second);
    const instrument = market?.instrument ?? '';
    if (first === 'instruments' && second === undefined) {
      const instruments = this.markets.map(({ overview }) => overview);
      return ['instruments', () => ({ asOfUs, instruments, total: instruments.length })];
    }
    if (first === 'instruments' && market !== undefined) return marketRoute(market, third, asOfUs);
    if (first === 'audit' && second?.startsWith('decision-3-') === true) {
      return ['audit', ({ verify }) => fixtureAudit(second, verify === true)];
    }
    const common: Readonly<Record<string, readonly [RouteName, Answer]>> = {
      scores: ['scores', () => this.#scores()],
      reliability: [
        'reliability',
        ({ instrument: of }) => {
          const diagrams = fixtureReliability(typeof of === 'string' ? of : instrument);
          return { diagrams, total: diagrams.length };
        },
      ],
      trials: ['trials', () => ({ trials: fixtureTrials(this.#nowUs), total: 12, nextCursor: null })],
      pipeline: ['pipeline', () => fixturePipeline(asOfUs)],
      'dead-letters': ['deadLetters', pageOfDeadLetters],
      activations: ['activations', () => ({ activations: fixtureActivations(this.#nowUs), total: 2 })],
    };
    return common[first] ?? [undefined, undefined];
  }

  #scores(): unknown {
    const rows = this.markets.slice(0, 2).flatMap(({ instrument }) => fixtureScores(instrument));
    const note = 'The intervals of the other figures are in "tapeproof scoreboard".';
    return { rows, total: rows.length, effectiveNMin: 30, note };
  }

  #subscribe(response: ServerResponse): void {
    if (this.#isSilent) return;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    this.#viewers.add(response);
    response.on('close', () => this.#viewers.delete(response));
    if (this.#downService !== 'redis') {
      const instruments = this.markets.map(({ overview }) => overview.state);
      this.#publish('instruments', { asOfUs: Date.now() * 1_000, isComplete: true, instruments }, [response]);
    }
    this.#beat();
  }

  #beat(): void {
    const services = (['kafka', 'registry', 'postgres', 'redis'] as const).map((name) => ({
      ...{ name, up: name !== this.#downService },
      reason: name === this.#downService ? 'it does not answer' : null,
    }));
    const event = pipelineEvent.parse({ asOfUs: Date.now() * 1_000, services, viewers: this.#viewers.size });
    this.#send('pipeline', event, this.#viewers);
  }

  #publish(name: 'instruments', event: InstrumentsEvent, to: Iterable<ServerResponse> = this.#viewers): void {
    this.#send(name, instrumentsEvent.parse(event), to);
  }

  #send(name: string, event: unknown, to: Iterable<ServerResponse>): void {
    if (this.#isSilent) return;
    this.#eventId += 1;
    for (const viewer of to) {
      viewer.write(`id: ${this.#eventId}\nevent: ${name}\ndata: ${JSON.stringify(event)}\n\n`);
    }
  }

  /** Every path that names no file is the page: its routes are in the browser. */
  async #sendFile(path: string, response: ServerResponse): Promise<void> {
    response.setHeader('content-security-policy', POLICY);
    const name = path.startsWith('/assets/') ? path : '/index.html';
    try {
      const bytes = await readFile(join(DIST_FOLDER, name));
      response.setHeader('content-type', MEDIA_TYPES[extname(name)] ?? 'application/octet-stream');
      response.end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  }
}

type Answer = (query: Readonly<Record<string, unknown>>) => unknown;

function marketRoute(
  { instrument, points, decisions, profile, overview }: FixtureMarket,
  part: string | undefined,
  asOfUs: number,
): readonly [RouteName, Answer] | readonly [undefined, undefined] {
  const isWithin = (timeUs: number, { fromUs }: Readonly<Record<string, unknown>>): boolean =>
    typeof fromUs !== 'number' || timeUs >= fromUs;
  switch (part) {
    case undefined:
      return ['instrument', () => ({ asOfUs, instrument: overview })];
    case 'series':
      return [
        'series',
        (query) => ({
          ...{ instrument, fromUs: points[0]?.timeUs ?? null, toUs: asOfUs, spanUs: 60_000_000 },
          rule: 'The last snapshot of each minute.',
          points: points.filter(({ timeUs }) => isWithin(timeUs, query)),
        }),
      ];
    case 'decisions':
      return [
        'decisions',
        (query) => {
          const { status, direction, limit, cursor } = query;
          const found = decisions.filter(
            (each) =>
              isWithin(each.timeUs, query) &&
              (status === undefined || each.status === status) &&
              (direction === undefined || each.direction === direction),
          );
          const from = Number(cursor ?? 0);
          const to = from + Number(limit);
          return { instrument, decisions: found.slice(from, to), nextCursor: to < found.length ? String(to) : null };
        },
      ];
    case 'profile':
      return ['profile', () => profile];
    case 'skill':
      return ['skill', () => ({ instrument, rows: fixtureSkills(instrument), total: 4 })];
    case 'score-spans':
      return [
        'scoreSpans',
        ({ forecast }) => ({
          ...{ instrument, forecast, group: fixtureScores(instrument)[0]?.group, spanUs: 14_400_000_000 },
          spans: fixtureSpans(asOfUs),
        }),
      ];
    default:
      return [undefined, undefined];
  }
}

/** The store from which a route is answered; undefined for those from the log. */
function storeOf(name: RouteName | undefined): 'redis' | 'postgres' | undefined {
  if (name === 'instruments' || name === 'instrument') return 'redis';
  return name === 'audit' || name === 'pipeline' || name === undefined ? undefined : 'postgres';
}

function pageOfDeadLetters({ limit, cursor }: Readonly<Record<string, unknown>>): unknown {
  const all = fixtureDeadLetters();
  const from = Number(cursor ?? 0);
  const to = from + Number(limit);
  return { deadLetters: all.slice(from, to), total: all.length, nextCursor: to < all.length ? String(to) : null };
}

function refuse(response: ServerResponse, kind: ProblemKind, detail: string, service?: 'redis' | 'postgres'): void {
  const { status, title } = PROBLEMS[kind];
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  const named = service === undefined ? {} : { service };
  response.end(JSON.stringify(problem.parse({ type: problemType(kind), title, status, detail, ...named })));
}
