import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { calendarMicroseconds } from '../../producers/timestamps.ts';

/** A trade in Alpaca's form, as its pages have it; frames add type and symbol. */
export interface AlpacaTrade {
  readonly i: number;
  readonly x: string;
  readonly p: number;
  readonly s: number;
  readonly t: string;
  readonly c: readonly string[];
  readonly z: string;
  /** In pages alone: what became of it. */
  readonly u?: string;
}

/** An answer in place of the right one. */
export interface WrongAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Alpaca on loopback, from its documentation: one stock, a login, pages of the newest trades and of a period. */
export interface AlpacaServer {
  readonly webSocketUrl: string;
  readonly restUrl: string;
  /** What a page shows, oldest first. */
  readonly shown: AlpacaTrade[];
  readonly subscribers: number;
  /** The requests for pages, oldest first. */
  readonly asked: URLSearchParams[];
  /** Most trades of a page, whatever is requested. */
  pageTradesMax: number;
  /** Asked before each page; undefined for the right one. */
  fault: (query: URLSearchParams) => WrongAnswer | undefined;
  /** Sends a frame to whoever subscribed. */
  send(...messages: readonly object[]): void;
  close(): Promise<void>;
}

function timeIn(query: URLSearchParams, name: string): number | undefined {
  return calendarMicroseconds(query.get(name) ?? '', false);
}

/** @param credentials those of the only account; whoever sends others is answered with what it sent */
export async function startAlpaca(
  symbol: string,
  credentials: { readonly key: string; readonly secret: string },
): Promise<AlpacaServer> {
  const shown: AlpacaTrade[] = [];
  const asked: URLSearchParams[] = [];
  const behaviour: Pick<AlpacaServer, 'pageTradesMax' | 'fault'> = { pageTradesMax: 10_000, fault: () => undefined };
  const subscribed = new Set<WebSocket>();
  const server = createServer((request, response) => {
    answer(request, response);
  });
  const sockets = new WebSocketServer({ server, path: '/v2/iex' });
  sockets.on('connection', (socket) => {
    socket.send('[{"T":"success","msg":"connected"}]');
    socket.on('close', () => subscribed.delete(socket));
    socket.on('message', (data: Buffer) => {
      heard(socket, data.toString());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    webSocketUrl: `ws://127.0.0.1:${port}`,
    restUrl: `http://127.0.0.1:${port}`,
    shown,
    asked,
    get subscribers() {
      return subscribed.size;
    },
    get pageTradesMax() {
      return behaviour.pageTradesMax;
    },
    set pageTradesMax(most) {
      behaviour.pageTradesMax = most;
    },
    get fault() {
      return behaviour.fault;
    },
    set fault(fault) {
      behaviour.fault = fault;
    },
    send: (...messages) => {
      for (const socket of subscribed) socket.send(JSON.stringify(messages));
    },
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  function heard(socket: WebSocket, text: string): void {
    const message = JSON.parse(text) as { readonly action: string; readonly key?: string; readonly secret?: string };
    if (message.action === 'subscribe') {
      subscribed.add(socket);
      socket.send(
        JSON.stringify([{ T: 'subscription', trades: [symbol], corrections: [symbol], cancelErrors: [symbol] }]),
      );
    } else if (message.key === credentials.key && message.secret === credentials.secret) {
      socket.send('[{"T":"success","msg":"authenticated"}]');
    } else socket.send(JSON.stringify([{ T: 'error', code: 402, msg: `auth failed for ${text}` }]));
  }

  function answer({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
    const isKnown =
      headers['apca-api-key-id'] === credentials.key && headers['apca-api-secret-key'] === credentials.secret;
    const { pathname, searchParams } = new URL(url, 'http://127.0.0.1');
    if (!isKnown) {
      // As some gateways do.
      response.writeHead(500).end(`no account of ${JSON.stringify(headers)}`);
      return;
    }
    asked.push(searchParams);
    const wrong = behaviour.fault(searchParams);
    if (wrong !== undefined) response.writeHead(wrong.status, wrong.headers).end(wrong.text);
    else if (pathname !== `/v2/stocks/${symbol}/trades`) response.writeHead(404).end('{"message":"not found"}');
    else response.end(JSON.stringify({ symbol, ...pageOf(searchParams) }));
  }

  /** Both ends of a period are in it; a token is the number of trades before it, in disguise. */
  function pageOf(query: URLSearchParams) {
    const [start, end] = [timeIn(query, 'start') ?? 0, timeIn(query, 'end') ?? Infinity];
    const wanted = shown.filter(({ t: text }) => {
      const time = calendarMicroseconds(text, false) ?? 0;
      return time >= start && time <= end;
    });
    if (query.get('sort') === 'desc') wanted.reverse();
    const from = Number(Buffer.from(query.get('page_token') ?? '', 'base64').toString() || '0');
    const to = from + Math.min(behaviour.pageTradesMax, Number(query.get('limit')));
    const token = to < wanted.length ? Buffer.from(String(to)).toString('base64') : null;
    const trades = wanted.slice(from, to);
    return { trades: trades.length > 0 ? trades : null, next_page_token: token };
  }
}
