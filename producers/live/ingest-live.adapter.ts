import { partitionOf } from '../../contracts/partitioner.ts';
import { DEAD_LETTERS_TOPIC, TAPE_TOPIC } from '../../contracts/topics.ts';
import { openUnlessAborted, withDeadline } from '../../platform/deadline.ts';
import { createKafka } from '../../platform/kafka/client.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createRecordProducer, type RecordProducer } from '../../platform/kafka/producer.ts';
import type { Registry } from '../../platform/kafka/registry.ts';
import { openTrustedLog, type TrustedLog, type TrustedLogSettings } from '../../platform/kafka/trusted-log.ts';
import type { RefusedTrade, Venue, VenueAmendment } from '../venue.ts';
import { tracedProducer } from '../traced-producer.adapter.ts';
import { AmendmentDesk } from './amendment-desk.adapter.ts';
import { AppendCounts } from './append-counts.ts';
import { concealedTelemetry, concealing, type Conceal } from './concealed.ts';
import type { Login } from './connection.adapter.ts';
import { Backfill, type BackfillOptions } from './backfill.adapter.ts';
import { BackPressure } from './back-pressure.ts';
import { Watermarks } from './watermarks.ts';
import { DeadLetterQueue } from './dead-letter-queue.ts';
import { routeFrame, type FrameRouterOptions } from './frame-router.ts';
import { ClockOffset } from './clock-offset.ts';
import { InstrumentStream } from './instrument-stream.ts';
import { openPages } from './page-source.adapter.ts';
import type { FetchPage } from './rest-client.adapter.ts';
import { planOf, type LiveIngestOptions, type LiveIngestReport, type LivePlan } from './live-options.ts';
import { mayStream } from './stream-start.ts';
import { lookUpOnTape } from './tape-lookup.adapter.ts';
import { readTapePosition, type TapePosition } from './tape-position.adapter.ts';
import { TapeWriter } from './tape-writer.adapter.ts';
import { createLiveTelemetry } from './telemetry.adapter.ts';
import { NO_TELEMETRY, type LiveTelemetry } from './telemetry.ts';
import { VenueStream } from './venue-stream.adapter.ts';

/** The most trades that wait for older ones or for Kafka, over all instruments. */
const WAITING_TRADES_MAX = 100_000;
const WAITING_TRADES_MIN = 2_000;
/** The share of the venue's request weight that checking silent instruments may use. */
const PROBES_SHARE = 0.25;
/** How often connection and status are checked. */
const ROUND_INTERVAL_MS = 50;
const STATUS_INTERVAL_MS = 1_000;
const MILLISECONDS_PER_SECOND = 1_000;
const US_PER_MS = 1_000;
const DISCONNECT_MS_MAX = 1_500;

/** The records of the tape that are appended. */
const APPENDED = ['Trade', 'TradeGap', 'Watermark', 'TradeCancelled', 'TradeCorrected'] as const;

/** Of a run that was ended while Kafka or the registry was still waited for. */
const NOTHING_APPENDED: LiveIngestReport = {
  ...{ complete: true, seconds: 0, tradesAppended: 0, fromHistory: 0, perInstrument: {} },
  ...{ watermarks: 0, gaps: 0, amendments: 0, deadLetters: 0, deadLettersNotKept: 0 },
};

interface Parts {
  readonly options: LiveIngestOptions;
  readonly plan: LivePlan;
  readonly partitions: number;
  readonly registry: Registry;
  readonly producer: RecordProducer;
  readonly fetchPage: FetchPage;
}

/**
 * Takes trades from an exchange and appends them to the tape until the signal: in the order of their ids, each once,
 * across disconnections, gaps, restarts and outages of Kafka. Unobtainable trades are on the tape as a gap. Another
 * process may do the same at the same time: every trade has one effect.
 *
 * @throws TapeproofError USAGE for the options and for instruments that the venue does not know; UNREACHABLE for Kafka,
 *   its topics or the registry at the start, and where ccxt is needed but not installed; REGISTRY_CHANGED; CHECK_FAILED
 *   when the tape was activated with another number of partitions. Later outages are waited for.
 */
