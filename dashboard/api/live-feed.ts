import { randomBytes } from 'node:crypto';
import type { Log } from '../../platform/log.ts';
import type { Telemetry } from '../../platform/telemetry.ts';
import type { InstrumentsEvent, PipelineEvent } from '../contract/events.ts';
import { instrumentStateOf } from './instrument-state.ts';
import { ApiProblem } from './problems.ts';
import type { ReadModels, StoredState } from './read-models.ts';

/** From the end of one look at Redis to the next: a change is seen after at most so long. */
const LOOK_INTERVAL_MS = 100;
const HEARTBEAT_INTERVAL_MS = 5_000;
export const VIEWERS_MAX = 2_000;
/** Events that a stream can be resumed over. */
const EVENTS_KEPT_MAX = 1_000;
const BYTES_KEPT_MAX = 4_194_304;
/** A client that has not taken so much yet is too slow; what a stream begins with comes on top. */
const BACKLOG_BYTES_MAX = 1_048_576;
const START_BYTES = 6;

/** A client of the stream. */
export interface Viewer {
  /** Takes events in the format of text/event-stream. */
  write(bytes: Buffer): void;
  /** Bytes written that the client has not taken yet. */
  readonly backlogBytes: number;
  /** Breaks the connection off. */
  cut(): void;
}

interface KeptEvent {
  readonly number: number;
  readonly bytes: Buffer;
}

export interface LiveFeedSettings {
  readonly models: Pick<ReadModels, 'latest' | 'services'>;
  readonly telemetry: Telemetry;
  readonly log: Log;
  /** The clock, microseconds since 1970. */
  readonly nowUs: () => number;
}

/**
 * The stream of events: one look at Redis for all viewers, each event made once and sent to all of them. It looks only
 * while somebody views. An event's id is `<start>-<number>`: that of another process does not resume a stream.
 */
