import type { EngineActivated, EngineAnchor } from '../../contracts/generated/events.ts';
import { DERIVED_TOPICS, perTopic, TAPE_TOPIC, type DerivedTopic } from '../../contracts/topics.ts';
import type { Advance, DerivedRecord } from '../../evaluators/advance.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import type { ActivationTerms } from '../../evaluators/activation-terms.ts';
import { recordHashOf } from '../../evaluators/anchor.ts';
import { RevocationSearch } from '../../evaluators/revocation.adapter.ts';
import type { PartitionTask } from '../../evaluators/partition-task.ts';
import type { TapeContent } from '../../contracts/tape-content.ts';
import type { AnchorCheck } from './anchor-check.ts';
import { Causality } from './causality.ts';
import type { Difference } from './difference.ts';
import { OutputCheck, type OutputFigures } from './output-check.ts';
import { readAhead } from '../../platform/kafka/read-ahead.ts';
import { StateCheck } from './state-check.ts';

/** An activation that took effect in a range. */
export interface ActivationIn {
  readonly offset: number;
  readonly activationId: string;
  readonly engineVersion: string;
  readonly gitCommit: string;
  readonly configHash: string;
}

/** An output's part of a range, with its tree. */
export interface RangeOutput extends OutputFigures {
  /** The RFC 6962 tree over the events' hashes; null when the range does not begin with sequence 0. */
  readonly tree: { readonly size: number; readonly root: string } | null;
}

/** A range of a partition's tape, derived again and equal to the log. */
export interface DerivedRange {
  readonly partition: number;
  /** Undefined before the first activation. */
  readonly tapeId: string | undefined;
  readonly tape: {
    readonly from: number;
    /** First tape offset that is not included. */
    readonly to: number;
    readonly records: number;
    /** Of the last record; null when there is none. As in an anchor. */
    readonly lastRecordHash: string | null;
  };
  readonly end: {
    /** Hash of the engine's state; null where the range does not end at an anchor. */
    readonly stateHash: string | null;
    readonly anchorHash: string | null;
  };
  readonly outputs: readonly RangeOutput[];
  /** Anchors in the range that are equal to those in the log. */
  readonly anchors: number;
  readonly activations: readonly ActivationIn[];
  /** Causes that lie before the range: that they precede their events is checked, not that they exist. */
  readonly causesBeforeRange: number;
}

/** How the comparison of a range ended. */
export interface ComparedRange {
  readonly range: DerivedRange;
  readonly difference: Difference | undefined;
  /** Another engine version is in force from this tape offset on. */
  readonly foreign: { readonly offset: number; readonly activation: ActivationTerms } | undefined;
  /** First tape offset whose events the outputs do not hold yet: the range ends at the last anchor before it. */
  readonly notWrittenFrom: number | undefined;
  readonly isInterrupted: boolean;
}

export interface RangeOptions {
  /** End of the range. */
  readonly to: number;
  /** True when the tape ends there: then nothing may follow in the outputs. */
  readonly isTapeEnd: boolean;
  /** True when the caller named the end: then every event up to it must be there. */
  readonly isWanted: boolean;
  /** Log offset of each output's first record. */
  readonly logFrom: Readonly<Record<DerivedTopic, number>>;
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the number of its records. */
  readonly onRecords?: ((count: number) => void) | undefined;
}

type Ended = { readonly difference: Difference } | { readonly notWrittenFrom: number };

/**
 * Steps a task over its tape up to an offset and compares everything that it derives with the log. It stops at the first
 * difference.
 *
 * @param task - at the beginning of the range.
 * @throws TapeproofError UNREACHABLE
 */
export async function compareRange(
  access: LogAccess,
  task: PartitionTask,
  anchors: AnchorCheck,
  options: RangeOptions,
): Promise<ComparedRange> {
  const comparison = new RangeComparison(access, task, anchors, options);
  try {
    return await comparison.run();
  } finally {
    await comparison.close();
  }
}

class RangeComparison {
  readonly #access: LogAccess;
  readonly #task: PartitionTask;
  readonly #anchors: AnchorCheck;
  readonly #options: RangeOptions;
  readonly #from: number;
  readonly #checks: Readonly<Record<DerivedTopic, OutputCheck>>;
  readonly #causality: Causality;
  /** Undefined where the range begins at an anchor: which states stand before it is not derived. */
  readonly #states: StateCheck | undefined;
  readonly #revocations: RevocationSearch;
  readonly #activations: ActivationIn[] = [];
  #records = 0;
  #anchorsEqual = 0;
  #lastContent: TapeContent | undefined;
  #lastAnchor: { readonly manifest: EngineAnchor; readonly hash: string } | undefined;
  #atLastAnchor: DerivedRange | undefined;

