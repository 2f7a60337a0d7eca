import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { oneOf } from './draws.ts';
import type { FaultName, FaultPlan, PlannedEnd } from './faults.ts';
import type { ExchangeTrade } from './market.ts';
import type { ExchangeProtocol } from './protocol.ts';
import type { ConnectionRecord } from './statistics.ts';

/** A client that reads less than it asked for is disconnected, as at an exchange. */
const BUFFERED_BYTES_MAX = 64 * 1024 * 1024;
/** Our pings that may stay unanswered before the connection is cut. */
const UNANSWERED_PINGS_MAX = 3;
const TEXT_FRAME = 0x81;
const LENGTH_IN_16_BITS = 126;

export interface StreamConnectionOptions {
  readonly webSocket: WebSocket;
  /** The socket under the WebSocket. */
  readonly socket: Duplex;
  readonly record: ConnectionRecord;
  readonly protocol: ExchangeProtocol;
  readonly pingIntervalMs: number;
  readonly plan: FaultPlan;
  readonly onFault: (name: FaultName) => void;
}

/** One client's stream, with its faults. */
export class StreamConnection {
  private readonly options: StreamConnectionOptions;
  private readonly symbols: Set<string>;
  private readonly end: PlannedEnd | undefined;
  private readonly pings: NodeJS.Timeout;
  /** Late or repeated frames: the frame after which they are sent. */
  private held: { readonly afterFrame: number; readonly data: string }[] = [];
  private frame = 0;
  private state: 'open' | 'deaf' | 'half-open' | 'ended' = 'open';
  private lastPing = '';

  constructor(options: StreamConnectionOptions) {
    this.options = options;
    const { webSocket, record, plan, pingIntervalMs } = options;
    this.symbols = new Set(record.symbols);
    this.end = plan.endOf(record.number);
    this.pings = setInterval(() => {
      this.ping();
    }, pingIntervalMs);
    webSocket.on('error', () => undefined);
    webSocket.on('close', (code: number) => {
      clearInterval(this.pings);
      this.state = 'ended';
      record.closedAtMs = Date.now();
      record.closeCode = code;
    });
    webSocket.on('ping', (payload: Buffer) => {
      record.incomingAtMs.push(Date.now());
      record.pingsReceived += 1;
      webSocket.pong(payload);
    });
    webSocket.on('pong', (payload: Buffer) => {
      record.incomingAtMs.push(Date.now());
      if (payload.toString() === this.lastPing) record.pongsReceived += 1;
    });
    webSocket.on('message', (data: Buffer) => {
      record.incomingAtMs.push(Date.now());
      this.control(data.toString());
    });
  }

  /** Sends a trade, if this client should get it. @param data the trade's message */
  trade(symbol: string, trade: ExchangeTrade, data: string): void {
    if (this.state !== 'open' || !this.symbols.has(symbol)) return;
    const { record, plan, protocol, onFault } = this.options;
    this.frame += 1;
    const planned = plan.frame(record.number, this.frame);
    const isReplaced = planned.malformed?.place === 'instead';
    if (planned.dropped) onFault('dropped-frame');
    else if (!isReplaced) this.send(data, planned.delayFrames);
    if (!planned.dropped && !isReplaced && planned.delayFrames > 0) onFault('out-of-order');
    if (planned.repeatFrames !== undefined) {
      onFault('duplicated-frame');
      this.send(data, planned.delayFrames + planned.repeatFrames);
    }
    if (planned.malformed !== undefined) {
      onFault(`malformed-${planned.malformed.place}`);
      const spoiled = oneOf(planned.malformed.drawn, protocol.spoiledFrames)(symbol, trade);
      this.options.webSocket.send(spoiled.data, { binary: spoiled.binary });
    }
    this.release((afterFrame) => afterFrame <= this.frame);
    if (this.end !== undefined && this.frame >= this.end.afterFrames) this.fail(this.end, data);
    if (this.options.webSocket.bufferedAmount > BUFFERED_BYTES_MAX) this.options.webSocket.terminate();
  }

  /** Sends the frames held back: no later frame will release them. */
  flush(): void {
    if (this.state === 'open') this.release(() => true);
  }

  private send(data: string, delayFrames: number): void {
    if (delayFrames > 0) {
      this.held.push({ afterFrame: this.frame + delayFrames, data });
      return;
    }
    this.options.record.framesSent += 1;
    this.options.webSocket.send(data);
  }

  private release(isDue: (afterFrame: number) => boolean): void {
    if (this.held.length === 0) return;
    const due = this.held.filter(({ afterFrame }) => isDue(afterFrame));
    this.held = this.held.filter(({ afterFrame }) => !isDue(afterFrame));
    for (const { data } of due) this.send(data, 0);
  }

  private fail({ fault }: PlannedEnd, data: string): void {
    const { record, webSocket, socket, plan, onFault } = this.options;
    onFault(fault);
    record.fault = { name: fault, atMs: Date.now() };
    this.state = fault === 'deaf' || fault === 'half-open' ? fault : 'ended';
    switch (fault) {
      case 'cut':
        socket.destroy();
        return;
      case 'cut-mid-frame':
        socket.write(halfFrame(data), () => socket.destroy());
        return;
      case 'half-open':
        // Nothing is read: no ping is seen, and no close frame is answered.
        webSocket.pause();
        return;
      case 'going-away':
        webSocket.close(plan.closeCodeOf(record.number));
        return;
      case 'deaf':
        return;
    }
  }

  private ping(): void {
    const { record, webSocket } = this.options;
    if (this.state === 'half-open' || this.state === 'ended') return;
    if (record.pingsSent - record.pongsReceived >= UNANSWERED_PINGS_MAX) {
      webSocket.terminate();
      return;
    }
    record.pingsSent += 1;
    this.lastPing = String(Date.now());
    webSocket.ping(this.lastPing);
  }

  private control(text: string): void {
    const { record, webSocket, protocol } = this.options;
    const { subscribe, unsubscribe, reply } = protocol.controlOf(text);
    for (const symbol of subscribe) this.symbols.add(symbol);
    for (const symbol of unsubscribe) this.symbols.delete(symbol);
    record.symbols = [...this.symbols];
    if (reply !== undefined) webSocket.send(reply);
  }
}

/** The header of a text frame and half of its payload (RFC 6455, 5.2). */
function halfFrame(data: string): Buffer {
  const payload = Buffer.from(data);
  const header = Buffer.from([TEXT_FRAME, LENGTH_IN_16_BITS, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([header, payload.subarray(0, payload.length >> 1)]);
}
