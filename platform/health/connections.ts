import type { Server as HttpServer } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Bounds a server's connections by dropping the oldest idle one for a new one. Refusing new ones instead would let
 * clients that connect and send nothing lock everybody else out.
 */
export class BoundedConnections {
  readonly #max: number;
  /** Ordered by when each was last busy; true while a request is being answered. */
  readonly #busy = new Map<Socket, boolean>();

  constructor(server: HttpServer, max: number) {
    this.#max = max;
    server.on('connection', (socket: Socket) => {
      this.#admit(socket);
    });
    server.on('request', ({ socket }, response) => {
      this.#mark(socket, true);
      response.once('close', () => {
        this.#mark(socket, false);
      });
    });
  }

  #admit(socket: Socket): void {
    if (this.#busy.size >= this.#max) this.#dropOne();
    this.#busy.set(socket, false);
    socket.once('close', () => {
      this.#busy.delete(socket);
    });
  }

  /**
   * A client that does not read its answer is treated like one that sends nothing: where all are busy, the oldest is
   * dropped.
   */
  #dropOne(): void {
    const sockets = [...this.#busy];
    const [victim] = sockets.find(([, isBusy]) => !isBusy) ?? sockets[0] ?? [];
    if (victim === undefined) return;
    this.#busy.delete(victim);
    victim.destroy();
  }

  #mark(socket: Socket, isBusy: boolean): void {
    if (!this.#busy.delete(socket)) return;
    this.#busy.set(socket, isBusy);
  }
}
