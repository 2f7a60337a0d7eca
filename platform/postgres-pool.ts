import type { Socket } from 'node:net';
import pg from 'pg';
import { withDeadline } from './deadline.ts';

/**
 * Connections that may fall silent without being closed, for example when a firewall forgets them. A time limit for
 * answers cannot tell: a batch takes milliseconds, the keys of a large table take minutes. So after a silence the
 * server is asked, on another connection, whether it is working for the silent one.
 */

/** How long a connection that owes an answer may be silent before the server is asked. */
const SILENCE_MS_MAX = 8_000;
const LOOK_INTERVAL_MS = 1_000;
/** The time to connect, and again the time to answer, for the question whether it is working. */
const ENQUIRY_DEADLINE_MS = 4_000;
/** Where the server answers, but not that question: longer than it may work on one statement. */
const CALL_MS_MAX = 660_000;
/** How long calls under way may take when the pool is closed. */
const CLOSE_GRACE_MS = 500;
const TERMINATION_DEADLINE_MS = 500;

/** A pool of such connections. */
export class WatchedPool extends pg.Pool {
  readonly #server: Server;
  #closed: Promise<void> | undefined;

  constructor(options: pg.PoolConfig) {
    const server = new Server(options);
    class Client extends WatchedClient {
      constructor() {
        super(options, server);
      }
    }
    super({
      ...options,
      Client,
      verify: (client, done) => {
        (client as unknown as WatchedClient).introduce().then(() => {
          done();
        }, done);
      },
    });
    this.#server = server;
    // An idle connection that breaks is replaced at its next use; without a listener the error would end the process.
    this.on('error', () => undefined);
  }

  /** Closes all connections within a second or two, hanging ones included, and ends their sessions at the server. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const ended = this.end();
    const inTime = await withDeadline(
      ended.then(() => true),
      CLOSE_GRACE_MS,
      () => new Error('calls are under way'),
    ).catch(() => false);
    if (inTime && this.#server.lost.size === 0) return;
    await this.#server.breakAll();
    await ended;
  }
}

/** Only connections of this program: a process id may belong to another program by now. */
const TERMINATE = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE pid = ANY($1) AND application_name = current_setting('application_name')`;

/** The server behind a pool, and the pool's connections to it. */
class Server {
  readonly #options: pg.ClientConfig;
  readonly connections = new Set<WatchedClient>();
  /** Process ids of connections that broke. The server may not have noticed yet, and keep their locks. */
  readonly lost = new Set<number>();

  constructor(options: pg.ClientConfig) {
    this.#options = options;
  }

  /** Whether the server is working for the connection; a session that waits for us to send or receive is not. */
  async isAtWork(pid: number): Promise<boolean> {
    try {
      const { rowCount } = await this.#ask(
        ENQUIRY_DEADLINE_MS,
        `SELECT FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Client'`,
        [pid],
      );
      return rowCount === 1;
    } catch (error) {
      // Too many connections, for example: the server answers, though not the question.
      return error instanceof pg.DatabaseError;
    }
  }

  async breakAll(): Promise<void> {
    const known = [...this.connections].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    await this.#ask(TERMINATION_DEADLINE_MS, TERMINATE, [[...known, ...this.lost]]).catch(() => undefined);
    for (const connection of this.connections) connection.break('the process ends');
  }

  async #ask(deadlineMs: number, text: string, values: readonly unknown[]): Promise<pg.QueryResult> {
    const client = new pg.Client({
      ...this.#options,
      connectionTimeoutMillis: deadlineMs,
      query_timeout: deadlineMs,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await client.query(text, [...values]);
    } finally {
      void client.end();
    }
  }
}

type Traffic = Pick<Socket, 'bytesRead' | 'bytesWritten' | 'writableLength'>;

/** A connection that is broken off where the server is not working on its request. */
class WatchedClient extends pg.Client {
  readonly #server: Server;
  readonly #timer: NodeJS.Timeout;
  /** The server's process for this connection; undefined until it has introduced itself. */
  pid: number | undefined;
  /** When the call under way began. */
  #calledAt: number | undefined;
  /** Bytes sent and received, and when the last one was. */
  #moved = 0;
  #movedAt = 0;
  #isAsking = false;

  constructor(options: pg.ClientConfig, server: Server) {
    super(options);
    this.#server = server;
    server.connections.add(this);
    const query = this.query.bind(this) as (...call: unknown[]) => unknown;
    this.query = ((...call: unknown[]) => {
      this.#calledAt ??= this.#movedAt = performance.now();
      return query(...call);
    }) as typeof this.query;
    // Each call reports its own failure; without a listener an error between two calls would end the process.
    this.on('error', () => undefined);
    this.on('drain', () => {
      this.#calledAt = undefined;
    });
    this.#timer = setInterval(() => void this.#look(), LOOK_INTERVAL_MS).unref();
    this.once('end', () => {
      clearInterval(this.#timer);
      server.connections.delete(this);
      if (this.pid !== undefined && this.#isInUse) server.lost.add(this.pid);
    });
  }

  /**
   * Learns its process id from the server, and ends lost sessions there. A proxy in between may have announced another
   * id.
   */
  async introduce(): Promise<void> {
    const { rows } = await this.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    this.pid = rows[0]?.pid;
    const { lost } = this.#server;
    if (lost.size === 0) return;
    await this.query(TERMINATE, [[...lost]]);
    lost.clear();
  }

  break(reason: string): void {
    this.connection.stream.destroy(new Error(`the connection was broken off: ${reason}`));
  }

  get #isInUse(): boolean {
    return this.#calledAt !== undefined || this.getTransactionStatus() !== 'I';
  }

  async #look(): Promise<void> {
    const now = performance.now();
    if (this.#hasMoved(now) || this.#calledAt === undefined || this.#isAsking) return;
    if (now - this.#movedAt < SILENCE_MS_MAX) return;
    this.#isAsking = true;
    const isAtWork =
      this.pid !== undefined && now - this.#calledAt < CALL_MS_MAX && (await this.#server.isAtWork(this.pid));
    this.#isAsking = false;
    // Meanwhile the answer may have come, and another call begun.
    if (this.#hasMoved(performance.now())) return;
    if (isAtWork) this.#movedAt = performance.now();
    else this.break(`no answer for ${Math.round((performance.now() - this.#movedAt) / 1_000)} s`);
  }

  #hasMoved(now: number): boolean {
    const { bytesRead, bytesWritten, writableLength } = this.connection.stream as unknown as Traffic;
    const moved = bytesRead + bytesWritten - writableLength;
    if (moved === this.#moved) return false;
    this.#moved = moved;
    this.#movedAt = now;
    return true;
  }
}