  constructor(access: LogAccess, task: PartitionTask, anchors: AnchorCheck, options: RangeOptions) {
    this.#access = access;
    this.#task = task;
    this.#anchors = anchors;
    this.#options = options;
    this.#from = task.nextOffset;
    const { partition, nextSequences } = task;
    this.#checks = perTopic(
      (topic) => new OutputCheck(access, { topic, partition }, options.logFrom[topic], nextSequences[topic]),
    );
    this.#causality = new Causality(partition, this.#from);
    this.#states = this.#from === 0 ? new StateCheck(access, partition) : undefined;
    this.#revocations = new RevocationSearch(access, partition);
  }

  async run(): Promise<ComparedRange> {
    const { reader, decode } = this.#access;
    const { to, signal, onRecords } = this.#options;
    const { partition } = this.#task;
    if (this.#from >= to) return await this.#ended();
    for await (const records of readAhead(reader.read({ topic: TAPE_TOPIC, partition, from: this.#from, to }))) {
      for (const { offset, value } of records) {
        const decoded = decode({ value });
        const content = decoded instanceof Promise ? await decoded : decoded;
        const tapeRecord = { partition, offset, content };
        const advance = this.#task.advance(tapeRecord);
        this.#causality.record(offset, content);
        const stopped = isSilent(advance) ? undefined : await this.#compare(advance, offset);
        if (stopped !== undefined) return await this.#stopped(stopped);
        if (advance.foreignActivation !== undefined) {
          const revocation = await this.#revocations.of(this.#task, tapeRecord, advance);
          if (revocation === undefined)
            return await this.#handedOver({ offset, activation: advance.foreignActivation });
          this.#task.passOver(tapeRecord, revocation);
        }
        this.#records += 1;
        this.#lastContent = content;
        if (content.kind === 'activation') this.#noteActivation(offset, content.activation);
        if (advance.anchor !== undefined) this.#atLastAnchor = this.#rangeTo(offset + 1);
      }
      onRecords?.(records.length);
      if (signal?.aborted === true) return { ...this.#result(this.#task.nextOffset), isInterrupted: true };
    }
    return await this.#ended();
  }

  async close(): Promise<void> {
    for (const topic of DERIVED_TOPICS) await this.#checks[topic].close();
    await this.#states?.close();
  }

  async #compare({ derived, anchor }: Advance, offset: number): Promise<Ended | undefined> {
    for (const record of derived) {
      const held = this.#checks[record.topic].holds(record);
      const verdict = held === true || (await held);
      if (verdict === 'ENDED') return this.#missing(record);
      if (verdict !== true) return { difference: verdict };
      const violation = this.#causality.violation(record.event);
      if (violation !== undefined) return { difference: this.#lookahead(record, violation) };
    }
    if (anchor === undefined) return undefined;
    const verdict = await this.#anchors.check(anchor);
    if (verdict === 'NOT_WRITTEN') return this.#options.isWanted ? undefined : { notWrittenFrom: offset };
    if (verdict !== true) return { difference: verdict };
    const state = await this.#states?.check(anchor);
    if (state !== undefined) return { difference: state };
    this.#anchorsEqual += 1;
    this.#lastAnchor = { manifest: anchor.manifest, hash: anchor.hash.toString('hex') };
    return undefined;
  }

  /** The outputs end before an event: a running engine may not be so far, unless an anchor says that it was. */
  async #missing({ topic, event, sequence }: DerivedRecord): Promise<Ended> {
    const { partition } = this.#task;
    const { offset } = event.tape;
    await this.#anchors.load();
    if (!this.#options.isWanted && !this.#anchors.promises(offset)) return { notWrittenFrom: offset };
    return {
      difference: {
        ...{ kind: 'MISSING', topic, partition, logOffset: undefined, sequence, eventId: event.eventId },
        ...{ tapeOffset: offset, fields: [] },
        detail: 'the engine derives it, and the log ends before it',
      },
    };
  }

  #lookahead({ topic, event, sequence }: DerivedRecord, violation: string): Difference {
    const { eventId, tape } = event;
    return {
      ...{
        kind: 'LOOKAHEAD',
        topic,
        partition: this.#task.partition,
        logOffset: this.#checks[topic].figures.log.to - 1,
      },
      ...{ sequence, eventId, tapeOffset: tape.offset, detail: violation, fields: [] },
    };
  }

  #noteActivation(offset: number, { activationId }: EngineActivated): void {
    const { activation } = this.#task;
    if (activation?.activationId !== activationId) return;
    if (this.#activations.some((known) => known.activationId === activationId)) return;
    const { engineVersion, gitCommit, configHash } = activation;
    this.#activations.push({ offset, activationId, engineVersion, gitCommit, configHash });
  }

  async #stopped(ended: Ended): Promise<ComparedRange> {
    const result = this.#result(this.#task.nextOffset);
    if ('difference' in ended) return { ...result, difference: ended.difference };
    // An engine that ended at a conflict leaves it in the log while the tape goes on.
    const difference = await this.#surplus(ended.notWrittenFrom);
    if (difference !== undefined) return { ...result, difference };
    // The state at the last anchor is certain, and a later certificate can begin there.
    const range = this.#atLastAnchor ?? this.#emptyRange();
    return { ...this.#result(range.tape.to), range, notWrittenFrom: ended.notWrittenFrom };
  }

  async #handedOver(foreign: {
    readonly offset: number;
    readonly activation: ActivationTerms;
  }): Promise<ComparedRange> {
    const difference = this.#anchors.rest(this.#from, foreign.offset);
    return await Promise.resolve({ ...this.#result(foreign.offset), difference, foreign });
  }

  /** At the end of the range: nothing else may stand in the log. */
  async #ended(): Promise<ComparedRange> {
    const { to, isTapeEnd } = this.#options;
    const { reader } = this.#access;
    const { partition } = this.#task;
    const tapeEnd = (): Promise<number> => reader.endOffset(TAPE_TOPIC, partition);
    let difference: Difference | undefined;
    if (isTapeEnd) {
      difference = await this.#surplus(to);
      await this.#anchors.load();
      difference ??= this.#anchors.beyond(await tapeEnd());
      // A running engine may write the state of an anchor that is beyond the range.
      if ((await tapeEnd()) === to) difference ??= await this.#states?.rest(to);
    }
    difference ??= this.#anchors.rest(this.#from, to);
    return { ...this.#result(to), difference };
  }

  /** What stands in the outputs after the events before a tape offset and follows neither from the tape nor from those. */
  async #surplus(offset: number): Promise<Difference | undefined> {
    const tapeEnd = (): Promise<number> => this.#access.reader.endOffset(TAPE_TOPIC, this.#task.partition);
    let difference: Difference | undefined;
    for (const topic of DERIVED_TOPICS) difference ??= await this.#checks[topic].rest(offset, tapeEnd);
    return difference;
  }

  #result(to: number): ComparedRange {
    return {
      ...{ range: this.#rangeTo(to), difference: undefined, foreign: undefined },
      ...{ notWrittenFrom: undefined, isInterrupted: false },
    };
  }

  #rangeTo(to: number): DerivedRange {
    const { partition, tapeId } = this.#task;
    const anchor = this.#lastAnchor?.manifest.tape.offset === to ? this.#lastAnchor : undefined;
    return {
      ...{ partition, tapeId },
      tape: {
        ...{ from: this.#from, to, records: this.#records },
        lastRecordHash: this.#lastContent === undefined ? null : recordHashOf(this.#lastContent),
      },
      end: { stateHash: anchor?.manifest.stateHash ?? null, anchorHash: anchor?.hash ?? null },
      outputs: this.#outputs(),
      anchors: this.#anchorsEqual,
      activations: [...this.#activations],
      causesBeforeRange: this.#causality.beforeRange,
    };
  }

  /** The engine's own trees: up to here, what they grew by is equal to the log. */
  #outputs(): RangeOutput[] {
    const { treeHeads } = this.#task;
    return DERIVED_TOPICS.map((topic) => {
      const { figures } = this.#checks[topic];
      return { ...figures, tree: figures.sequences.from === 0 ? treeHeads[topic] : null };
    });
  }

  #emptyRange(): DerivedRange {
    const { range } = this.#result(this.#from);
    return {
      ...range,
      tape: { from: this.#from, to: this.#from, records: 0, lastRecordHash: null },
      outputs: range.outputs.map((figures) => ({
        ...figures,
        ...{ log: { from: figures.log.from, to: figures.log.from }, events: 0, duplicates: 0 },
        sequences: { from: figures.sequences.from, to: figures.sequences.from },
      })),
      ...{ anchors: 0, activations: [], causesBeforeRange: 0 },
    };
  }
}

/** Most records of the tape: nothing is awaited for them. */
function isSilent({ derived, anchor }: Advance): boolean {
  return derived.length === 0 && anchor === undefined;
}