export async function ingestLive(options: LiveIngestOptions): Promise<LiveIngestReport> {
  const plan = planOf(options);
  const { connections, log } = options;
  const fetchPage = await openPages(plan, options.credentials);
  const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-ingest-live', log);
  const { registryUrl } = connections;
  const { processTelemetry, traceOneIn } = options;
  const reader = createLogReader(connections.kafkaBrokers);
  let trusted: TrustedLog | undefined;
  let producer: RecordProducer | undefined;
  try {
    const opening = openForAppending({ kafka, reader, registryUrl, log, telemetry: processTelemetry });
    trusted = await openUnlessAborted(opening, options.signal, ({ registry }) => {
      registry.close();
    });
    if (trusted === undefined) return NOTHING_APPENDED;
    const { registry, partitions } = trusted;
    const sender = createRecordProducer(kafka, registry, processTelemetry?.metrics);
    producer = tracedProducer(sender, traceOneIn, processTelemetry?.tracing);
    return await new LiveIngest({ options, plan, partitions, registry, producer, fetchPage }).run();
  } finally {
    trusted?.registry.close();
    // Kafka may be down: do not wait for it to disconnect.
    const goodbye = Promise.all([producer?.disconnect(), reader.close()]);
    await withDeadline(goodbye, DISCONNECT_MS_MAX, () => new Error('no answer')).catch(() => undefined);
  }
}

/** The log, once the registry knows all that is appended to it. */
async function openForAppending(settings: TrustedLogSettings): Promise<TrustedLog> {
  const trusted = await openTrustedLog(settings);
  const { registry } = trusted;
  try {
    for (const record of APPENDED) await registry.idOf(TAPE_TOPIC, record);
    await registry.idOf(DEAD_LETTERS_TOPIC, 'DeadLetter');
    return trusted;
  } catch (error) {
    registry.close();
    throw error;
  }
}

function telemetryOf(options: LiveIngestOptions, { transport }: LivePlan): LiveTelemetry {
  const { telemetry, processTelemetry, venue, log, healthPart } = options;
  if (telemetry !== undefined) return telemetry;
  return processTelemetry === undefined
    ? NO_TELEMETRY
    : createLiveTelemetry({ venue, transport, processTelemetry, log, healthPart: healthPart ?? 'venue' });
}

/** Wires the venue's stream, the instruments' streams, the backfill and the tape writer together. */
class LiveIngest {
  private readonly parts: Parts;
  private readonly conceal: Conceal;
  private readonly telemetry: LiveTelemetry;
  private readonly startedAtMs = performance.now();
  private readonly ending = new AbortController();
  private failure: Error | undefined;
  private readonly streams = new Map<string, InstrumentStream>();
  private readonly counts: AppendCounts;
  private readonly deadLetters: DeadLetterQueue;
  private readonly amendments: AmendmentDesk;
  private readonly writer: TapeWriter;
  private readonly watermarks: Watermarks;
  private readonly backfill: Backfill;
  private readonly venueStream: VenueStream | undefined;
  private rounds: NodeJS.Timeout | undefined;
  private isStreamStarted = false;
  private askingSinceMs = 0;
  private readonly clockOffset = new ClockOffset();
  private readonly backPressure = new BackPressure();
  private frames = 0;
  private statusAtMs = 0;
  private tradesAtStatus = 0;

  constructor(parts: Parts) {
    this.parts = parts;
    const { options, plan, partitions, producer, fetchPage } = parts;
    const { venue, timing, endpoints, symbols, transport } = plan;
    this.conceal = concealing(options.credentials);
    this.telemetry = concealedTelemetry(telemetryOf(options, plan), this.conceal);
    const { telemetry } = this;
    const { signal } = this.ending;
    this.deadLetters = new DeadLetterQueue(venue.name, partitions, telemetry);
    for (const [instrument, symbol] of symbols) this.streams.set(instrument, this.streamOf(instrument, symbol));
    const streams = [...this.streams.values()];
    this.counts = new AppendCounts(telemetry);
    this.amendments = this.newAmendmentDesk();
    this.watermarks = new Watermarks(venue.name, timing.watermarkIntervalMs, timing.watermarkAllowanceMs);
    this.venueStream = transport === 'stream' && venue.stream !== undefined ? this.newVenueStream(venue) : undefined;
    this.writer = new TapeWriter({
      venue: venue.name,
      streams,
      producer,
      watermarks: this.watermarks,
      counts: this.counts,
      timing,
      telemetry,
      signal,
      queues: [this.deadLetters, this.amendments],
      readPosition: () => this.readPosition(),
    });
    const onAnswer: BackfillOptions['onAnswer'] = (page) => {
      if (transport === 'poll') this.clockOffset.measuredByPage(page);
      this.writer.poke();
    };
    const { restUrl } = endpoints;
    const { onAmendment } = this;
    const reporting = { telemetry, onAnswer, onAmendment };
    this.backfill = new Backfill({ venue, restUrl, fetchPage, streams, timing, signal, ...reporting });
  }

