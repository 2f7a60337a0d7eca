import { encodeBody, hashBody, sha256Hex } from '../contracts/codec.ts';
import type { DeadLetter, EngineActivated, EngineAnchor } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { perTopic, type DerivedTopic } from '../contracts/topics.ts';
import { refusalOfContent, type FactContent } from '../contracts/tape-rules.ts';
import type { Refusal } from '../contracts/trade-rules.ts';
import { setAsideOf, type Advance, type DerivedRecord, type InstrumentOverview, type TapeRecord } from './advance.ts';
import type { ActivationTerms } from './activation-terms.ts';
import { Activations } from './activations.ts';
import { anchorOf, parseTaskState, recordHashOf, type AnchorRecord } from './anchor.ts';
import { PartitionContext, type SignalCounts } from './context/partition-context.ts';
import { NOTHING_COUNTED, type TaskCounts, type TaskState } from './task-state.ts';
import { disprovedLetterOf, letterOf, refusalOfPrice } from './dead-letters.ts';
import { stepWatermark, stepTrade, type EngineEvent, type Stamp } from './engine.ts';
import type { Session } from './indicators/session.ts';
import { Instrument } from './instrument.ts';
import { emptyTrees, LogTrees } from './log-trees.ts';
import type { Revocation } from './revocation.ts';
import type { EngineRules } from './rules.ts';
import { contentOf, pageOriginsOf, type PageOrigins, type PagesByHash } from './state-pages.ts';
import { STRATEGIES } from './strategies/catalogue.ts';
import type { Strategy } from './strategies/strategy.ts';
import { COUNTED_AS } from './trade-counts.ts';

/** Instruments of one partition; trades of a further one are dead letters. */
export const INSTRUMENTS_MAX = 4_096;
const NO_BYTES = Buffer.alloc(0);
const NO_LETTERS: readonly DeadLetter[] = [];

type Fact<Kind> = Extract<FactContent, { readonly kind: Kind }>;

const SILENT: Advance = Object.freeze({ derived: [], deadLetters: [], anchor: undefined });

/** Options of a task without a tape. An engine on a tape uses the defaults, for others derive its events again. */
export interface TaskOptions {
  /** The strategies that activations may name; by default those of the catalogue. */
  readonly known?: readonly Strategy[];
  /** True when the events are not stored: there are no anchors, and the bytes and hashes, most of the work, are empty. */
  readonly isUnproven?: boolean;
}

/** The first offset of a sequence. */
export function createPartitionTask(partition: number, options: TaskOptions = {}): PartitionTask {
  return new PartitionTask(partition, options);
}

/**
 * The task as it was right after an anchor: it continues with the same bytes.
 *
 * @param stateBytes - the canonical bytes of the state's head, all chunks.
 * @param manifestHash - `hashBody` of the anchor itself, which the next anchor names.
 * @param pages - those that the head names; others are ignored.
 * @throws Error when the bytes are not those that the manifest names or have another format, or when a page is missing.
 */
export function restorePartitionTask(
  manifest: EngineAnchor,
  stateBytes: Buffer,
  manifestHash: Buffer,
  pages: PagesByHash = new Map(),
): PartitionTask {
  if (sha256Hex(stateBytes) !== manifest.stateHash) {
    throw new Error(
      `the state of the anchor at offset ${manifest.tape.offset} does not have the hash that its manifest names`,
    );
  }
  return new PartitionTask(
    manifest.tape.partition,
    {},
    {
      state: parseTaskState(stateBytes, pages),
      tapeRecordHash: manifest.tapeRecordHash,
      anchorHash: manifestHash.toString('hex'),
      origins: pageOriginsOf(stateBytes, pages),
    },
  );
}

interface Restored {
  readonly state: TaskState;
  readonly tapeRecordHash: string;
  readonly anchorHash: string;
  readonly origins: PageOrigins;
}

/**
 * The engine's state of one tape partition, and the step from a tape record to its events. Nothing else is read or
 * written: the same records give the same bytes, from the start as from any anchor.
 */
export class PartitionTask {
  readonly partition: number;
  private readonly options: Required<TaskOptions>;
  private next = 0;
  private readonly counted: Record<keyof TaskCounts, number>;
  private readonly sequences: Record<DerivedTopic, number>;
  private readonly instruments = new Map<string, Instrument>();
  private readonly context: PartitionContext;
  private readonly activations: Activations;
  private stamp: Stamp | undefined;
  private readonly trees: LogTrees;
  private previousAnchorHash: string | null = null;
  private previousOrigins: PageOrigins = new Map();
  private anchoredAt = -1;
  private nextAnchorAt = Number.POSITIVE_INFINITY;
  private lastContent: TapeContent | undefined;
  private lastRecordHash = sha256Hex('');

