import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { FaultPlan } from './faults.ts';
import type { CapturedTrade, VenueCapture } from './venue-captures.ts';
import { pageOf, type VenueWords } from './venue-words.ts';

export interface VenueServerOptions {
  readonly words: VenueWords;
  readonly capture: VenueCapture;
  readonly plan: FaultPlan;
  readonly frameIntervalMs: number;
}

/** A venue on loopback that plays a capture once every market's first trade was requested and somebody subscribed. */
export interface VenueServer {
  readonly webSocketUrl: string;
  readonly restUrl: string;
  readonly finished: Promise<void>;
  /** Text of each message that clients sent, and the headers of their requests. */
  readonly received: readonly string[];
  readonly connections: number;
  close(): Promise<void>;
}

export async function startVenue(options: VenueServerOptions): Promise<VenueServer> {
  const venue = new PlayedVenue(options);
  return venue.start();
}

interface Client {
  readonly socket: WebSocket;
  readonly number: number;
  readonly symbols: Set<string>;
  frames: number;
  isMute: boolean;
}

class PlayedVenue {
  private readonly options: VenueServerOptions;
  private readonly shown: CapturedTrade[] = [];
  private readonly frames: readonly (readonly [text: string, trades: readonly CapturedTrade[]])[];
  private readonly unseen: Set<string>;
  private readonly clients = new Set<Client>();
  private readonly sockets = new Set<Socket>();
  private readonly received: string[] = [];
  private connections = 0;
  private requests = 0;
  private next = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(options: VenueServerOptions) {
    this.options = options;
    const { words, capture } = options;
    this.frames = capture.frames.flatMap(({ trades, text }) => {
      const fresh = trades.filter(({ symbol }) => !this.shown.some((trade) => trade.symbol === symbol));
      if (fresh.length === 0) return [[text ?? words.frame(trades), trades] as const];
      // Each market's first trade was there before anybody listened.
      this.shown.push(...fresh.slice(0, 1));
      const rest = trades.filter((trade) => trade !== fresh[0]);
      return rest.length === 0 ? [] : [[words.frame(rest), rest] as const];
    });
    this.unseen = new Set(this.shown.map(({ symbol }) => symbol));
  }

  async start(): Promise<VenueServer> {
    const { words } = this.options;
    const server = createServer((request, response) => {
      this.answer(request, response);
    });
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    const webSockets = new WebSocketServer({ server, path: words.path === '/' ? '' : words.path });
    webSockets.on('connection', (socket) => {
      this.connected(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.timer = setInterval(() => {
      if (this.unseen.size > 0 || (this.next === 0 && this.clients.size === 0)) return;
      if (!this.publish()) resolve(undefined);
    }, this.options.frameIntervalMs);
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the getter below belongs to another object
    const venue = this;
    return {
      webSocketUrl: `ws://127.0.0.1:${port}`,
      restUrl: `http://127.0.0.1:${port}`,
      finished: promise.then(() => undefined),
      received: this.received,
      get connections() {
        return venue.connections;
      },
      close: async () => {
        clearInterval(this.timer);
        for (const socket of this.sockets) socket.destroy();
        webSockets.close();
        await new Promise((closed) => server.close(closed));
      },
    };
  }

  private connected(socket: WebSocket): void {
    this.connections += 1;
    const client: Client = { socket, number: this.connections, symbols: new Set(), frames: 0, isMute: false };
    this.clients.add(client);
    socket.on('close', () => this.clients.delete(client));
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      this.received.push(text);
      if (!text.startsWith('{')) {
        socket.send('pong');
        return;
      }
      const { words } = this.options;
      for (const symbol of words.subscribed(JSON.parse(text) as Record<string, unknown>) ?? []) {
        client.symbols.add(symbol);
        const snapshot = words.snapshot?.(this.shown.filter((trade) => trade.symbol === symbol));
        if (snapshot !== undefined) socket.send(snapshot);
      }
    });
  }

  /** The next frame; false where there is none. */
  private publish(): boolean {
    const frame = this.frames[this.next];
    if (frame === undefined) return false;
    const [text, trades] = frame;
    this.next += 1;
    this.shown.push(...trades);
    for (const client of this.clients) {
      if (!client.isMute && trades.some(({ symbol }) => client.symbols.has(symbol))) this.send(client, text);
    }
    return true;
  }

  private send(client: Client, text: string): void {
    const { plan } = this.options;
    client.frames += 1;
    const { dropped, repeatFrames, malformed } = plan.frame(client.number, client.frames);
    if (malformed !== undefined) client.socket.send(text.slice(0, -3));
    if (!dropped && malformed?.place !== 'instead') client.socket.send(text);
    if (repeatFrames !== undefined) client.socket.send(text);
    const end = plan.endOf(client.number);
    if (end === undefined || client.frames < end.afterFrames) return;
    if (end.fault === 'half-open') {
      client.isMute = true;
      client.socket.pause();
    } else client.socket.terminate();
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { words, plan } = this.options;
    this.requests += 1;
    this.received.push(JSON.stringify(request.headers));
    const fault = plan.answerFaultOf(this.requests);
    const url = new URL(request.url ?? '/', 'http://exchange');
    const wanted = words.request(url);
    if (fault === 'rate-limited') response.writeHead(429, { 'retry-after': '1' }).end();
    else if (fault === 'server-error') response.writeHead(503).end('<html>');
    else if (wanted === undefined) response.writeHead(404).end('{"message":"NotFound"}');
    else {
      const symbol = [...this.allSymbols()].find(
        (each) => each === wanted.symbol || each.replace('/', '') === wanted.symbol,
      );
      const page = pageOf(
        words,
        wanted,
        this.shown.filter((trade) => trade.symbol === symbol),
      );
      response.end(words.page(wanted.symbol, page));
      if (symbol !== undefined) this.unseen.delete(symbol);
    }
  }

  private allSymbols(): ReadonlySet<string> {
    return new Set(this.shown.map(({ symbol }) => symbol));
  }
}
