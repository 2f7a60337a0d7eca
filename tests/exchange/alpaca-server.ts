import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

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

/** Alpaca on loopback, from its documentation: one stock, a login, and pages of the newest trades. */
export interface AlpacaServer {
  readonly webSocketUrl: string;
  readonly restUrl: string;
  /** What a page shows, oldest first. */
  readonly shown: AlpacaTrade[];
  readonly subscribers: number;
  /** Sends a frame to whoever subscribed. */
  send(...messages: readonly object[]): void;
  close(): Promise<void>;
}

/** @param credentials those of the only account; whoever sends others is answered with what it sent */
export async function startAlpaca(
  symbol: string,
  credentials: { readonly key: string; readonly secret: string },
): Promise<AlpacaServer> {
  const shown: AlpacaTrade[] = [];
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
    get subscribers() {
      return subscribed.size;
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
    const trades = shown.toReversed().slice(0, Number(searchParams.get('limit')));
    if (pathname !== `/v2/stocks/${symbol}/trades`) response.writeHead(404).end('{"message":"not found"}');
    else response.end(JSON.stringify({ trades, symbol, next_page_token: null }));
  }
}
