import type { DeadLetter } from '../contracts/generated/events.ts';
import { TAPE_TOPIC, type DerivedTopic, type TopicName } from '../contracts/topics.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import type { BatchResult, PartitionBatch } from '../platform/kafka/partition-batch.ts';
import type { RefusalWatch } from '../platform/kafka/refusals.ts';
import type { Appended } from '../platform/kafka/producer.ts';
import type { ActivationTerms } from './activation-terms.ts';
import { isSilent, type Advance } from './advance.ts';
import { ENGINE_VERSION } from './configuration.ts';
import { DeadLetterLog } from './dead-letter-log.adapter.ts';
import type { EarlyRecoveries } from './early-recovery.adapter.ts';
import type { HandOverTelemetry } from './hand-over.adapter.ts';
import { OutputComparison, refuseCutOutputs } from './output-comparison.adapter.ts';
import { Outbox } from './outbox.adapter.ts';
import { timestampUsOf } from './outgoing-records.ts';
import { OutputsInDoubt, OutputWriter, type WriterContext } from './output-writer.adapter.ts';
import type { PartitionTask } from './partition-task.ts';
import { advanced, recoverTask, RecoveryInterrupted, refuseForeignTape } from './recovery.adapter.ts';
import { RevocationSearch } from './revocation.adapter.ts';
import { RefusalTelemetry } from './refusal-telemetry.adapter.ts';
import type { Turns } from '../platform/turns.ts';
import { extentsOf, lostTopic, type Extents } from './written-extents.adapter.ts';

/** Tape records processed between two checks whether to stop. */
const RECORDS_BETWEEN_CHECKS = 256;
const WAITING_SAID_EVERY_MS = 1_000;
const SECONDS_PER_MS = 1e-3;

/** The resources that the partitions of one process share. */
export interface ProcessorContext extends WriterContext {
  /** Commit of this build, or 'unknown'. */
  readonly gitCommit: string;
  readonly early: EarlyRecoveries;
  readonly recoveries: Turns;
  readonly handOver: HandOverTelemetry;
  readonly refusals: RefusalWatch;
}

