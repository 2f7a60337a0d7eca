import { partitionOf } from '../../contracts/partitioner.ts';
import { DEAD_LETTERS_TOPIC, TAPE_TOPIC } from '../../contracts/topics.ts';
import { withDeadline } from '../../platform/deadline.ts';
import { createKafka } from '../../platform/kafka/client.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createRecordProducer, type RecordProducer } from '../../platform/kafka/producer.ts';
import type { Registry } from '../../platform/kafka/registry.ts';
import { openTrustedLog, type TrustedLog } from '../../platform/kafka/trusted-log.ts';
import { ClockTicks } from './clock-ticks.ts';
import { History } from './history.adapter.ts';
import { Inbox } from './inbox.adapter.ts';
import { Lane } from './lane.ts';
import { planOf, type LiveIngestOptions, type LiveIngestReport, type LivePlan } from './live-options.adapter.ts';
import { createLiveObserver } from './observation.adapter.ts';
import { SILENT_OBSERVER, type LiveObserver } from './observer.ts';
import { Outbox } from './outbox.adapter.ts';
import { Stream } from './stream.adapter.ts';
import { mayStream } from './stream-start.ts';
import { Tally } from './tally.ts';
import { readTapePosition, type TapePosition } from './tape-position.adapter.ts';

/** Trades that wait for older ones or for Kafka, of all instruments together. */
const WAITING_TRADES_MAX = 100_000;
const WAITING_TRADES_MIN = 2_000;
/** The part of the venue's request weight that asking silent instruments may take. */
const PROBES_SHARE = 0.25;
/** How often connection and status are looked after. */
const ROUND_INTERVAL_MS = 50;
const STATUS_INTERVAL_MS = 1_000;
const MILLISECONDS_PER_SECOND = 1_000;
const DISCONNECT_MS_MAX = 1_500;

interface Parts {
  readonly options: LiveIngestOptions;
  readonly plan: LivePlan;
  readonly partitions: number;
  readonly registry: Registry;
  readonly producer: RecordProducer;
}

/**
 * Takes trades from an exchange and appends them to the tape until the signal: in the order of their ids, each once, also
 * over cuts, gaps, a restart or an outage of Kafka. What cannot be had is on the tape as a gap. Another process may do
 * the same at the same time: every trade has one effect.
 *
 * @throws TapeproofError USAGE for the options and for instruments that the venue does not know; UNREACHABLE for Kafka,
 *   its topics or the registry at the start; REGISTRY_CHANGED; CHECK_FAILED when the tape was activated with another number
 *   of partitions. Later outages are waited for.
 */
export async function ingestLive(options: LiveIngestOptions): Promise<LiveIngestReport> {
  const plan = planOf(options);
  const { connections, log } = options;
  const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-ingest-live', log);
  const { registryUrl } = connections;
  const { observation } = options;
  const reader = createLogReader(connections.kafkaBrokers);
  let trusted: TrustedLog | undefined;
  let producer: RecordProducer | undefined;
  try {
    trusted = await openTrustedLog({ kafka, reader, registryUrl, log, observation });
    const { registry, partitions } = trusted;
    for (const record of ['Trade', 'TradeGap', 'ClockTick'] as const) await registry.idOf(TAPE_TOPIC, record);
    await registry.idOf(DEAD_LETTERS_TOPIC, 'DeadLetter');
    producer = createRecordProducer(kafka, registry, observation?.metrics);
    return await new LiveIngest({ options, plan, partitions, registry, producer }).run();
  } finally {
    trusted?.registry.close();
    // Kafka may be away: then nobody waits for its goodbye.
    const goodbye = Promise.all([producer?.disconnect(), reader.close()]);
    await withDeadline(goodbye, DISCONNECT_MS_MAX, () => new Error('no answer')).catch(() => undefined);
  }
}

function observerOf({ observer, observation, venue, transport, log }: LiveIngestOptions): LiveObserver {
  if (observer !== undefined) return observer;
  return observation === undefined ? SILENT_OBSERVER : createLiveObserver({ venue, transport, observation, log });
}

