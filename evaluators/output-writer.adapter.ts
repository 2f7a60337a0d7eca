import { DERIVED_TOPICS, perTopic, STATES_TOPIC, type DerivedTopic } from '../contracts/topics.ts';
import type { Appended, CollectingProducer, RecordCollector } from '../platform/kafka/producer.ts';
import { labelHeaders, type TapeLabel } from '../platform/kafka/tape-label.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics/metrics.ts';
import type { DerivedRecord } from './advance.ts';
import { anchorRecords, holdsStates, type LogAccess, type StoredAnchor } from './anchor-log.adapter.ts';
import type { AnchorRecord } from './anchor.ts';
import type { EngineCounters } from './engine-counters.ts';
import { endsOf, ForeignWrites } from './foreign-writes.adapter.ts';
import type { Commits, OutputComparison } from './output-comparison.adapter.ts';
import type { RecoveredTask } from './recovery.adapter.ts';
import type { EngineTelemetry, UnsentReports } from './telemetry.adapter.ts';
import type { Extents } from './written-extents.adapter.ts';

export interface WriterContext {
  readonly access: LogAccess;
  readonly producer: CollectingProducer;
  /** The headers of each anchor besides its manifest. */
  readonly label: () => Promise<TapeLabel>;
  readonly counters: EngineCounters;
  readonly report: EngineTelemetry;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** What belongs to the records of a partition that are sent together. */
export interface Unsent {
  /** Of the events among them, in order. */
  readonly sequences: Readonly<Record<DerivedTopic, readonly number[]>>;
  readonly reports: UnsentReports;
}

/** The newest anchor of a partition. */
interface NewestAnchor {
  readonly offset: number;
  readonly writtenAtMs: number;
}

/** Another event stands in an output where one of this engine belongs: only a recovery can say what to do. */
export class OutputsInDoubt extends Error {
  constructor() {
    super('another event stands in an output where one of this engine belongs: the state is restored and compared');
  }
}

/**
 * Appends to the outputs of one partition, from one recovery to the next, and notices what others append there (see
 * foreign-writes.adapter.ts).
 */
export class OutputWriter {
  readonly #partition: number;
  readonly #context: WriterContext;
  readonly #foreign: ForeignWrites;
  /** By hash (hex), anchors that the log had before the recovery: one that is derived again is not written again. */
  readonly #known: Map<string, StoredAnchor>;
  #newestAnchor: NewestAnchor | undefined;
  #sends = 0;
  #sendsUnderWay = 0;

  constructor(
    partition: number,
    context: WriterContext,
    { task, anchor, known }: Pick<RecoveredTask, 'task' | 'anchor' | 'known'>,
    { comparison, extents }: { readonly comparison: OutputComparison; readonly extents: Extents },
  ) {
    this.#partition = partition;
    this.#context = context;
    this.#known = new Map(known);
    const ends = endsOf(comparison.ends, extents);
    this.#foreign = new ForeignWrites(context.access, partition, ends, task.nextSequences);
    if (anchor !== undefined) this.#newestAnchor = { offset: task.nextOffset, writtenAtMs: anchor.writtenAtMs };
  }

  /** Undefined when the partition has none. */
  get newestAnchor(): NewestAnchor | undefined {
    return this.#newestAnchor;
  }

  /** True when only a recovery can compare everything that others wrote. */
  get isInDoubt(): boolean {
    return this.#foreign.isLost;
  }

  /**
   * Notes an event that was derived, before it is sent or found written.
   *
   * @throws TapeproofError CONFLICT when another event is already in the log under its sequence.
   */
  derived(derived: DerivedRecord, commits: Commits): void {
    this.#foreign.derived(derived, commits);
  }

  /** Kafka's answer to a write to the partition. */
  appended(appended: Appended): void {
    this.#foreign.appended(appended);
  }

  /** For records that {@link send} will send. */
  collector(): RecordCollector {
    return this.#context.producer.collector();
  }