  async run(): Promise<LiveIngestReport> {
    const { signal } = this.parts.options;
    const end = (): void => {
      this.end();
    };
    if (signal.aborted) return this.report(true);
    signal.addEventListener('abort', end, { once: true });
    try {
      const position = await this.readPosition().catch((error: unknown) => {
        if (this.ending.signal.aborted) return undefined;
        throw error;
      });
      if (position === undefined) return this.report(true);
      this.resume(position);
      this.askingSinceMs = performance.now();
      const besides = Promise.all([this.backfill.run(), this.amendments.run()]).catch((error: unknown) => {
        this.failure = error instanceof Error ? error : new Error(String(error));
        this.end();
      });
      // Independent of the writer, which waits while Kafka is down.
      this.rounds = setInterval(() => {
        this.round();
      }, ROUND_INTERVAL_MS);
      this.round();
      const isComplete = await this.writer.run();
      await besides;
      this.deadLetters.giveUp();
      if (this.failure !== undefined) throw this.failure;
      return this.report(isComplete);
    } finally {
      signal.removeEventListener('abort', end);
      this.end();
    }
  }

  private end(): void {
    clearInterval(this.rounds);
    this.venueStream?.stop();
    this.ending.abort();
  }

  private streamOf(instrument: string, symbol: string): InstrumentStream {
    const { plan, partitions } = this.parts;
    const { venue, timing, symbols, resumeTradesMax, transport } = plan;
    const { history, limits } = venue;
    // How long one round of requests for every instrument takes within its share of the weight.
    const { weight, windowMs } = limits.requestWeight;
    const turnMs = (symbols.size * history.newest(symbol, 1).weight * windowMs) / (weight * PROBES_SHARE);
    const share = Math.floor(WAITING_TRADES_MAX / symbols.size);
    return new InstrumentStream({
      instrument,
      symbol,
      partition: partitionOf(instrument, partitions),
      transport,
      tradeIds: venue.tradeIds,
      pageTradesMax: history.pageTradesMax,
      asksFrom: history.from(symbol, { firstTradeId: 1, afterTimeUs: null }, 1) !== undefined,
      asksSince: history.since !== undefined,
      waitingMax: Math.max(WAITING_TRADES_MIN, share),
      resumeTradesMax,
      timing: {
        ...timing,
        probeAfterMs: Math.max(timing.probeAfterMs, turnMs),
        pollIntervalMs: Math.max(timing.pollIntervalMs, turnMs),
      },
      telemetry: this.telemetry,
      onRefused: this.onRefused,
    });
  }

  private readonly onRefused = (refused: RefusedTrade, nowMs: number): void => {
    this.deadLetters.add(refused, nowMs, Date.now() * US_PER_MS);
  };

  private readonly onAmendment = (amendment: VenueAmendment, nowMs: number): void => {
    this.amendments.add(amendment, nowMs);
  };

  private newAmendmentDesk(): AmendmentDesk {
    const { options, plan, partitions, registry } = this.parts;
    const { streams, telemetry, onRefused } = this;
    const { signal } = this.ending;
    const brokers = options.connections.kafkaBrokers;
    return new AmendmentDesk({
      ...{ streams, partitions, timing: plan.timing, telemetry, signal, onRefused },
      lookUp: (lookup) => lookUpOnTape({ ...lookup, brokers, registry, signal }),
      onReady: () => {
        this.writer.poke();
      },
    });
  }

  private newVenueStream(venue: Venue): VenueStream {
    const { endpoints, symbols, timing } = this.parts.plan;
    const names = [...symbols.values()];
    const { streams, telemetry, onRefused, onAmendment } = this;
    const routing: FrameRouterOptions = {
      ...{ venue, streams, onRefused, onAmendment, telemetry },
      clockOffset: this.clockOffset,
      onNotice: ({ notice, detail }) => {
        telemetry({ kind: 'notice', notice, detail });
        if (notice === 'RECONNECT') this.venueStream?.replace('REQUESTED');
      },
    };
    return new VenueStream({
      url: venue.stream.url(endpoints.webSocketUrl, names),
      subscriptions: venue.stream.subscriptions(names),
      keepAlive: venue.stream.keepAlive,
      login: this.login(),
      limits: venue.limits,
      timing,
      telemetry,
      onFrame: (text, receivedAt) => {
        this.frames += 1;
        routeFrame(routing, this.conceal(text), receivedAt, performance.now());
        this.writer.poke();
      },
      onUp: () => {
        for (const stream of this.streams.values()) stream.connected(performance.now());
      },
      onDown: () => {
        for (const stream of this.streams.values()) stream.disconnected(performance.now());
      },
    });
  }

