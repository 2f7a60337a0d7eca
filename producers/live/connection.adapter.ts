import type { IncomingMessage } from 'node:http';
import { WebSocket, type RawData } from 'ws';
import type { DisconnectReason } from './telemetry.ts';
import type { LiveTiming } from './timing.ts';

/** A trade's frame has a few hundred bytes. A larger frame ends the connection before it is in memory. */
const FRAME_BYTES_MAX = 1024 * 1024;
/** Payload of the final ping, whose pong is awaited. */
const LAST_PING = 'last';
/** How often silence is checked, as a share of the limit. */
const CHECKS_PER_SILENCE = 8;
const NORMAL_CLOSURE = 1000;
/** How long a close that we began may take. */
const CLOSE_TIMEOUT_MS = 1_000;
const DETAIL_LENGTH_MAX = 200;

const SOCKET_OPTIONS = {
  perMessageDeflate: false,
  maxPayload: FRAME_BYTES_MAX,
  followRedirects: false,
  skipUTF8Validation: false,
  autoPong: true,
  allowSynchronousEvents: true,
  closeTimeout: CLOSE_TIMEOUT_MS,
} as const;

/** A message that holds a secret, and whether a frame accepts it. */
export interface Login {
  readonly message: string;
  isAccepted(text: string): boolean;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly subscriptions: readonly string[];
  readonly keepAlive: string | undefined;
  /** Sent first; the subscriptions follow the frame that accepts it. Undefined where no account is needed. */
  readonly login: Login | undefined;
  /** Limit for frames of all kinds to the server. */
  readonly clientMessagesPerSecond: number;
  readonly timing: Pick<LiveTiming, 'pingIntervalMs' | 'silenceMs'>;
  readonly onOpen: () => void;
  /** @param receivedAt microseconds since 1970 */
  readonly onFrame: (text: string, receivedAt: number) => void;
  /** Called exactly once, whatever happens. */
  readonly onEnd: (end: ConnectionEnd) => void;
}

export interface ConnectionEnd {
  readonly reason: DisconnectReason;
  /** For people; untrusted text. */
  readonly detail: string;
  /** Present where the handshake was answered with an error. */
  readonly refusal: { readonly status: number; readonly retryAfter: string | undefined } | undefined;
}

/**
 * One WebSocket from its opening to its end. It is given up when nothing arrives for `silenceMs`, handshake included;
 * pings ensure that something does while it is alive.
 */
export class Connection {
  private readonly options: ConnectionOptions;
  private readonly socket: WebSocket;
  private readonly timers: NodeJS.Timeout[] = [];
  private lastFrameAtMs = performance.now();
  private drained: (() => void) | undefined;
  private isOver = false;
  private isLoggedIn = false;
  isOpen = false;
  constructor(options: ConnectionOptions) {
    this.options = options;
    this.socket = new WebSocket(options.url, { ...SOCKET_OPTIONS, handshakeTimeout: options.timing.silenceMs });
    this.listen();
  }

  /** Reads nothing while it is held; what the venue sends waits in the sockets, and silence is no fault. */
  hold(isHeld: boolean): void {
    if (isHeld === this.socket.isPaused) return;
    if (isHeld) this.socket.pause();
    else this.socket.resume();
  }

  /** Ends it from our side. */
  end(reason: DisconnectReason, detail: string): void {
    if (this.isOver) return;
    this.over({ reason, detail, refusal: undefined });
    if (reason === 'LIFETIME' || reason === 'STOPPED') this.socket.close(NORMAL_CLOSURE);
    else this.socket.terminate();
  }

  /** Ends it when everything sent to it so far has arrived, as its pong shows; at the latest after this time. */
  endWhenDrained(reason: DisconnectReason, detail: string, deadlineMs: number): void {
    if (this.isOver) return;
    this.drained = () => {
      this.end(reason, detail);
    };
    this.timers.push(setTimeout(this.drained, deadlineMs));
    if (this.socket.readyState === WebSocket.OPEN) this.socket.ping(LAST_PING);
  }

  private listen(): void {
    const { socket } = this;
    socket.on('open', () => {
      this.opened();
    });
    socket.on('message', (data: RawData) => {
      this.lastFrameAtMs = performance.now();
      if (this.isOver) return;
      const text = (data as Buffer).toString('utf8');
      if (!this.isLoggedIn && this.options.login?.isAccepted(text) === true) this.subscribe();
      this.options.onFrame(text, Date.now() * 1_000);
    });
    socket.on('ping', () => {
      this.lastFrameAtMs = performance.now();
    });
    socket.on('pong', (payload) => {
      this.lastFrameAtMs = performance.now();
      if (payload.toString('latin1') === LAST_PING) this.drained?.();
    });
    socket.on('unexpected-response', (request, response: IncomingMessage) => {
      const { statusCode = 0, headers } = response;
      const refusal = { status: statusCode, retryAfter: headers['retry-after'] };
      request.destroy();
      this.over({ reason: 'HANDSHAKE', detail: `HTTP ${statusCode}`, refusal });
    });
    socket.on('error', (error) => {
      this.over({ reason: this.isOpen ? 'ERROR' : 'HANDSHAKE', detail: error.message, refusal: undefined });
      socket.terminate();
    });
    socket.on('close', (code, reason) => {
      const detail = `${code} ${reason.toString('utf8')}`.trim();
      this.over({ reason: this.isOpen ? 'CLOSED' : 'HANDSHAKE', detail, refusal: undefined });
    });
  }

  private opened(): void {
    if (this.isOver) return;
    const { timing, login } = this.options;
    this.isOpen = true;
    this.lastFrameAtMs = performance.now();
    const { spacingMs } = this;
    if (login === undefined) this.subscribe();
    else this.socket.send(login.message);
    this.ping();
    this.timers.push(
      setInterval(
        () => {
          this.ping();
        },
        Math.max(timing.pingIntervalMs, spacingMs),
      ),
      setInterval(() => {
        this.checkSilence();
      }, timing.silenceMs / CHECKS_PER_SILENCE),
    );
    this.options.onOpen();
  }

  /** Half of the allowance is for pings, the rest for subscriptions and pongs. */
  private get spacingMs(): number {
    return 2_000 / this.options.clientMessagesPerSecond;
  }

  private subscribe(): void {
    this.isLoggedIn = true;
    this.send(this.options.subscriptions, this.spacingMs);
  }

  /** One message now, the others when the limit allows. */
  private send([first, ...others]: readonly string[], spacingMs: number): void {
    if (first === undefined || this.isOver) return;
    this.socket.send(first);
    if (others.length === 0) return;
    this.timers.push(
      setTimeout(() => {
        this.send(others, spacingMs);
      }, spacingMs),
    );
  }

  private ping(): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.ping();
    if (this.options.keepAlive !== undefined) this.socket.send(this.options.keepAlive);
  }

  private checkSilence(): void {
    if (this.socket.isPaused) this.lastFrameAtMs = performance.now();
    const silentMs = performance.now() - this.lastFrameAtMs;
    if (silentMs < this.options.timing.silenceMs) return;
    this.end('SILENT', `nothing arrived for ${Math.round(silentMs)} ms`);
  }

  private over(end: ConnectionEnd): void {
    if (this.isOver) return;
    this.isOver = true;
    this.isOpen = false;
    for (const timer of this.timers) clearInterval(timer);
    this.options.onEnd({ ...end, detail: end.detail.slice(0, DETAIL_LENGTH_MAX) });
  }
}