export class LiveFeed {
  readonly #settings: LiveFeedSettings;
  readonly #start = randomBytes(START_BYTES).toString('hex');
  readonly #viewers = new Map<Viewer, { readonly backlogBytesMax: number }>();
  readonly #kept: KeptEvent[] = [];
  #keptBytes = 0;
  #number = 0;
  #states: ReadonlyMap<string, StoredState> = new Map();
  #complete: KeptEvent | undefined;
  #looking: Promise<void> | undefined;
  #nextLook: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(settings: LiveFeedSettings) {
    this.#settings = settings;
    settings.telemetry.metrics.set('tapeproof_dashboard_viewers', {}, 0);
    settings.telemetry.metrics.count('tapeproof_dashboard_viewers_cut_total', {}, 0);
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** @throws ApiProblem BUSY where as many view as may. */
  assertRoom(): void {
    if (this.#viewers.size < VIEWERS_MAX) return;
    throw new ApiProblem('BUSY', `${VIEWERS_MAX} streams are open, as many as this server has: try again later.`);
  }

  /**
   * Sends a viewer what it missed since the event that it names, or else all instruments, and from then on each event.
   *
   * @param lastEventId - the id of the last event that it had; undefined for a new viewer.
   * @throws ApiProblem BUSY
   */
  async open(viewer: Viewer, lastEventId: string | undefined): Promise<void> {
    this.assertRoom();
    if (this.#viewers.size === 0) await this.#look();
    // Others may have come while it looked.
    this.assertRoom();
    const missed = this.#missedSince(lastEventId) ?? [this.#allInstruments()];
    const bytes = Buffer.concat(missed.map((event) => event.bytes));
    this.#viewers.set(viewer, { backlogBytesMax: BACKLOG_BYTES_MAX + bytes.length });
    this.#countViewers();
    if (bytes.length > 0) viewer.write(bytes);
    this.#goOn();
  }

  leave(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer)) return;
    this.#countViewers();
    if (this.#viewers.size === 0) this.#pause();
  }

  /** Ends every stream. */
  close(): void {
    this.#isClosed = true;
    this.#pause();
    for (const viewer of this.#viewers.keys()) viewer.cut();
    this.#viewers.clear();
  }

  #countViewers(): void {
    this.#settings.telemetry.metrics.set('tapeproof_dashboard_viewers', {}, this.#viewers.size);
  }

  #goOn(): void {
    if (this.#isClosed) return;
    this.#nextLook ??= this.#scheduled();
    this.#heartbeat ??= setInterval(() => {
      this.#sendHeartbeat();
    }, HEARTBEAT_INTERVAL_MS);
  }

  #scheduled(): NodeJS.Timeout {
    const timer = setTimeout(() => {
      void this.#look().finally(() => {
        // While it looked, all may have left.
        if (this.#nextLook !== timer) return;
        this.#nextLook = undefined;
        this.#goOn();
      });
    }, LOOK_INTERVAL_MS);
    return timer;
  }

  #pause(): void {
    clearTimeout(this.#nextLook);
    clearInterval(this.#heartbeat);
    this.#nextLook = this.#heartbeat = undefined;
  }

  /** Looks for changes and sends them. Redis that does not answer shows in the next heartbeat. */
  #look(): Promise<void> {
    this.#looking ??= this.#readChanges().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #readChanges(): Promise<void> {
    const { metrics } = this.#settings.telemetry;
    const before = this.#states;
    let now: ReadonlyMap<string, StoredState>;
    try {
      now = await this.#settings.models.latest.read();
    } catch {
      metrics.count('tapeproof_dashboard_upstream_reads_total', { result: 'failed' });
      return;
    }
    this.#states = now;
    const changed = now === before ? [] : [...now].filter(([name, state]) => before.get(name) !== state);
    const isReplaced = now !== before && [...before.keys()].some((name) => !now.has(name));
    const result = changed.length > 0 || isReplaced ? 'changed' : 'unchanged';
    metrics.count('tapeproof_dashboard_upstream_reads_total', { result });
    if (result === 'changed') this.#send('instruments', this.#instruments(isReplaced ? [...now] : changed, isReplaced));
  }

  #sendHeartbeat(): void {
    const { models, nowUs } = this.#settings;
    const event: PipelineEvent = { asOfUs: nowUs(), services: [...models.services()], viewers: this.#viewers.size };
    this.#send('pipeline', event);
  }

  #instruments(states: readonly (readonly [string, StoredState])[], isComplete: boolean): InstrumentsEvent {
    const asOfUs = this.#settings.nowUs();
    return {
      asOfUs,
      isComplete,
      instruments: states.map(([name, state]) => instrumentStateOf(name, state, asOfUs)),
    };
  }

  #send(name: 'instruments' | 'pipeline', data: InstrumentsEvent | PipelineEvent): void {
    this.#number += 1;
    const event = { number: this.#number, bytes: this.#bytesOf(name, this.#number, data) };
    this.#settings.telemetry.metrics.count('tapeproof_dashboard_events_total', { event: name });
    this.#keep(event);
    for (const [viewer, { backlogBytesMax }] of this.#viewers) {
      if (viewer.backlogBytes <= backlogBytesMax) viewer.write(event.bytes);
      else this.#cut(viewer);
    }
  }

  #cut(viewer: Viewer): void {
    const { telemetry, log } = this.#settings;
    telemetry.metrics.count('tapeproof_dashboard_viewers_cut_total', {});
    log.sampled('dashboard-viewer-cut')?.(`a client left ${viewer.backlogBytes} bytes of events unread`);
    this.leave(viewer);
    viewer.cut();
  }

  #keep(event: KeptEvent): void {
    this.#kept.push(event);
    this.#keptBytes += event.bytes.length;
    while (this.#kept.length > EVENTS_KEPT_MAX || this.#keptBytes > BYTES_KEPT_MAX) {
      this.#keptBytes -= this.#kept.shift()?.bytes.length ?? 0;
    }
  }

  /** Undefined where the id is not one of this process, or what followed it is no longer kept. */
  #missedSince(lastEventId: string | undefined): readonly KeptEvent[] | undefined {
    const [start, text = ''] = (lastEventId ?? '').split('-');
    if (start !== this.#start || !/^\d{1,15}$/.test(text)) return undefined;
    const last = Number(text);
    const oldest = this.#kept[0]?.number ?? this.#number + 1;
    if (last > this.#number || last + 1 < oldest) return undefined;
    return this.#kept.filter(({ number }) => number > last);
  }

  /** The same for all who come before the next event. */
  #allInstruments(): KeptEvent {
    if (this.#complete?.number !== this.#number) {
      const event = this.#instruments([...this.#states], true);
      this.#complete = { number: this.#number, bytes: this.#bytesOf('instruments', this.#number, event) };
    }
    return this.#complete;
  }

  #bytesOf(name: string, number: number, data: InstrumentsEvent | PipelineEvent): Buffer {
    return Buffer.from(`id: ${this.#start}-${number}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}
