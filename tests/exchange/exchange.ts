import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { BINANCE } from './binance.ts';
import { drawsOf } from './draws.ts';
import { FaultPlan, type Faults, type Refusal } from './faults.ts';
import type { ExchangeTrade, Market } from './market.ts';
import type { ExchangeProtocol } from './protocol.ts';
import { Publisher, type Burst } from './publisher.ts';
import { RequestDesk } from './request-desk.ts';
import { limitsBroken, StatisticsRecorder, type ExchangeStatistics } from './statistics.ts';
import { StreamConnection } from './stream-connection.ts';

export interface ExchangeOptions {
  readonly markets: readonly Market[];
  readonly tradesPerSecond: number;
  readonly burst?: Burst;
  /** All faults follow from it, and from the client's actions. */
  readonly seed: number;
  readonly faults: Faults;
  /** The venue's protocol; Binance by default. */
  readonly protocol?: ExchangeProtocol;
  /** Ids that neither the stream nor a page ever shows, by symbol. */
  readonly withheld?: Readonly<Record<string, readonly number[]>>;
  /** Whether trades carry their capture's times (the default), or those of their publication. */
  readonly stamps?: 'capture' | 'publication';
  /**
   * When trading begins: as soon as clients have been shown the first trade of every market by REST (the default), so
   * that a client which begins with the newest trade gets all; when, in addition, somebody listens to the stream, so
   * that it carries nearly all; at once; or by `open`.
   */
  readonly opens?: 'when-seen' | 'when-heard' | 'at-once' | 'when-told';
  /** Replaces the venue's own limits. */
  readonly pingIntervalMs?: number;
}

/** An exchange on loopback. */
export interface Exchange {
  readonly webSocketUrl: string;
  readonly restUrl: string;
  /** Every trade is published. */
  readonly finished: Promise<void>;
  readonly stats: ExchangeStatistics;
  /** Trades published so far, including the withheld ones. */
  published(symbol: string): number;
  /** The trades published so far, without the withheld ones. */
  shown(symbol: string): readonly ExchangeTrade[];
  /** Begins trading. */
  open(): void;
  /** The broken limits of the exchange, one sentence each. */
  limitsBroken(): readonly string[];
  close(): Promise<void>;
}

/** Starts an exchange that publishes trades in order, whether anybody listens or not, with faults from a seed. */
export async function startExchange(options: ExchangeOptions): Promise<Exchange> {
  const { markets, tradesPerSecond, seed, faults, protocol = BINANCE, opens = 'when-seen' } = options;
  const plan = new FaultPlan(faults, drawsOf(seed));
  const recorder = new StatisticsRecorder();
  const unseen = new Set(markets.map(({ symbol }) => symbol));
  const openIfDue = (): void => {
    const isHeard = opens === 'when-seen' || (opens === 'when-heard' && streams.areHeard);
    if (unseen.size === 0 && isHeard) publisher.open();
  };
  const streams = new Streams(options, protocol, plan, recorder, openIfDue);
  const publisher = new Publisher({
    markets,
    tradesPerSecond,
    burst: options.burst,
    withheld: options.withheld ?? {},
    stamps: options.stamps ?? 'capture',
    onTrade: (symbol, trade) => {
      streams.publish(symbol, trade);
    },
  });
  const finished = publisher.finished.then(() => {
    streams.flush();
  });
  const onNewestSeen = (symbol: string): void => {
    unseen.delete(symbol);
    openIfDue();
  };
  const desk = new RequestDesk({ protocol, publisher, plan, recorder, onNewestSeen });
  const server = createServer((request, response) => {
    desk.answer(request, response);
  });
  // A half-open connection must not outlive the exchange.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    streams.connect(request, socket, head);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  if (opens === 'at-once') publisher.open();
  return {
    webSocketUrl: `ws://127.0.0.1:${port}`,
    restUrl: `http://127.0.0.1:${port}`,
    finished,
    stats: recorder,
    published: (symbol) => publisher.count(symbol),
    shown: (symbol) => publisher.trades(symbol).filter(({ id }) => !publisher.isWithheld(symbol, id)),
    open: () => {
      publisher.open();
    },
    limitsBroken: () => limitsBroken(recorder, protocol.limits),
    async close() {
      publisher.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** All clients' streams. */
class Streams {
  private readonly options: ExchangeOptions;
  private readonly protocol: ExchangeProtocol;
  private readonly plan: FaultPlan;
  private readonly recorder: StatisticsRecorder;
  private readonly server = new WebSocketServer({ noServer: true, autoPong: false, perMessageDeflate: false });
  private readonly connections = new Set<StreamConnection>();
  private readonly onConnected: () => void;

  constructor(
    options: ExchangeOptions,
    protocol: ExchangeProtocol,
    plan: FaultPlan,
    recorder: StatisticsRecorder,
    onConnected: () => void,
  ) {
    this.options = options;
    this.protocol = protocol;
    this.plan = plan;
    this.recorder = recorder;
    this.onConnected = onConnected;
  }

  /** Somebody listens. */
  get areHeard(): boolean {
    return this.connections.size > 0;
  }

  publish(symbol: string, trade: ExchangeTrade): void {
    if (this.connections.size === 0) return;
    const data = this.protocol.frameOf(symbol, trade);
    for (const connection of this.connections) connection.trade(symbol, trade, data);
  }

  flush(): void {
    for (const connection of this.connections) connection.flush();
  }

  connect(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const refusal = this.plan.refusalOf(this.recorder.connections.length);
    const record = this.recorder.connection(refusal !== undefined);
    const symbols = this.protocol.subscriptionOf(new URL(request.url ?? '/', 'http://exchange'));
    if (refusal !== undefined) {
      this.recorder.noteFault('refused-connection');
      refuse(socket, refusal);
      return;
    }
    if (symbols === undefined) {
      socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      return;
    }
    record.symbols = symbols;
    this.server.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = new StreamConnection({
        webSocket,
        socket,
        record,
        protocol: this.protocol,
        pingIntervalMs: this.options.pingIntervalMs ?? this.protocol.pingIntervalMs,
        plan: this.plan,
        onFault: (name) => {
          this.recorder.noteFault(name);
        },
      });
      this.connections.add(connection);
      this.onConnected();
      webSocket.on('close', () => this.connections.delete(connection));
    });
  }
}

function refuse(socket: Duplex, refusal: Refusal): void {
  switch (refusal) {
    case 'reset':
      socket.destroy();
      return;
    case 'unavailable':
      socket.end('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      return;
    case 'too-many':
      socket.end('HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      return;
  }
}
