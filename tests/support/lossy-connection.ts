import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { logLevel, Kafka } from 'kafkajs';
import { RIDE_OUT_RETRY } from '../../platform/kafka/client.ts';

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
        client.write(bytes);
        return;
      }
      lost += 1;
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const relayPort = (server.address() as AddressInfo).port;
  const kafka = new Kafka({
    brokers: [broker],
    clientId: 'test-lossy',
    logLevel: logLevel.NOTHING,
    retry: RIDE_OUT_RETRY,
    socketFactory: ({ onConnect }) => {
      const socket = connect(relayPort, '127.0.0.1', onConnect);
      socket.setKeepAlive(true);
      return socket;
    },
  });
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
