import type { IncomingMessage, ServerResponse } from 'node:http';
import { RETRY_AFTER_SECONDS, type AnswerFault, type FaultPlan } from './faults.ts';
import type { ExchangeTrade } from './market.ts';
import type { ExchangeProtocol, PageRequest, PlainAnswer } from './protocol.ts';
import type { Publisher } from './publisher.ts';
import type { RequestRecord, StatisticsRecorder } from './statistics.ts';

const MILLISECONDS_PER_SECOND = 1000;
/** A request this soon after a 429 may have been on its way. */
const ON_ITS_WAY_MS = 250;
const SLOW_PIECES = 4;
const SLOW_PIECE_MS = 100;

export interface RequestDeskOptions {
  readonly protocol: ExchangeProtocol;
  readonly publisher: Publisher;
  readonly plan: FaultPlan;
  readonly recorder: StatisticsRecorder;
  /** A client has had the newest trade of a market in full. */
  readonly onNewestSeen: (symbol: string) => void;
}

/** Answers requests for trades, within the exchange's limits, and misbehaves as planned. */
export class RequestDesk {
  private readonly options: RequestDeskOptions;
  private weightWindow = 0;
  private usedWeight = 0;
  private patienceSinceMs = 0;
  private patienceUntilMs = 0;

  constructor(options: RequestDeskOptions) {
    this.options = options;
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const { protocol, publisher, plan, recorder } = this.options;
    const nowMs = Date.now();
    const url = new URL(request.url ?? '/', 'http://exchange');
    const weight = protocol.weightOf(url);
    const isImpatient = nowMs < this.patienceUntilMs && nowMs > this.patienceSinceMs + ON_ITS_WAY_MS;
    const record = recorder.request(`${url.pathname}${url.search}`, weight, isImpatient);
    response.on('close', () => {
      record.endedAtMs = Date.now();
    });
    this.weigh(weight, nowMs);
    if (nowMs < this.patienceUntilMs) {
      this.refuse(response, record, 429, Math.ceil((this.patienceUntilMs - nowMs) / MILLISECONDS_PER_SECOND));
      return;
    }
    const { max, windowMs } = protocol.limits.requestWeight;
    if (this.usedWeight > max) {
      this.refuse(response, record, 429, Math.ceil((windowMs - (nowMs % windowMs)) / MILLISECONDS_PER_SECOND));
      return;
    }
    const wanted = protocol.requestOf(url, publisher.symbols, nowMs);
    const fault = plan.answerFaultOf(record.number);
    if (fault === undefined || !this.answerWrongly(response, record, wanted, fault)) {
      this.answerRightly(response, record, wanted);
    }
  }

  private answerRightly(response: ServerResponse, record: RequestRecord, wanted: PageRequest | PlainAnswer): void {
    if (wanted.kind === 'plain') this.reply(response, record, wanted.status, wanted.body);
    else this.show(response, record, wanted, this.pageOf(wanted, 0));
  }

