import { createLog } from '../../platform/log.ts';
import { Backfill } from '../../producers/live/backfill.adapter.ts';
import { ClockOffset } from '../../producers/live/clock-offset.ts';
import { routeFrame } from '../../producers/live/frame-router.ts';
import { InstrumentStream } from '../../producers/live/instrument-stream.ts';
import { planOf } from '../../producers/live/live-options.ts';
import { openPages } from '../../producers/live/page-source.adapter.ts';
import type { Released } from '../../producers/live/reorder-buffer.ts';
import { mayStream } from '../../producers/live/stream-start.ts';
import { NO_TELEMETRY } from '../../producers/live/telemetry.ts';
import { VenueStream } from '../../producers/live/venue-stream.adapter.ts';
import { binance } from '../../producers/venues/binance/venue.ts';
import type { Exchange } from './exchange.ts';

const ROUND_MS = 20;

/** Live ingestion of one market of Binance, up to the records that it would append to the tape. */
export interface ReleasedRecords {
  /** In the order of the tape. */
  readonly records: readonly Released[];
  stop(): Promise<void>;
}

/** The parts that `ingestLive` wires together, in front of Kafka and with the timing as delivered. */
export async function releasedRecords(
  { webSocketUrl, restUrl }: Exchange,
  instrument: string,
): Promise<ReleasedRecords> {
  const abort = new AbortController();
  const { signal } = abort;
  const plan = planOf({
    ...{ venue: binance.name, instruments: [instrument], transport: 'stream', endpoints: { webSocketUrl, restUrl } },
    ...{ connections: { kafkaBrokers: [], registryUrl: '' }, log: createLog('test', 'silent'), signal },
  });
  const { symbols, timing, resumeTradesMax } = plan;
  const [[name, symbol] = ['', '']] = symbols;
  const stream = new InstrumentStream({
    ...{ instrument: name, symbol, partition: 0, transport: 'stream', tradeIds: binance.tradeIds, timing },
    ...{ pageTradesMax: binance.history.pageTradesMax, asksFrom: true, waitingMax: 100_000, resumeTradesMax },
    ...{ telemetry: NO_TELEMETRY, onRefused: () => undefined },
  });
  const records: Released[] = [];
  const take = (): void => {
    stream.advance(performance.now());
    for (let next = stream.next(0).append; next !== undefined; next = stream.next(0).append) {
      records.push(next);
      stream.appended();
    }
    stream.advance(performance.now());
  };
  const routing = {
    ...{ venue: binance, streams: new Map([[name, stream]]), telemetry: NO_TELEMETRY },
    ...{ onRefused: () => undefined, onNotice: () => undefined, clockOffset: new ClockOffset() },
    onAmendment: () => undefined,
  };
  const venueStream = new VenueStream({
    ...{ url: binance.stream.url(webSocketUrl, [symbol]), subscriptions: [], keepAlive: undefined },
    ...{ limits: binance.limits, timing, telemetry: NO_TELEMETRY },
    onFrame: (text, receivedAt) => {
      routeFrame(routing, text, receivedAt, performance.now());
    },
    onUp: () => {
      stream.connected(performance.now());
    },
    onDown: () => {
      stream.disconnected(performance.now());
    },
  });
  const fetchPage = await openPages(plan, undefined);
  const asking = new Backfill({
    ...{ venue: binance, restUrl, fetchPage, streams: [stream], timing, telemetry: NO_TELEMETRY, signal },
    ...{ onAnswer: take, onAmendment: () => undefined },
  }).run();
  let isStarted = false;
  const rounds = setInterval(() => {
    if (!isStarted && mayStream([stream], 0)) {
      isStarted = true;
      venueStream.start();
    }
    if (stream.next(performance.now()).replaceConnection) venueStream.replace('DEAF');
    stream.takeWithheld(performance.now());
    take();
  }, ROUND_MS);
  return {
    records,
    async stop() {
      clearInterval(rounds);
      venueStream.stop();
      abort.abort();
      await asking;
    },
  };
}