  /** @throws TapeproofError like `RecordProducer.send`; OutputsInDoubt */
  async send(records: RecordCollector, { sequences, reports }: Unsent): Promise<void> {
    this.#foreign.sending(sequences);
    await this.#append(() => records.send());
    this.#context.report.acknowledged(reports);
    await this.#inspect();
  }

  /**
   * Pages and head of the state first, then the manifest: an anchor promises only records that exist.
   *
   * @param positions - lower bounds of the log offset of each output's next event; undefined for its end.
   * @throws TapeproofError UNREACHABLE; OutputsInDoubt
   */
  async writeAnchor(
    anchor: AnchorRecord,
    timestampUs: number,
    positions: Readonly<Partial<Record<DerivedTopic, number | undefined>>>,
  ): Promise<void> {
    if (await this.#isWritten(anchor)) return;
    const { access, label, counters, metrics, log } = this.#context;
    const partition = this.#partition;
    const ends = await access.reader.endOffsets([...DERIVED_TOPICS, STATES_TOPIC], partition);
    const outputs = perTopic((topic) => positions[topic] ?? ends[topic]);
    const pages = ends[STATES_TOPIC];
    const state = pages + anchor.pages.length;
    const records = anchorRecords(anchor, timestampUs, { pages, state, outputs });
    const headers = { ...records.manifest.headers, ...labelHeaders(await label()) };
    this.#foreign.sendingAnchor(anchor.hash);
    const { producer } = this.#context;
    await this.#append(() => producer.send(records.states));
    await this.#append(() => producer.send([{ ...records.manifest, headers }]));
    counters.anchors += 1;
    const { offset } = anchor.manifest.tape;
    this.#newestAnchor = { offset, writtenAtMs: Date.now() };
    metrics.count('tapeproof_engine_anchors_total', { partition });
    log.sampled('anchor-written')?.(`Partition ${partition} has an anchor at ${offset}`, {
      'tapeproof.tape.partition': partition,
      'tapeproof.tape.offset': offset,
      'tapeproof.state_bytes': anchor.manifest.stateBytes,
      'tapeproof.state_hash': anchor.manifest.stateHash,
      'tapeproof.state_pages': anchor.origins.size,
      'tapeproof.state_pages_written': anchor.pages.length,
    });
    await this.#inspect();
  }

  /**
   * Looks at the ends of the outputs, so that what others write is noticed although this engine writes nothing.
   *
   * @param read - reads them; the answer means nothing if this engine wrote meanwhile.
   * @throws TapeproofError UNREACHABLE; OutputsInDoubt
   */
  async look(read: () => Promise<Extents>): Promise<Extents> {
    const sends = this.#sends;
    const isQuiet = this.#sendsUnderWay === 0;
    const extents = await read();
    if (isQuiet && this.#sends === sends) {
      this.#foreign.seen(extents);
      await this.#inspect();
    }
    return extents;
  }

  async #append(send: () => Promise<void>): Promise<void> {
    this.#sends += 1;
    this.#sendsUnderWay += 1;
    try {
      await send();
    } finally {
      this.#sendsUnderWay -= 1;
    }
  }

  /** Reads what others appended. */
  async #inspect(): Promise<void> {
    if (!this.#foreign.isDue) return;
    const { report } = this.#context;
    const { events, passedOver } = await this.#foreign.inspect();
    report.foreign(events);
    report.passedOver(passedOver);
    if (events.some(({ fate }) => fate === 'conflict')) throw new OutputsInDoubt();
  }

  /** An anchor derived again that the log already has, with its pages and chunks. */
  async #isWritten(anchor: AnchorRecord): Promise<boolean> {
    const hash = anchor.hash.toString('hex');
    const stored = this.#known.get(hash);
    if (stored === undefined || !(await holdsStates(this.#context.access, stored, anchor))) return false;
    this.#known.delete(hash);
    this.#newestAnchor = { offset: anchor.manifest.tape.offset, writtenAtMs: stored.writtenAtMs };
    return true;
  }
}
