import { encodeBody } from '../contracts/codec.ts';
import type { DeadLetter } from '../contracts/generated/events.ts';
import { DERIVED_TOPICS, STATES_TOPIC, TAPE_TOPIC, type DerivedTopic, type TopicName } from '../contracts/topics.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { TapeproofError } from '../platform/errors.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { BatchResult, PartitionBatch } from '../platform/kafka/partition-batch.ts';
import type { RefusalWatch } from '../platform/kafka/refusals.ts';
import type { OutgoingRecord, RecordProducer } from '../platform/kafka/producer.ts';
import { labelHeaders, type TapeLabel } from '../platform/kafka/tape-label.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics/metrics.ts';
import type { ActivationTerms } from './activation-terms.ts';
import { anchorRecords, type LogAccess } from './anchor-log.adapter.ts';
import { DeadLetterLog } from './dead-letter-log.adapter.ts';
import { ENGINE_VERSION } from './configuration.ts';
import type { EngineTelemetry } from './telemetry.adapter.ts';
import type { EngineCounters } from './engine-counters.ts';
import type { HandOverTelemetry } from './hand-over.adapter.ts';
import { OutputComparison, outputsReach, refuseCutOutputs } from './output-comparison.adapter.ts';
import type { Advance, DerivedRecord } from './advance.ts';
import type { AnchorRecord } from './anchor.ts';
import { recordOfEvent, recordOfLetter, timestampUsOf } from './outgoing-records.ts';
import type { PartitionTask } from './partition-task.ts';
import { recoverTask, refuseForeignTape } from './recovery.adapter.ts';
import { RevocationSearch } from './revocation.adapter.ts';
import { RefusalTelemetry } from './refusal-telemetry.adapter.ts';
import { extentsOf, lostTopic, type Extents } from './written-extents.adapter.ts';

/** Records collected before they are sent. */
const OUTBOX_RECORDS_MAX = 4_000;
/** Tape records processed between two checks whether to stop. */
const RECORDS_BETWEEN_CHECKS = 256;
const SECONDS_PER_MS = 1e-3;

/** The resources that the partitions of one process share. */
export interface ProcessorContext {
  readonly access: LogAccess;
  readonly producer: RecordProducer;
  /** The headers of each anchor besides its manifest. */
  readonly label: () => Promise<TapeLabel>;
  /** Commit of this build, or 'unknown'. */
  readonly gitCommit: string;
  readonly counters: EngineCounters;
  readonly report: EngineTelemetry;
  readonly handOver: HandOverTelemetry;
  readonly refusals: RefusalWatch;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** The newest anchor of a partition. */
interface NewestAnchor {
  readonly offset: number;
  readonly writtenAtMs: number;
}

/** The batch is to be begun again: the group must stop or give up the partition, or the outputs must be compared. */
class Interruption extends Error {}

/**
 * One partition of the tape while this process owns it: batches in; events, dead letters and anchors out; then the offset
 * to commit. Any error drops the state: the next batch restores it from an anchor.
 *
 *     batch ─► state at hand? ──no──► anchor ─► step on, comparing with the outputs ─┐
 *                  └─────yes──────────────────────────────────────────────────────────┴► step ─► send ─► commit
 */
export class PartitionProcessor {
  readonly #partition: number;
  readonly #context: ProcessorContext;
  readonly #refusalTelemetry: RefusalTelemetry;
  readonly #revocations: RevocationSearch;
  /** Tape records before it were processed by an earlier process: they count as recovered. */
  #takenInBefore = 0;
  #task: PartitionTask | undefined;
  #comparison: OutputComparison | undefined;
  /** A record processed again may be refused again, even when no output is left to compare with. */
  #deadLetterLog: DeadLetterLog | undefined;
  /** The beginnings and ends of the engine's outputs when last checked. */
  #extents: Extents | undefined;
  /** Per output, the sequence after the last event that it certainly holds. */
  #written: Readonly<Record<DerivedTopic, number>> | undefined;
  /** Written records are gone: the state has to be restored again. */
  #isInDoubt = false;
  #anchoredTapeId: string | undefined;
  /** A revoked activation: from there the next recovery compares with outputs written while this engine waited. */
  #comparedAt: number | undefined;
  #outbox: OutgoingRecord[] = [];
  /** The part of the outbox to report once Kafka has it. */
  #derived: DerivedRecord[] = [];
  #letters: DeadLetter[] = [];
  #newestAnchor: NewestAnchor | undefined;