  /** @returns false where this fault cannot affect this answer */
  private answerWrongly(
    response: ServerResponse,
    record: RequestRecord,
    wanted: PageRequest | PlainAnswer,
    fault: AnswerFault,
  ): boolean {
    const { protocol, publisher, plan, recorder } = this.options;
    const page = wanted.kind === 'page' ? this.pageOf(wanted, 0) : [];
    const body = wanted.kind === 'page' ? protocol.pageOf(page) : wanted.body;
    const share = Math.max(1, Math.floor(body.length * plan.shareOf(record.number)));
    // An exchange never claims that a market has no trades when it has some.
    if (fault === 'lagging-page' && (wanted.kind === 'plain' || publisher.count(wanted.symbol) === 1)) return false;
    if (fault === 'page-with-holes' && page.length < 2) return false;
    record.fault = fault;
    recorder.noteFault(fault);
    switch (fault) {
      case 'rate-limited':
        this.refuse(response, record, 429, RETRY_AFTER_SECONDS[fault]);
        break;
      case 'banned':
        this.refuse(response, record, 418, RETRY_AFTER_SECONDS[fault]);
        break;
      case 'server-error': {
        const status = plan.serverErrorOf(record.number);
        this.reply(response, record, status, protocol.refusalOf(status));
        break;
      }
      case 'truncated-page':
        this.reply(response, record, 200, body.slice(0, share));
        break;
      case 'lagging-page':
        if (wanted.kind === 'page')
          this.show(response, record, wanted, this.pageOf(wanted, plan.lagMsOf(record.number)));
        break;
      case 'page-with-holes':
        if (wanted.kind === 'page') this.show(response, record, wanted, plan.withHole(record.number, page));
        break;
      case 'endless-answer':
        this.begin(response, record, 200, body.length);
        response.write(body.slice(0, share));
        break;
      case 'slow-answer':
        this.noteShown(response, wanted, page);
        this.begin(response, record, 200, body.length);
        sendSlowly(response, body);
        break;
    }
    return true;
  }

  private pageOf({ symbol, fromId, limit }: PageRequest, lagMs: number): readonly ExchangeTrade[] {
    return this.options.publisher.page(symbol, fromId, limit, lagMs);
  }

  private show(
    response: ServerResponse,
    record: RequestRecord,
    wanted: PageRequest,
    page: readonly ExchangeTrade[],
  ): void {
    this.noteShown(response, wanted, page);
    this.reply(response, record, 200, this.options.protocol.pageOf(page));
  }

  /** Called once the client has the whole answer. */
  private noteShown(response: ServerResponse, wanted: PageRequest | PlainAnswer, page: readonly ExchangeTrade[]): void {
    if (wanted.kind === 'plain' || page.length === 0) return;
    const { publisher, onNewestSeen } = this.options;
    const isNewest = page.at(-1)?.id === publisher.trades(wanted.symbol).at(-1)?.id;
    response.on('finish', () => {
      if (isNewest) onNewestSeen(wanted.symbol);
    });
  }

  private refuse(response: ServerResponse, record: RequestRecord, status: number, retryAfterSeconds: number): void {
    const nowMs = Date.now();
    if (nowMs >= this.patienceUntilMs) this.patienceSinceMs = nowMs;
    this.patienceUntilMs = Math.max(this.patienceUntilMs, nowMs + retryAfterSeconds * MILLISECONDS_PER_SECOND);
    response.setHeader('retry-after', String(retryAfterSeconds));
    this.reply(response, record, status, this.options.protocol.refusalOf(status));
  }

  private reply(response: ServerResponse, record: RequestRecord, status: number, body: string): void {
    this.begin(response, record, status, body.length);
    response.end(body);
  }

  /** @param length the number of characters of the body, all of them ASCII */
  private begin(response: ServerResponse, record: RequestRecord, status: number, length: number): void {
    record.status = status;
    response.setHeader('content-length', length);
    for (const [name, value] of Object.entries(this.options.protocol.headersOf(this.usedWeight))) {
      if (value !== undefined) response.setHeader(name, value);
    }
    response.writeHead(status);
  }

  private weigh(weight: number, nowMs: number): void {
    const window = Math.floor(nowMs / this.options.protocol.limits.requestWeight.windowMs);
    if (window !== this.weightWindow) this.usedWeight = 0;
    this.weightWindow = window;
    this.usedWeight += weight;
  }
}

function sendSlowly(response: ServerResponse, body: string): void {
  const pieceLength = Math.ceil(body.length / SLOW_PIECES);
  let sent = 0;
  const timer = setInterval(() => {
    response.write(body.slice(sent, sent + pieceLength));
    sent += pieceLength;
    if (sent < body.length) return;
    clearInterval(timer);
    response.end();
  }, SLOW_PIECE_MS);
  response.on('close', () => {
    clearInterval(timer);
  });
}
