import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';

/** A store on loopback that lets a client in and then never answers a request. */
export interface SilentStore {
  readonly url: string;
  /** Requests that wait for an answer. */
  readonly unanswered: number;
  /** Waits, without a timer, until so many requests wait. */
  untilUnanswered(count: number): Promise<void>;
  close(): Promise<void>;
}

type Answer = (bytes: Buffer, isFirst: boolean) => Buffer | undefined;

async function silentStore(scheme: string, answer: Answer): Promise<SilentStore> {
  const sockets = new Set<Socket>();
  let unanswered = 0;
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    let isFirst = true;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      const reply = answer(bytes, isFirst);
      isFirst = false;
      if (reply === undefined) unanswered += 1;
      else socket.write(reply);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${scheme}127.0.0.1:${(server.address() as AddressInfo).port}`,
    get unanswered() {
      return unanswered;
    },
    async untilUnanswered(count) {
      while (unanswered < count) await turn();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const numberOf32Bits = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const READY = message('Z', Buffer.from('I'));
/** One row with one column of text: https://www.postgresql.org/docs/current/protocol-message-formats.html */
const PID = Buffer.concat([
  message('T', Buffer.from([0, 1]), Buffer.from('pid\0'), Buffer.alloc(6), numberOf32Bits(25), Buffer.alloc(8, 255)),
  message('D', Buffer.from([0, 1]), numberOf32Bits(1), Buffer.from('7')),
  message('C', Buffer.from('SELECT 1\0')),
  READY,
]);

/** A Postgres that answers a connection and its introduction (see WatchedPool), and nothing else. */
export function silentPostgres(): Promise<SilentStore> {
  return silentStore('postgres://reader:reader@', (bytes, isFirst) => {
    if (isFirst) return Buffer.concat([message('R', numberOf32Bits(0)), READY]);
    return bytes.includes('pg_backend_pid') ? PID : undefined;
  });
}

/** A Redis that answers what a client asks at the start, and nothing else. */
export function silentRedis(): Promise<SilentStore> {
  const commands = /\r\n(info|client|get|hgetall|smembers)\r\n/gi;
  return silentStore('redis://', (bytes) => {
    const names = [...bytes.toString('latin1').matchAll(commands)].map(([, name = '']) => name.toLowerCase());
    if (names.some((name) => name !== 'info' && name !== 'client')) return undefined;
    const info = 'redis_version:7.0.15\r\nloading:0\r\n';
    return Buffer.from(
      names.map((name) => (name === 'client' ? '+OK\r\n' : `$${info.length}\r\n${info}\r\n`)).join(''),
    );
  });
}