  constructor(partition: number, context: ProcessorContext) {
    this.#partition = partition;
    this.#context = context;
    this.#revocations = new RevocationSearch(context.access, partition);
    this.#refusalTelemetry = new RefusalTelemetry(partition, context.log, context.metrics);
  }

  /** Offset of the first tape record that the state in memory does not include; undefined when there is no state. */
  get nextOffset(): number | undefined {
    return this.#task?.nextOffset;
  }

  /** Age of the newest anchor; undefined when there is none, or when the state is not in memory. */
  get anchorAge(): { readonly records: number; readonly seconds: number } | undefined {
    const [task, anchor] = [this.#task, this.#newestAnchor];
    if (task === undefined || anchor === undefined) return undefined;
    return {
      records: task.nextOffset - anchor.offset,
      seconds: Math.max(0, Date.now() - anchor.writtenAtMs) * SECONDS_PER_MS,
    };
  }

  async handle(batch: PartitionBatch): Promise<BatchResult> {
    try {
      // State in memory that is ahead is as good: earlier records are applied. State that is behind is stale: another
      // process had the partition in the meantime.
      const atHand = this.#isInDoubt ? undefined : this.#task;
      const task = atHand !== undefined && batch.firstOffset <= atHand.nextOffset ? atHand : await this.#recover(batch);
      return await this.#apply(task, batch);
    } catch (error) {
      await this.release();
      if (error instanceof Interruption) return { nextOffset: batch.firstOffset };
      throw error;
    }
  }

  /** @param offset - tape records before it were processed by an earlier process. */
  resume(offset: number): void {
    this.#takenInBefore = offset;
  }

  /**
   * Whether all written records are still there. If not, the next batch restores the state and derives the missing ones
   * again.
   *
   * @returns a topic that lost records since the last check; undefined when none did.
   * @throws TapeproofError UNREACHABLE, also when a topic is missing.
   */
  async findLoss(): Promise<TopicName | undefined> {
    const [task, extents, written] = [this.#task, this.#extents, this.#written];
    if (task === undefined || extents === undefined || written === undefined || this.#isInDoubt) return undefined;
    const now = await extentsOf(this.#context.access.reader, this.#partition);
    // Restored in the meantime.
    if (this.#task !== task) return undefined;
    const lost = lostTopic(extents, now, written);
    if (lost === undefined) this.#extents = now;
    else this.#isInDoubt = true;
    return lost;
  }

  /** Drops the state: the partition moves, or an error left it in doubt. */
  async release(): Promise<void> {
    this.#task = undefined;
    this.#newestAnchor = undefined;
    this.#isInDoubt = false;
    this.#deadLetterLog = undefined;
    this.#clearOutbox();
    await this.#closeComparison();
  }

  async #closeComparison(): Promise<void> {
    const comparison = this.#comparison;
    this.#comparison = undefined;
    if (comparison !== undefined) this.#context.report.passedOver(comparison.passedOver);
    await comparison?.close();
  }

  async #recover(batch: PartitionBatch): Promise<PartitionTask> {
    await this.release();
    const { access, counters, log, metrics } = this.#context;
    const partition = this.#partition;
    const startedAt = performance.now();
    this.#extents = await extentsOf(access.reader, partition);
    await refuseCutOutputs(access, partition);
    const { task, anchor, tapeId } = await recoverTask(access, partition, Number.POSITIVE_INFINITY, ({ manifest }) =>
      outputsReach(access, partition, manifest.nextSequence),
    );
    this.#anchoredTapeId = tapeId;
    refuseForeignTape(partition, tapeId, task);
    const comparison = await OutputComparison.open(access, partition, task.nextSequences, anchor?.hints.outputs ?? {});
    this.#comparison = comparison;
    const from = task.nextOffset;
    const end = await access.reader.endOffset(TAPE_TOPIC, partition);
    this.#deadLetterLog = new DeadLetterLog(access, partition, from, end);
    if (from < batch.firstOffset) await this.#stepTo(task, batch);
    counters.recoveries += 1;
    metrics.count('tapeproof_engine_recoveries_total', { partition });
    log.event(
      'recovered',
      from === 0 && batch.firstOffset === 0
        ? `Partition ${partition} starts at the beginning of the tape`
        : `Partition ${partition} recovered from ${anchor === undefined ? 'the beginning of the tape' : `its anchor at ${from}`}`,
      {
        'tapeproof.tape.partition': partition,
        'tapeproof.tape.offset': batch.firstOffset,
        'tapeproof.recovered_from': from,
        'tapeproof.compared': comparison.compared,
        'tapeproof.duration_ms': Math.round(performance.now() - startedAt),
        'tapeproof.activation': task.activation?.activationId,
      },
    );
    this.#task = task;
    // An anchor that was written during recovery is newer.
    if (anchor !== undefined) this.#newestAnchor ??= { offset: from, writtenAtMs: anchor.writtenAtMs };
    return task;
  }

  /** From the anchor to the batch. */
  async #stepTo(task: PartitionTask, batch: PartitionBatch): Promise<void> {
    const { access, counters } = this.#context;
    const range = { topic: TAPE_TOPIC, partition: this.#partition, from: task.nextOffset, to: batch.firstOffset };
    for await (const records of access.reader.read(range)) {
      for (const record of records) {
        const decoded = access.decode(record);
        const content = decoded instanceof Promise ? await decoded : decoded;
        const advance = this.#advance(task, record.offset, content);
        if (!isSilent(advance)) await this.#collect(task, advance, record, false);
        if (advance.foreignActivation !== undefined) {
          const passed = await this.#passOver(task, record.offset, content, advance, true);
          if (passed === undefined) break;
          await this.#collect(task, passed, record, false);
        }
        counters.recovered += 1;
      }
      if (batch.interrupted()) throw new Interruption();
    }
    await this.#flush();
  }

  async #apply(task: PartitionTask, batch: PartitionBatch): Promise<BatchResult> {
    const { access, counters } = this.#context;
    const { skipped } = task.counts;
    const refused: DeadLetter[] = [];
    let taken = 0;
    let waitsFor: string | undefined;
    for (const record of batch.records) {
      if (record.offset < task.nextOffset) continue;
      const decoded = access.decode(record);
      const content = decoded instanceof Promise ? await decoded : decoded;
      let advance =
        taken % RECORDS_BETWEEN_CHECKS === 0
          ? this.#advanceTimed(task, record.offset, content)
          : this.#advance(task, record.offset, content);
      const isNew = record.offset >= this.#takenInBefore;
      if (!isSilent(advance)) await this.#collect(task, advance, record, isNew);
      if (advance.foreignActivation !== undefined) {
        const isCompared = this.#comparedAt === record.offset;
        const passed = await this.#passOver(task, record.offset, content, advance, isCompared);
        if (passed === undefined) {
          waitsFor = await this.#awaitHandOver(task, advance.foreignActivation);
          break;
        }
        advance = passed;
        await this.#collect(task, advance, record, isNew);
      }
      if (advance.deadLetters.length > 0) refused.push(...advance.deadLetters);
      taken += 1;
      if (isNew) counters.records += 1;
      else counters.recovered += 1;
      if (taken % RECORDS_BETWEEN_CHECKS === 0 && batch.interrupted()) break;
    }
    await this.#flush();
    this.#written = task.nextSequences;
    refuseForeignTape(this.#partition, this.#anchoredTapeId, task);
    this.#context.refusals.taken(batch, taken, task.nextOffset - 1, refused);
    if (waitsFor === undefined) this.#context.handOver.ended(this.#partition);
    counters.skipped += task.counts.skipped - skipped;
    const last = batch.records.at(-1)?.offset ?? batch.firstOffset;
    // The group begins before the state does: the records between are applied.
    if (taken === 0 && task.nextOffset > last + 1) return { appliedUpTo: task.nextOffset };
    const nextOffset = Math.min(Math.max(task.nextOffset, batch.firstOffset), last + 1);
    return { nextOffset, ...(waitsFor === undefined ? {} : { waitsFor }) };
  }

  #advanceTimed(task: PartitionTask, offset: number, content: TapeContent): Advance {
    const startedAt = performance.now();
    const advance = this.#advance(task, offset, content);
    const seconds = (performance.now() - startedAt) * SECONDS_PER_MS;
    this.#context.metrics.observe('tapeproof_engine_step_seconds', {}, seconds);
    return advance;
  }

  #advance(task: PartitionTask, offset: number, content: TapeContent): Advance {
    try {
      return task.advance({ partition: this.#partition, offset, content });
    } catch (error) {
      // A step that throws would throw again at every attempt.
      throw new TapeproofError(
        'CHECK_FAILED',
        `The engine fails at ${TAPE_TOPIC}-${this.#partition} offset ${offset} (${(error as Error).message}): this is a fault in the engine, and nothing after it is derived until it is fixed.`,
        { cause: error },
      );
    }
  }

  /**
   * Passes over the activation at which the task halted, if a later one revokes it; undefined if not.
   *
   * @param isCompared - whether the outputs as they are now are compared with: an engine of that version may have written
   *   while this one waited.
   * @throws Interruption where they are not. The next attempt begins with a recovery, which compares.
   */
  async #passOver(
    task: PartitionTask,
    offset: number,
    content: TapeContent,
    halted: Advance,
    isCompared: boolean,
  ): Promise<Advance | undefined> {
    const record = { partition: this.#partition, offset, content };
    const revocation = await this.#revocations.of(task, record, halted);
    if (revocation === undefined) return undefined;
    if (!isCompared) {
      this.#comparedAt = offset;
      await this.#flush();
      throw new Interruption();
    }
    return task.passOver(record, revocation);
  }

  /** Puts the results of a record into the outbox, except those that the logs already hold. */
  async #collect(task: PartitionTask, advance: Advance, record: LogRecord, isNew: boolean): Promise<void> {
    const { counters, gitCommit } = this.#context;
    if (advance.setAside !== undefined && isNew) this.#refusalTelemetry.setAside(advance.setAside, record.offset);
    for (const derived of advance.derived) {
      if (this.#comparison !== undefined) {
        const activatedBy = task.activation?.gitCommit ?? 'unknown';
        if (await this.#comparison.holds(derived, { derivedBy: gitCommit, activatedBy })) {
          counters.compared += 1;
          continue;
        }
        await this.#endComparison();
      }
      counters.events += 1;
      this.#derived.push(derived);
      this.#outbox.push(recordOfEvent(this.#partition, derived));
    }
    for (const letter of advance.deadLetters) {
      const body = encodeBody('DeadLetter', letter);
      if ((await this.#deadLetterLog?.holds(body, record.offset)) === true) continue;
      counters.deadLetters += 1;
      this.#letters.push(letter);
      this.#outbox.push(recordOfLetter(this.#partition, letter, body, timestampUsOf(record)));
    }
    if (advance.anchor !== undefined) await this.#writeAnchor(advance.anchor, timestampUsOf(record));
    else if (this.#outbox.length >= OUTBOX_RECORDS_MAX) await this.#flush();
  }

  async #endComparison(): Promise<void> {
    if (this.#comparison?.isOver === true) await this.#closeComparison();
  }

  /** Events first, then pages and head of the state, then the manifest: an anchor promises only records that exist. */
  async #writeAnchor(anchor: AnchorRecord, timestampUs: number): Promise<void> {
    await this.#flush();
    const { access, producer, label, counters, metrics, log } = this.#context;
    const partition = this.#partition;
    const positions = this.#comparison?.positions;
    const outputs: Partial<Record<DerivedTopic, number>> = {};
    for (const topic of DERIVED_TOPICS) {
      outputs[topic] = positions?.[topic] ?? (await access.reader.endOffset(topic, partition));
    }
    const pages = await access.reader.endOffset(STATES_TOPIC, partition);
    const state = pages + anchor.pages.length;
    const records = anchorRecords(anchor, timestampUs, { pages, state, outputs });
    const headers = { ...records.manifest.headers, ...labelHeaders(await label()) };
    await producer.send(records.states);
    await producer.send([{ ...records.manifest, headers }]);
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
  }

  async #flush(): Promise<void> {
    if (this.#outbox.length === 0) return;
    const [records, derived, letters] = [this.#outbox, this.#derived, this.#letters];
    this.#clearOutbox();
    await this.#context.producer.send(records);
    this.#context.report.acknowledged(derived);
    for (const letter of letters) this.#refusalTelemetry.deadLetter(letter);
  }

  #clearOutbox(): void {
    this.#outbox = [];
    this.#derived = [];
    this.#letters = [];
  }

  /**
   * Another engine version has to continue here. The old one keeps its state and waits to be stopped; the new one,
   * which finds the old one's activation in force, searches for its anchor again at each attempt.
   */
  async #awaitHandOver(task: PartitionTask, foreign: ActivationTerms): Promise<string> {
    const isOurs = task.activation?.engineVersion === ENGINE_VERSION;
    const { nextOffset: offset } = task;
    const reason = this.#context.handOver.waits({ partition: this.#partition, offset, foreign, isOurs });
    if (!isOurs) {
      await this.#flush();
      await this.release();
    }
    return reason;
  }
}

function isSilent({ derived, deadLetters, anchor, foreignActivation, setAside }: Advance): boolean {
  return (
    derived.length === 0 &&
    deadLetters.length === 0 &&
    anchor === undefined &&
    foreignActivation === undefined &&
    setAside === undefined
  );
}
