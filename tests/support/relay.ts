import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A relay to a service that can swallow the traffic: both ends believe that they are connected. */
export interface Relay {
  readonly port: number;
  /** Connections so far. */
  accepted(): number;
  /** From now on nothing arrives on either side. The end of a connection that is open meanwhile never does. */
  swallow(): void;
  /** Lets bytes pass again; swallowed ones stay lost. */
  pass(): void;
  /** Like `pass`, and each side learns of the closes that it missed, as by keepalive after a while. */
  heal(): void;
  close(): Promise<void>;
}

export async function startRelay(host: string, port: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  /** Neither side learns that the other closed. */
  const forgotten = new WeakSet<Socket>();
  const orphans = new Set<Socket>();
  let swallows = false;
  let accepted = 0;
  const server = createServer((client) => {
    accepted += 1;
    const service = connect(port, host);
    for (const [from, to] of [
      [client, service],
      [service, client],
    ] as const) {
      sockets.add(from);
      if (swallows) forgotten.add(from);
      from.setNoDelay(true);
      from.on('error', () => undefined);
      from.on('data', (bytes: Buffer) => {
        if (!swallows) to.write(bytes);
      });
      from.on('close', () => {
        sockets.delete(from);
        if (forgotten.has(from)) orphans.add(to);
        else to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    swallow() {
      swallows = true;
      for (const socket of sockets) forgotten.add(socket);
    },
    pass() {
      swallows = false;
    },
    heal() {
      swallows = false;
      for (const orphan of orphans) orphan.destroy();
      orphans.clear();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The address of a service through a relay. */
export function through(relay: Relay, url: string): string {
  const address = new URL(url);
  address.host = `127.0.0.1:${relay.port}`;
  return address.href;
}