  constructor(partition: number, options: TaskOptions, restored?: Restored) {
    this.partition = partition;
    this.options = { known: STRATEGIES, isUnproven: false, ...options };
    const state = restored?.state;
    this.trees = new LogTrees(state?.trees ?? emptyTrees());
    this.counted = { ...(state?.counts ?? NOTHING_COUNTED) };
    this.sequences = perTopic((topic) => state?.nextSequences[topic] ?? 0);
    this.context = new PartitionContext(state?.context);
    this.activations = new Activations(this.options.known, state?.activationIds);
    if (restored === undefined || state === undefined) return;
    this.next = this.anchoredAt = state.nextOffset;
    this.previousAnchorHash = restored.anchorHash;
    this.previousOrigins = restored.origins;
    this.lastRecordHash = restored.tapeRecordHash;
    const rules = this.activations.restore(state.activation);
    this.stamp = this.stampOf(state.activation, rules);
    for (const instrument of state.instruments.map(contentOf)) {
      this.instruments.set(instrument.name, new Instrument(instrument.name, rules, instrument));
    }
    this.scheduleAnchor();
  }

  /** Offset of the first tape record that is not included. */
  get nextOffset(): number {
    return this.next;
  }

  /** Sequence of the next event of each topic. */
  get nextSequences(): Readonly<Record<DerivedTopic, number>> {
    return { ...this.sequences };
  }

  /** The Merkle tree over the events of each topic so far. */
  get treeHeads(): Readonly<Record<DerivedTopic, { readonly size: number; readonly root: string }>> {
    const { roots, sizes } = this.trees;
    return perTopic((topic) => ({ size: sizes[topic], root: roots[topic] }));
  }

  /** Undefined before the first activation. */
  get tapeId(): string | undefined {
    return this.activations.inForce?.tapeId;
  }

  /** The activation in force; undefined before the first. */
  get activation(): ActivationTerms | undefined {
    return this.activations.inForce;
  }

  /** False while another engine version's activation is in force: that one processes the next record. */
  get isInCharge(): boolean {
    return !this.activations.isForeignInForce;
  }

  /** Numbers of records read since the beginning of the tape. */
  get counts(): TaskCounts {
    return { ...this.counted };
  }

  /** Numbers of signals since the beginning of the tape. */
  get signalCounts(): SignalCounts {
    return this.context.counts;
  }

  /** The sums of an instrument, ascending by session: for tests. */
  sessionsOf(name: string): readonly Session[] {
    return this.instruments.get(name)?.heldSessions ?? [];
  }

  /** The fates of each instrument's trades, by name. */
  get overview(): readonly InstrumentOverview[] {
    return [...this.instruments.keys()].sort().flatMap((name) => {
      const instrument = this.instruments.get(name);
      if (instrument === undefined) return [];
      const { counts, waitingTrades, silence } = instrument;
      return [{ name, counts, waiting: waitingTrades, silence }];
    });
  }

  /**
   * Processes the next record.
   *
   * @throws RangeError when the record was processed before.
   */
  advance(record: TapeRecord): Advance {
    const { offset, content } = record;
    if (offset < this.next || record.partition !== this.partition) {
      throw new RangeError(
        `partition ${this.partition} continues at offset ${this.next}, not with ${record.partition}-${offset}`,
      );
    }
    if (content.kind === 'activation') return this.advanceActivation(offset, content.activation, content);
    if (this.activations.inForce !== undefined && this.activations.isForeignInForce)
      return this.halt(offset, this.activations.inForce);
    if (content.kind === 'unusable') {
      const { reason } = content;
      const why = reason === 'UNDECODABLE' ? 'its bytes do not fit a schema' : 'its schema is none of Tapeproof';
      return this.refuse(offset, content, { reason, detail: `the record cannot be read: ${why}` });
    }
    const { stamp } = this;
    if (stamp === undefined) return this.skip(offset, content);
    const refusal = this.refusalOfSchema(content) ?? refusalOfContent(content);
    if (refusal !== undefined) return this.refuse(offset, content, refusal);
    return this.advanceFact(offset, content, stamp);
  }