/** The state of a partition, from one recovery to the next. */
interface Restored {
  readonly task: PartitionTask;
  readonly outbox: Outbox;
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
  /** Like the task, from one recovery to the next. */
  #writer: OutputWriter | undefined;
  #outbox: Outbox | undefined;
  /** The beginnings and ends of the engine's outputs when last checked. */
  #extents: Extents | undefined;
  /** Per output, the sequence after the last event that it certainly holds. */
  #written: Readonly<Record<DerivedTopic, number>> | undefined;
  /** Written records are gone, or others wrote: the state has to be restored again. */
  #isInDoubt = false;
  /** The tapes that the partition's anchors name. */
  #anchoredTapes: ReadonlySet<string> = new Set();
  /** The activation of another engine before the batch, at which the recovery ended. */
  #haltedBefore: ActivationTerms | undefined;
  /** Another engine version left an anchor that this one could not continue: it may leave a later one that it can. */
  #isContinuedByAnother = false;
  /** A revoked activation: from there the next recovery compares with outputs written while this engine waited. */
  #comparedAt: number | undefined;

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
    const [task, anchor] = [this.#task, this.#writer?.newestAnchor];
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
      const atHand = this.#atHand;
      if (atHand !== undefined && batch.firstOffset <= atHand.task.nextOffset)
        return await this.#applyTo(atHand, batch);
      return await this.#inTurn(batch, async () => this.#applyTo(await this.#recover(batch), batch));
    } catch (error) {
      await this.release();
      if (error instanceof Interruption || error instanceof RecoveryInterrupted)
        return { nextOffset: batch.firstOffset };
      throw error;
    }
  }

  get #atHand(): Restored | undefined {
    const [task, outbox] = [this.#task, this.#outbox];
    const isInDoubt = this.#isInDoubt || this.#writer?.isInDoubt === true;
    return isInDoubt || task === undefined || outbox === undefined ? undefined : { task, outbox };
  }

  /**
   * Recoveries keep the processor busy: side by side, all of them would end last. The events of the batch are sent before the
   * next one begins.
   */
  async #inTurn(batch: PartitionBatch, work: () => Promise<BatchResult>): Promise<BatchResult> {
    // A partition that waits for its turn does not stand still.
    const waiting = setInterval(batch.interrupted, WAITING_SAID_EVERY_MS);
    try {
      return await this.#context.recoveries.take(() => {
        clearInterval(waiting);
        if (batch.interrupted()) throw new RecoveryInterrupted();
        return work();
      });
    } finally {
      clearInterval(waiting);
    }
  }

  async #applyTo(restored: Restored, batch: PartitionBatch): Promise<BatchResult> {
    if (this.#haltedBefore === undefined) return await this.#apply(restored, batch);
    return { nextOffset: batch.firstOffset, waitsFor: await this.#awaitHandOver(restored, this.#haltedBefore) };
  }

  /** @param offset - tape records before it were processed by an earlier process. */
  resume(offset: number): void {
    this.#takenInBefore = offset;
  }

  /**
   * Whether all written records are still there, and nobody else's where ours belong. If not, the next batch restores the
   * state, compares it with the outputs and derives the missing ones again.
   *
   * @returns a topic that lost records since the last check; undefined when none did.
   * @throws TapeproofError UNREACHABLE, also when a topic is missing.
   */
  async findLoss(): Promise<TopicName | undefined> {
    const [task, extents, written, writer] = [this.#task, this.#extents, this.#written, this.#writer];
    if (task === undefined || extents === undefined || written === undefined || writer === undefined) return undefined;
    if (this.#isInDoubt) return undefined;
    try {
      const now = await writer.look(() => extentsOf(this.#context.access.reader, this.#partition));
      // Restored in the meantime.
      if (this.#task !== task) return undefined;
      const lost = lostTopic(extents, now, written);
      if (lost === undefined) this.#extents = now;
      else this.#isInDoubt = true;
      return lost;
    } catch (error) {
      if (!(error instanceof OutputsInDoubt)) throw error;
      if (this.#task === task) this.#isInDoubt = true;
      return undefined;
    }
  }

  /** Kafka's answer to a write to the partition. */
  appended(appended: Appended): void {
    this.#writer?.appended(appended);
  }

  /** Drops the state: the partition moves, or an error left it in doubt. */
  async release(): Promise<void> {
    this.#task = undefined;
    this.#writer = undefined;
    this.#isInDoubt = false;
    this.#haltedBefore = undefined;
    const outbox = this.#outbox;
    this.#outbox = undefined;
    await outbox?.close();
  }

  async #recover(batch: PartitionBatch): Promise<Restored> {
    await this.release();
    const { access, counters, early, log, metrics, report } = this.#context;
    const partition = this.#partition;
    const startedAt = performance.now();
    const extents = (this.#extents = await extentsOf(access.reader, partition));
    await refuseCutOutputs(access, partition);
    const isInterrupted = () => batch.interrupted();
    const recovered =
      (await early.take(partition, extents, isInterrupted)) ??
      (await recoverTask(access, partition, Number.POSITIVE_INFINITY, isInterrupted));
    const { task, anchor, known, rejected, nextOffsets } = recovered;
    report.anchorsRejected(partition, rejected);
    this.#isContinuedByAnother = recovered.isContinuedByAnother;
    this.#anchoredTapes = new Set([...known.values()].map(({ manifest }) => manifest.tapeId));
    refuseForeignTape(partition, this.#anchoredTapes, task);
    const from = task.nextOffset;
    const deadLetters = new DeadLetterLog(
      access,
      partition,
      from,
      await access.reader.endOffset(TAPE_TOPIC, partition),
    );
    const comparison = await OutputComparison.open(access, partition, task.nextSequences, nextOffsets);
    const writer = new OutputWriter(partition, this.#context, recovered, { comparison, extents });
    const held = { comparison, deadLetters };
    const outbox = new Outbox(partition, this.#context, { task, writer, held, refusals: this.#refusalTelemetry });
    [this.#writer, this.#outbox] = [writer, outbox];
    if (recovered.comparison !== undefined) report.compared(recovered.comparison);
    // Its state may be lost.
    if (recovered.derived !== undefined)
      await outbox.writeAnchor(recovered.derived, timestampUsOf({ timestampMs: anchor?.timestampMs ?? 0 }));
    if (from < batch.firstOffset) this.#haltedBefore = await this.#stepTo({ task, outbox }, batch);
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
        'tapeproof.derived_again_from': recovered.base?.manifest.tape.offset ?? 0,
        'tapeproof.compared': comparison.compared,
        'tapeproof.duration_ms': Math.round(performance.now() - startedAt),
        'tapeproof.activation': task.activation?.activationId,
      },
    );
    this.#task = task;
    return { task, outbox };
  }

  /** From the anchor to the batch. @returns the activation of another engine at which the task halted before it. */
  async #stepTo({ task, outbox }: Restored, batch: PartitionBatch): Promise<ActivationTerms | undefined> {
    const { access, counters } = this.#context;
    const range = { topic: TAPE_TOPIC, partition: this.#partition, from: task.nextOffset, to: batch.firstOffset };
    for await (const records of access.reader.read(range)) {
      for (const record of records) {
        const decoded = access.decode(record);
        const content = decoded instanceof Promise ? await decoded : decoded;
        const advance = this.#advance(task, record.offset, content);
        if (!isSilent(advance)) await outbox.collect(advance, record, false);
        if (advance.foreignActivation !== undefined) {
          const passed = await this.#passOver({ task, outbox }, record.offset, content, advance, true);
          if (passed === undefined) {
            await outbox.flush();
            return advance.foreignActivation;
          }
          await outbox.collect(passed, record, false);
        }
        counters.recovered += 1;
      }
      if (batch.interrupted()) throw new Interruption();
    }
    await outbox.flush();
    return undefined;
  }

  async #apply({ task, outbox }: Restored, batch: PartitionBatch): Promise<BatchResult> {
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
      if (!isSilent(advance)) await outbox.collect(advance, record, isNew);
      if (advance.foreignActivation !== undefined) {
        const isCompared = this.#comparedAt === record.offset;
        const passed = await this.#passOver({ task, outbox }, record.offset, content, advance, isCompared);
        if (passed === undefined) {
          waitsFor = await this.#awaitHandOver({ task, outbox }, advance.foreignActivation);
          break;
        }
        advance = passed;
        await outbox.collect(advance, record, isNew);
      }
      if (advance.deadLetters.length > 0) refused.push(...advance.deadLetters);
      taken += 1;
      if (isNew) counters.records += 1;
      else counters.recovered += 1;
      if (taken % RECORDS_BETWEEN_CHECKS === 0 && batch.interrupted()) break;
    }
    await outbox.flush();
    this.#written = task.nextSequences;
    refuseForeignTape(this.#partition, this.#anchoredTapes, task);
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
    return advanced(task, { partition: this.#partition, offset, content });
  }

  /**
   * Passes over the activation at which the task halted, if a later one revokes it; undefined if not.
   *
   * @param isCompared - whether the outputs as they are now are compared with: an engine of that version may have written
   *   while this one waited.
   * @throws Interruption where they are not. The next attempt begins with a recovery, which compares.
   */
  async #passOver(
    { task, outbox }: Restored,
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
      await outbox.flush();
      throw new Interruption();
    }
    return task.passOver(record, revocation);
  }

  /**
   * Another engine version has to continue here. The old one keeps its state and waits to be stopped; the new one,
   * which finds the old one's activation in force, searches for its anchor again at each attempt.
   */
  async #awaitHandOver({ task, outbox }: Restored, foreign: ActivationTerms): Promise<string> {
    const isOurs = task.activation?.engineVersion === ENGINE_VERSION && !this.#isContinuedByAnother;
    const { nextOffset: offset } = task;
    const reason = this.#context.handOver.waits({ partition: this.#partition, offset, foreign, isOurs });
    if (!isOurs) {
      await outbox.flush();
      await this.release();
    }
    return reason;
  }
}