/** Wires stream, history, lanes and outbox together. */
class LiveIngest {
  private readonly parts: Parts;
  private readonly observer: LiveObserver;
  private readonly startedAtMs = performance.now();
  private readonly ending = new AbortController();
  private failure: Error | undefined;
  private readonly lanes = new Map<string, Lane>();
  private readonly tally: Tally;
  private readonly inbox: Inbox;
  private readonly outbox: Outbox;
  private readonly ticks: ClockTicks;
  private readonly history: History;
  private readonly stream: Stream | undefined;
  private rounds: NodeJS.Timeout | undefined;
  private isStreamStarted = false;
  private askingSinceMs = 0;
  private statusAtMs = 0;
  private tradesAtStatus = 0;

  constructor(parts: Parts) {
    this.parts = parts;
    const { options, plan, partitions, producer } = parts;
    const { venue, timing, endpoints, symbols } = plan;
    this.observer = observerOf(options);
    const { observer } = this;
    const { signal } = this.ending;
    this.inbox = new Inbox(venue, this.lanes, partitions, observer);
    for (const [instrument, symbol] of symbols) this.lanes.set(instrument, this.laneOf(instrument, symbol));
    const lanes = [...this.lanes.values()];
    this.tally = new Tally(observer);
    this.ticks = new ClockTicks(venue.name, timing.tickIntervalMs, timing.tickAllowanceMs);
    this.stream = options.transport === 'stream' ? this.newStream() : undefined;
    this.outbox = new Outbox({
      venue: venue.name,
      lanes,
      producer,
      ticks: this.ticks,
      tally: this.tally,
      timing,
      observer,
      signal,
      deadLetters: this.inbox,
      readPosition: () => this.readPosition(),
    });
    const onAnswer = (): void => {
      this.outbox.poke();
    };
    this.history = new History({ venue, restUrl: endpoints.restUrl, lanes, timing, observer, signal, onAnswer });
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
      const asking = this.history.run().catch((error: unknown) => {
        this.failure = error instanceof Error ? error : new Error(String(error));
        this.end();
      });
      // Not in step with the outbox: while Kafka is away it waits.
      this.rounds = setInterval(() => {
        this.round();
      }, ROUND_INTERVAL_MS);
      this.round();
      const isComplete = await this.outbox.run();
      await asking;
      this.inbox.giveUp();
      if (this.failure !== undefined) throw this.failure;
      return this.report(isComplete);
    } finally {
      signal.removeEventListener('abort', end);
      this.end();
    }
  }

  private end(): void {
    clearInterval(this.rounds);
    this.stream?.stop();
    this.ending.abort();
  }

  private laneOf(instrument: string, symbol: string): Lane {
    const { options, plan, partitions } = this.parts;
    const { venue, timing, symbols, resumeTradesMax } = plan;
    const { history, limits } = venue;
    // How long one turn of asking every instrument takes in the part of the weight that may be spent on it.
    const { weight, windowMs } = limits.requestWeight;
    const turnMs = (symbols.size * history.newest(symbol, 1).weight * windowMs) / (weight * PROBES_SHARE);
    const share = Math.floor(WAITING_TRADES_MAX / symbols.size);
    return new Lane({
      instrument,
      symbol,
      partition: partitionOf(instrument, partitions),
      transport: options.transport,
      tradeIds: venue.tradeIds,
      pageTradesMax: history.pageTradesMax,
      asksFrom: history.from(symbol, { firstTradeId: 1, afterTimeUs: null }, 1) !== undefined,
      waitingMax: Math.max(WAITING_TRADES_MIN, share),
      resumeTradesMax,
      timing: {
        ...timing,
        probeAfterMs: Math.max(timing.probeAfterMs, turnMs),
        pollIntervalMs: Math.max(timing.pollIntervalMs, turnMs),
      },
      observer: this.observer,
      onRefused: (refused, nowMs) => {
        this.inbox.refused(refused, nowMs);
      },
    });
  }

  private newStream(): Stream {
    const { venue, endpoints, symbols, timing } = this.parts.plan;
    const names = [...symbols.values()];
    return new Stream({
      url: venue.stream.url(endpoints.webSocketUrl, names),
      subscriptions: venue.stream.subscriptions(names),
      keepAlive: venue.stream.keepAlive,
      limits: venue.limits,
      timing,
      observer: this.observer,
      onFrame: (text, receivedAt) => {
        this.inbox.frame(text, receivedAt);
        this.outbox.poke();
      },
      onUp: () => {
        for (const lane of this.lanes.values()) lane.connected(performance.now());
      },
      onDown: () => {
        for (const lane of this.lanes.values()) lane.disconnected();
      },
    });
  }

  private readPosition(): Promise<TapePosition> {
    const { options, plan, registry } = this.parts;
    return readTapePosition({
      brokers: options.connections.kafkaBrokers,
      registry,
      venue: plan.venue,
      partitionOf: new Map([...this.lanes].map(([instrument, lane]) => [instrument, lane.options.partition])),
      signal: this.ending.signal,
    });
  }

  private resume({ held, tickTimes }: TapePosition): void {
    for (const [partition, eventTime] of tickTimes) this.ticks.held(partition, eventTime);
    for (const [instrument, lane] of this.lanes) {
      const here = held.get(instrument);
      lane.resume(here);
      const lastId = here?.lastId;
      this.observer.resumed({
        instrument,
        nextTradeId: lastId === undefined ? null : String(lastId + 1),
        lastTradeIdOnTape: lastId === undefined ? (here?.recentIds.at(-1) ?? null) : String(lastId),
      });
    }
  }

  private round(): void {
    const nowMs = performance.now();
    const lanes = [...this.lanes.values()];
    if (this.stream !== undefined && !this.isStreamStarted && mayStream(lanes, nowMs - this.askingSinceMs)) {
      this.isStreamStarted = true;
      this.stream.start();
    }
    // Each is asked: it takes from REST what the stream withheld.
    const isDeaf = lanes.filter((lane) => lane.foundDeaf(nowMs)).length > 0;
    if (isDeaf) this.stream?.replace('DEAF');
    if (nowMs - this.statusAtMs >= STATUS_INTERVAL_MS) this.tellStatus(lanes, nowMs);
  }

  private tellStatus(lanes: readonly Lane[], nowMs: number): void {
    const instruments = lanes.map((lane) => ({
      ...this.tally.of(lane.options.instrument),
      missing: lane.missingTrades,
      isInSync: lane.isInSync,
    }));
    const inSync = instruments.filter(({ isInSync }) => isInSync).length;
    const waiting = lanes.reduce((sum, lane) => sum + lane.waiting, 0);
    const missing = instruments.reduce((sum, instrument) => sum + instrument.missing, 0);
    const seconds = (nowMs - this.statusAtMs) / MILLISECONDS_PER_SECOND;
    const tradesPerSecond = this.statusAtMs === 0 ? 0 : (this.tally.trades - this.tradesAtStatus) / seconds;
    this.statusAtMs = nowMs;
    this.tradesAtStatus = this.tally.trades;
    this.observer.waiting({ trades: waiting, missing, inSync });
    this.parts.options.onStatus?.({
      tradesAppended: this.tally.trades,
      tradesPerSecond,
      waiting,
      instruments,
    });
  }

  private report(complete: boolean): LiveIngestReport {
    const { trades, fromHistory, ticks, gaps, deadLetters } = this.tally;
    const { deadLettersNotKept } = this.inbox;
    const perInstrument = Object.fromEntries(
      [...this.lanes.keys()].sort().map((instrument) => [instrument, this.tally.of(instrument).tradesAppended]),
    );
    const seconds = (performance.now() - this.startedAtMs) / MILLISECONDS_PER_SECOND;
    const appended = { tradesAppended: trades, fromHistory, perInstrument };
    return { complete, seconds, ...appended, ticks, gaps, deadLetters, deadLettersNotKept };
  }
}