  private advanceFact(offset: number, content: FactContent, stamp: Stamp): Advance {
    switch (content.kind) {
      case 'trade':
        return this.advanceTrade(offset, content, stamp);
      case 'watermark':
        return this.advanceWatermark(offset, content, stamp);
      case 'gap':
        this.counted.gaps += 1;
        return this.finish(offset, content, [], []);
      case 'amendment':
        return this.advanceAmendment(offset, content);
      case 'signal':
        return this.advanceSignal(offset, content);
    }
  }

  private advanceTrade(offset: number, content: Fact<'trade'>, stamp: Stamp): Advance {
    const { trade } = content;
    const instrument = this.instrumentOf(trade.instrument, stamp.rules);
    if (instrument === undefined) {
      const detail = `the partition holds ${INSTRUMENTS_MAX} instruments already`;
      return this.refuse(offset, content, { reason: 'INSTRUMENT_NOT_ALLOWED', detail });
    }
    const { fate, events } = stepTrade(instrument, trade, offset, stamp);
    if (fate === 'ON_TIME' || fate === 'LATE' || fate === 'AHEAD') this.counted.trades += 1;
    if (fate === 'DUPLICATE') this.counted.duplicates += 1;
    if (fate === 'LATE') this.counted.late += 1;
    if (fate === 'REFUSED') {
      return { ...this.refuse(offset, content, refusalOfPrice(trade)), setAside: setAsideOf('refused', trade) };
    }
    const disproved = instrument.takeDisproved();
    const letters =
      disproved.length === 0 ? NO_LETTERS : disproved.map((unproven) => disprovedLetterOf(this.partition, unproven));
    const advance = this.finish(offset, content, events, letters);
    return fate === 'ON_TIME' ? advance : { ...advance, setAside: setAsideOf(COUNTED_AS[fate], trade) };
  }

  /** The instrument of a name, created if it is new; undefined when there is no room for another. */
  private instrumentOf(name: string, rules: EngineRules): Instrument | undefined {
    let instrument = this.instruments.get(name);
    if (instrument !== undefined || this.instruments.size >= INSTRUMENTS_MAX) return instrument;
    instrument = new Instrument(name, rules);
    this.instruments.set(name, instrument);
    return instrument;
  }

  private advanceAmendment(offset: number, content: Fact<'amendment'>): Advance {
    const { amendment, name } = content;
    this.counted.amendments += 1;
    const kind = this.instruments.get(amendment.instrument)?.amend(amendment, name, offset) ?? 'unmatched';
    return { ...this.finish(offset, content, [], []), setAside: setAsideOf(kind, amendment) };
  }

  private advanceWatermark(offset: number, content: Fact<'watermark'>, stamp: Stamp): Advance {
    this.counted.watermarks += 1;
    const instrumentOf = (name: string) => this.instrumentOf(name, stamp.rules);
    return this.finish(offset, content, stepWatermark(instrumentOf, content.watermark, offset, stamp), []);
  }

  private advanceSignal(offset: number, content: Fact<'signal'>): Advance {
    const { signal } = content;
    const fate = this.context.hear(signal, offset, this.instruments);
    if (typeof fate !== 'string') return this.refuse(offset, content, fate);
    const advance = this.finish(offset, content, [], []);
    return fate === 'TAKEN' ? advance : { ...advance, setAside: { kind: fate, signal } };
  }

  /** Before the first activation nothing has an effect. */
  private skip(offset: number, content: TapeContent): Advance {
    this.counted.skipped += 1;
    return this.finish(offset, content, [], []);
  }

  private refusalOfSchema({ fingerprint }: { readonly fingerprint: string }): Refusal | undefined {
    if (this.activations.accepts(fingerprint)) return undefined;
    const detail = `the activation in force does not accept the schema ${fingerprint}`;
    return { reason: 'SCHEMA_NOT_ACCEPTED', detail };
  }

  private advanceActivation(
    offset: number,
    activation: EngineActivated,
    content: TapeContent & { kind: 'activation' },
  ): Advance {
    const former = this.activations.inForce ?? activation;
    const effect = this.activations.judge(activation);
    if (effect === 'REPEATED') return this.finish(offset, content, [], []);
    if (effect === 'FOREIGN') return this.halt(offset, activation);
    if ('fault' in effect) return this.refuse(offset, content, { reason: 'MALFORMED', detail: effect.fault });
    const { rules } = effect;
    this.activations.adopt(activation);
    this.stamp = this.stampOf(activation, rules);
    for (const instrument of this.instruments.values()) instrument.adopt(rules, former);
    this.nextAnchorAt = offset + 1;
    return this.finish(offset, content, [], []);
  }

