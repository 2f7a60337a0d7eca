import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Kafka } from 'kafkajs';
import { createKafka } from '../../platform/kafka/client.ts';
import { createLog } from '../../platform/log.ts';

/** A relay to a broker that can lose answers: the broker does the work and the client never hears of it. */
export interface LossyConnection {
  /** A client whose every connection goes through the relay. */
  readonly kafka: Kafka;
  /** Breaks the connection instead of passing on the broker's next answer to a request of at least this many bytes. */
  loseAnswerTo(requestBytesMin: number): void;
  /** Answers lost so far. */
  lost(): number;
  close(): Promise<void>;
}

export async function lossyConnection(broker: string): Promise<LossyConnection> {
  const [host = '', port = ''] = broker.split(':');
  const sockets = new Set<Socket>();
  let bytesMin = Infinity;
  let lost = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    let isLosing = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (bytes: Buffer) => {
      if (bytes.length >= bytesMin) {
        isLosing = true;
        bytesMin = Infinity;
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes: Buffer) => {
      if (!isLosing) {
        client.write(withPort(bytes, host, Number(port), relayPort));
        return;
      }
      lost += 1;
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const relayPort = (server.address() as AddressInfo).port;
  const kafka = createKafka([`127.0.0.1:${relayPort}`], 'test-lossy', createLog('test', 'silent'));
  return {
    kafka,
    loseAnswerTo(requestBytesMin) {
      bytesMin = requestBytesMin;
    },
    lost: () => lost,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An answer in which the broker names itself names the relay instead, so that clients stay with it. */
function withPort(bytes: Buffer, host: string, port: number, relayPort: number): Buffer {
  const address = Buffer.concat([Buffer.from(host), Buffer.alloc(4)]);
  address.writeInt32BE(port, host.length);
  for (let at = bytes.indexOf(address); at >= 0; at = bytes.indexOf(address, at + 1))
    bytes.writeInt32BE(relayPort, at + host.length);
  return bytes;
}