  private login(): Login | undefined {
    const { options, plan } = this.parts;
    const { account } = plan.venue;
    if (account === undefined || options.credentials === undefined) return undefined;
    return { message: account.login(options.credentials), isAccepted: (text) => account.isAccepted(text) };
  }

  private readPosition(): Promise<TapePosition> {
    const { options, plan, registry } = this.parts;
    return readTapePosition({
      brokers: options.connections.kafkaBrokers,
      registry,
      venue: plan.venue,
      partitionOf: new Map([...this.streams].map(([instrument, stream]) => [instrument, stream.options.partition])),
      signal: this.ending.signal,
    });
  }

  private resume({ held, watermarkTimes }: TapePosition): void {
    for (const [partition, eventTime] of watermarkTimes) this.watermarks.held(partition, eventTime);
    for (const [instrument, stream] of this.streams) {
      const here = held.get(instrument);
      stream.resume(here);
      const lastId = here?.lastId;
      this.telemetry({
        kind: 'resumed',
        instrument,
        nextTradeId: lastId === undefined ? null : String(lastId + 1),
        lastTradeIdOnTape: lastId === undefined ? (here?.recentIds.at(-1) ?? null) : String(lastId),
      });
    }
  }

  private round(): void {
    const nowMs = performance.now();
    const streams = [...this.streams.values()];
    if (this.venueStream !== undefined && !this.isStreamStarted && mayStream(streams, nowMs - this.askingSinceMs)) {
      for (const stream of streams) stream.beginWithAny();
      this.isStreamStarted = true;
      this.venueStream.start();
    }
    this.holdWhereFull(streams, nowMs);
    const isDeaf = streams.some((stream) => stream.next(nowMs).replaceConnection);
    for (const stream of streams) stream.takeWithheld(nowMs);
    if (isDeaf) this.venueStream?.replace('DEAF');
    if (nowMs - this.statusAtMs >= STATUS_INTERVAL_MS) this.reportStatus(streams, nowMs);
  }

  private holdWhereFull(streams: readonly InstrumentStream[], nowMs: number): void {
    const filled = Math.max(...streams.map(({ waiting, options }) => waiting / options.waitingMax));
    const missing = streams.reduce((sum, stream) => sum + stream.missingTrades, 0);
    this.venueStream?.hold(this.backPressure.holds(filled, missing, nowMs));
  }

  private reportStatus(streams: readonly InstrumentStream[], nowMs: number): void {
    const instruments = streams.map((stream) => ({
      ...this.counts.of(stream.options.instrument),
      missing: stream.missingTrades,
      isInSync: stream.isInSync,
    }));
    const inSync = instruments.filter(({ isInSync }) => isInSync).length;
    const waiting = streams.reduce((sum, stream) => sum + stream.waiting, 0);
    const missing = instruments.reduce((sum, instrument) => sum + instrument.missing, 0);
    const seconds = (nowMs - this.statusAtMs) / MILLISECONDS_PER_SECOND;
    const tradesPerSecond = this.statusAtMs === 0 ? 0 : (this.counts.trades - this.tradesAtStatus) / seconds;
    this.statusAtMs = nowMs;
    this.tradesAtStatus = this.counts.trades;
    this.telemetry({
      kind: 'status',
      waitingTrades: waiting,
      missingTrades: missing,
      instrumentsInSync: inSync,
      frames: this.frames,
      clockOffsetUs: this.clockOffset.leastUs,
    });
    this.parts.options.onStatus?.({
      tradesAppended: this.counts.trades,
      tradesPerSecond,
      waiting,
      instruments,
    });
  }

  private report(complete: boolean): LiveIngestReport {
    const { trades, fromHistory, watermarks, gaps, amendments, deadLetters } = this.counts;
    const { deadLettersNotKept } = this.deadLetters;
    const perInstrument = Object.fromEntries(
      [...this.streams.keys()].sort().map((instrument) => [instrument, this.counts.of(instrument).tradesAppended]),
    );
    const seconds = (performance.now() - this.startedAtMs) / MILLISECONDS_PER_SECOND;
    const appended = { tradesAppended: trades, fromHistory, perInstrument };
    return { complete, seconds, ...appended, watermarks, gaps, amendments, deadLetters, deadLettersNotKept };
  }
}