  /**
   * Processes an activation at which this task halted and which a later one revoked: it has no effect, and a dead letter
   * names the later one. See revocation.adapter.ts.
   */
  passOver({ offset, content }: TapeRecord, { activationId, offset: revokedAt }: Revocation): Advance {
    if (content.kind !== 'activation' || offset !== this.next || !this.isInCharge) {
      throw new RangeError(`partition ${this.partition} does not wait at the activation at ${offset}`);
    }
    const { activation } = content;
    // A repetition has no effect either.
    this.activations.remember(activation.activationId);
    const detail = `the activation ${activation.activationId} of engine version ${activation.engineVersion} is revoked by the activation ${activationId} at offset ${revokedAt}`;
    return this.refuse(offset, content, { reason: 'MALFORMED', detail });
  }

  private stampOf({ engineVersion, configHash }: ActivationTerms, rules: EngineRules): Stamp {
    const { partition, context, sequences: nextSequences } = this;
    return { partition, engineVersion, configHash, rules, nextSequences, context };
  }

  /** Another version has to continue from here: the state is handed over in an anchor, unless there already is one here. */
  private halt(offset: number, foreignActivation: ActivationTerms): Advance {
    this.next = offset;
    const anchor = this.activations.inForce === undefined || this.anchoredAt === offset ? undefined : this.takeAnchor();
    return { derived: [], deadLetters: [], anchor, foreignActivation };
  }

  private refuse(offset: number, content: TapeContent, refusal: Refusal): Advance {
    const bytes = content.kind === 'unusable' ? content.value : content.body;
    return this.finish(offset, content, [], [letterOf(this.partition, offset, bytes, refusal)]);
  }

  private finish(
    offset: number,
    content: TapeContent,
    events: readonly EngineEvent[],
    deadLetters: readonly DeadLetter[],
  ): Advance {
    this.next = offset + 1;
    this.lastContent = content;
    this.counted.deadLetters += deadLetters.length;
    const isAnchorDue = this.next >= this.nextAnchorAt && !this.options.isUnproven;
    if (events.length === 0 && deadLetters.length === 0 && !isAnchorDue) return SILENT;
    const derived = events.map((event) => this.derive(event));
    return { derived, deadLetters, anchor: isAnchorDue ? this.takeAnchor() : undefined };
  }

  private derive({ topic, type, event }: EngineEvent): DerivedRecord {
    this.counted.events += 1;
    if (this.options.isUnproven)
      return { topic, type, sequence: event.sequence, event, body: NO_BYTES, hash: NO_BYTES };
    const body = encodeBody(type, event as never);
    const hash = hashBody(type, body);
    this.trees.append(topic, hash);
    return { topic, type, sequence: event.sequence, event, body, hash };
  }

  private takeAnchor(): AnchorRecord {
    if (this.activations.inForce === undefined) throw new Error('an anchor needs an activation');
    if (this.lastContent !== undefined) this.lastRecordHash = recordHashOf(this.lastContent);
    const names = [...this.instruments.keys()].sort();
    const anchor = anchorOf({
      partition: this.partition,
      state: {
        nextOffset: this.next,
        nextSequences: this.sequences,
        counts: this.counted,
        activation: this.activations.inForce,
        activationIds: this.activations.ids,
        trees: this.trees.toState(),
        instruments: names.flatMap((name) => this.instruments.get(name)?.part ?? []),
        context: this.context.toState(),
      },
      tapeRecordHash: this.lastRecordHash,
      trees: this.trees,
      previousAnchorHash: this.previousAnchorHash,
      previousOrigins: this.previousOrigins,
    });
    this.previousAnchorHash = anchor.hash.toString('hex');
    this.previousOrigins = anchor.origins;
    this.anchoredAt = this.next;
    this.scheduleAnchor();
    return anchor;
  }

  private scheduleAnchor(): void {
    const interval = this.stamp?.rules.anchorIntervalRecords ?? Number.POSITIVE_INFINITY;
    this.nextAnchorAt = (Math.floor(this.next / interval) + 1) * interval;
  }
}
