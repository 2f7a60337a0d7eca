import { sha256Hex } from '../contracts/codec.ts';
import { TAPE_TOPIC, type DerivedTopic } from '../contracts/topics.ts';
import { TapeproofError } from '../platform/errors.ts';
import type { Advance, TapeRecord } from './advance.ts';
import type { AnchorRecord } from './anchor.ts';
import { readAhead } from '../platform/kafka/read-ahead.ts';
import { AnchorChain } from './anchor-chain.adapter.ts';
import { liesOnTape, readState, type LogAccess, type StoredAnchor } from './anchor-log.adapter.ts';
import { ENGINE_VERSION, parseConfiguration } from './configuration.ts';
import { isHandedOver } from './handed-over.adapter.ts';
import { OutputComparison, outputsReach } from './output-comparison.adapter.ts';
import { PageLog } from './page-log.adapter.ts';
import { createPartitionTask, restorePartitionTask, type PartitionTask } from './partition-task.ts';
import { RevocationSearch } from './revocation.adapter.ts';

/** Tape records between two questions whether a recovery goes on. */
const RECORDS_BETWEEN_CHECKS = 256;
/** Differences found on the way reject the anchor and are not reported with commits. */
const COMMITS = { derivedBy: 'this build', activatedBy: 'the activation' };

/** Why an anchor does not count, for people: what follows "it is not used: ". */
export const ANCHOR_FAULTS = {
  'not-on-tape': 'the tape does not have the record that it names',
  'outputs-behind': 'it promises events that the outputs do not have',
  'no-predecessor': 'the anchor that it names as its previous one is not in the log at an earlier place of the tape',
  'state-missing': 'the state of an anchor before it is not in the log as named',
  'derived-otherwise': 'from the anchor before it, the tape gives another one',
  'outputs-differ': 'from the anchor before it, the tape gives other events than the outputs have',
} as const;
export type AnchorFault = keyof typeof ANCHOR_FAULTS;

/** An anchor that recovery passed over. */
export interface RejectedAnchor {
  readonly anchor: StoredAnchor;
  readonly fault: AnchorFault;
}

/** The place to begin at, and the reason. */
export interface RecoveredTask {
  readonly task: PartitionTask;
  /** The anchor that the task is at; undefined at the beginning of the tape. */
  readonly anchor: StoredAnchor | undefined;
  /**
   * The anchor whose state was taken as it is, and from which {@link anchor} was derived again; the same one where
   * another engine handed it over; undefined where everything was derived from the beginning of the tape.
   */
  readonly base: StoredAnchor | undefined;
  /** The anchor as it was derived again; undefined where it was not. */
  readonly derived: AnchorRecord | undefined;
  /** Per output, the log offset where its next event is searched for. */
  readonly nextOffsets: Readonly<Partial<Record<DerivedTopic, number>>>;
  readonly rejected: readonly RejectedAnchor[];
  /** The comparison with the outputs by which the anchor was derived, closed; undefined where it was not. */
  readonly comparison: OutputComparison | undefined;
  /** The newer anchors, and some older ones, by the hash (hex) of their manifest. */
  readonly known: ReadonlyMap<string, StoredAnchor>;
  /** True where another engine has left a later anchor, which this one cannot continue. */
  readonly isContinuedByAnother: boolean;
}

/**
 * The task at the greatest anchor at or before a tape offset that was derived again, or at the beginning of the tape.
 * Nothing is trusted that was not derived: an anchor counts only if its predecessor is in the log, and stepping from the
 * predecessor's state over at least one whole window of the tape gives this anchor, and each one between, byte for byte,
 * and the events that the outputs have. What that proves and what not: docs/security.md.
 *
 * An anchor of another engine, which this build cannot derive, counts only where that one handed over to this.
 *
 * @param isInterrupted - asked every few hundred tape records; when true, the recovery ends with an error.
 * @throws TapeproofError UNREACHABLE; RecoveryInterrupted
 */
export async function recoverTask(
  access: LogAccess,
  partition: number,
  atOrBefore: number,
  isInterrupted: () => boolean = () => false,
): Promise<RecoveredTask> {
  const chain = new AnchorChain(access, partition);
  const proof = new AnchorProof(access, partition, chain, isInterrupted);
  const rejected: RejectedAnchor[] = [];
  const common = { rejected, known: chain.read };
  let isContinuedByAnother = false;
  for await (const anchor of chain.backward()) {
    if (anchor.manifest.tape.offset > atOrBefore) continue;
    const found = await proof.of(anchor);
    if (typeof found === 'object') return { ...found, ...common, anchor, isContinuedByAnother };
    if (found === 'not-ours') isContinuedByAnother = true;
    else rejected.push({ anchor, fault: found });
  }
  const task = createPartitionTask(partition);
  const nothing = { anchor: undefined, base: undefined, derived: undefined, nextOffsets: {}, comparison: undefined };
  return { task, ...nothing, ...common, isContinuedByAnother };
}

/** A recovery ended because its caller has to stop. */
export class RecoveryInterrupted extends Error {}

/**
 * The task at the anchor of exactly a tape offset, its state taken as it is: nothing is derived again. Undefined when no
 * anchor there is complete and on the tape.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function taskAtAnchor(
  access: LogAccess,
  partition: number,
  offset: number,
): Promise<{ readonly task: PartitionTask; readonly anchor: StoredAnchor } | undefined> {
  const pages = new PageLog(access, partition);
  for await (const anchor of new AnchorChain(access, partition).backward()) {
    if (anchor.manifest.tape.offset !== offset || !(await liesOnTape(access, anchor))) continue;
    const task = await restored(access, anchor, pages);
    if (task !== undefined) return { task, anchor };
  }
  return undefined;
}

type Proven = Pick<RecoveredTask, 'task' | 'base' | 'derived' | 'nextOffsets' | 'comparison'>;

/** Derives anchors again from their predecessors, for one recovery. */
class AnchorProof {
  readonly #access: LogAccess;
  readonly #partition: number;
  readonly #chain: AnchorChain;
  readonly #pages: PageLog;
  readonly #isInterrupted: () => boolean;
  /** The anchor that follows another by the tape, by their hashes (hex): one that follows otherwise is not derived. */
  readonly #following = new Map<string | null, string>();

  constructor(access: LogAccess, partition: number, chain: AnchorChain, isInterrupted: () => boolean) {
    this.#access = access;
    this.#partition = partition;
    this.#chain = chain;
    this.#pages = new PageLog(access, partition);
    this.#isInterrupted = isInterrupted;
  }

  /** @returns `not-ours` for the anchor of an engine that this build is not, unless it was handed over. */
  async of(anchor: StoredAnchor): Promise<Proven | AnchorFault | 'not-ours'> {
    const { engineVersion, nextSequence } = anchor.manifest;
    if (!(await liesOnTape(this.#access, anchor))) return 'not-on-tape';
    if (!(await outputsReach(this.#access, this.#partition, nextSequence))) return 'outputs-behind';
    const derived = engineVersion === ENGINE_VERSION ? await this.#derive(anchor) : 'not-ours';
    if (derived !== 'not-ours') return derived;
    if (!(await isHandedOver(this.#access, anchor))) return 'not-ours';
    const task = await this.#restored(anchor);
    if (task === undefined) return 'state-missing';
    return task.isInCharge
      ? 'derived-otherwise'
      : { task, base: anchor, derived: undefined, nextOffsets: anchor.hints.outputs, comparison: undefined };
  }

  async #derive(anchor: StoredAnchor): Promise<Proven | AnchorFault | 'not-ours'> {
    const expected = [hashOf(anchor)];
    let [base, link] = [undefined as StoredAnchor | undefined, anchor];
    let task = createPartitionTask(this.#partition);
    while (link.manifest.previousAnchorHash !== null) {
      base = await this.#chain.named(link.manifest.previousAnchorHash);
      if (base === undefined || base.manifest.tape.offset >= link.manifest.tape.offset) return 'no-predecessor';
      if (this.#isRefuted(link)) return 'derived-otherwise';
      const begun = await this.#restored(base);
      if (begun === undefined) return 'state-missing';
      task = begun;
      if (!task.isInCharge) {
        if (!(await isHandedOver(this.#access, base))) return 'not-ours';
        break;
      }
      if (anchor.manifest.tape.offset - task.nextOffset >= intervalOf(task)) break;
      expected.unshift(hashOf(base));
      link = base;
    }
    if (this.#isRefuted(link)) return 'derived-otherwise';
    if (link.manifest.previousAnchorHash === null) [base, task] = [undefined, createPartitionTask(this.#partition)];
    return await this.#deriveFrom(base, task, anchor.manifest.tape.offset, expected);
  }

  /** @param expected - the hashes (hex) of the anchors to be derived, in order; the last is at `offset`. */
  async #deriveFrom(
    base: StoredAnchor | undefined,
    task: PartitionTask,
    offset: number,
    expected: readonly string[],
  ): Promise<Proven | AnchorFault> {
    const hints = base?.hints.outputs ?? {};
    const comparison = await OutputComparison.open(this.#access, this.#partition, task.nextSequences, hints);
    let before = base === undefined ? null : hashOf(base);
    let [anchors, records] = [0, 0];
    try {
      // An anchor at a halt is derived by the record there.
      for await (const { derived, anchor } of stepAlong(this.#access, task, offset + 1)) {
        records += 1;
        if (records % RECORDS_BETWEEN_CHECKS === 0 && this.#isInterrupted()) throw new RecoveryInterrupted();
        for (const event of derived) if (!(await comparison.holds(event, COMMITS))) return 'outputs-behind';
        if (anchor === undefined) continue;
        const hash = anchor.hash.toString('hex');
        this.#following.set(before, hash);
        if (expected[anchors] !== hash) return 'derived-otherwise';
        before = hash;
        anchors += 1;
        if (anchors < expected.length) continue;
        return { task, base, derived: anchor, nextOffsets: comparison.nextOffsets, comparison };
      }
      return 'derived-otherwise';
    } catch (error) {
      const { code } = error as Partial<TapeproofError>;
      if (code === 'CONFLICT' || code === 'SEQUENCE_GAP') return 'outputs-differ';
      // A forged state may be one that no engine survives.
      if (code === 'CHECK_FAILED') return 'derived-otherwise';
      throw error;
    } finally {
      await comparison.close();
    }
  }

  async #restored(anchor: StoredAnchor): Promise<PartitionTask | undefined> {
    const task = await restored(this.#access, anchor, this.#pages);
    return task !== undefined && isStateOf(anchor, task) ? task : undefined;
  }

  #isRefuted(link: StoredAnchor): boolean {
    const following = this.#following.get(link.manifest.previousAnchorHash);
    return following !== undefined && following !== hashOf(link);
  }
}

function hashOf({ hash }: StoredAnchor): string {
  return hash.toString('hex');
}

/** Tape offsets between two anchors, as the state at hand has it configured. */
function intervalOf({ activation }: PartitionTask): number {
  if (activation === undefined) return Number.POSITIVE_INFINITY;
  return parseConfiguration(JSON.parse(activation.configuration)).anchorIntervalRecords;
}

/** The state of an anchor as it is; its bytes may be anything, and unfit bytes are not a state. */
async function restored(access: LogAccess, anchor: StoredAnchor, log: PageLog): Promise<PartitionTask | undefined> {
  const { manifest, hash } = anchor;
  const head = await readState(access, anchor);
  if (head === undefined || sha256Hex(head) !== manifest.stateHash) return undefined;
  const pages = await log.read(head);
  if (pages === undefined) return undefined;
  try {
    return restorePartitionTask(manifest, head, hash, pages);
  } catch {
    return undefined;
  }
}

/** A manifest that says something else than its state would deceive those who read only it. */
function isStateOf({ manifest }: StoredAnchor, task: PartitionTask): boolean {
  const { activation, nextOffset, nextSequences } = task;
  return (
    nextOffset === manifest.tape.offset &&
    activation?.activationId === manifest.activationId &&
    activation.tapeId === manifest.tapeId &&
    activation.engineVersion === manifest.engineVersion &&
    Object.entries(nextSequences).every(([topic, sequence]) => manifest.nextSequence[topic] === sequence)
  );
}

/**
 * A task's result for the next record.
 *
 * @throws TapeproofError CHECK_FAILED when the engine fails: a step that throws would throw again at every attempt.
 */
export function advanced(task: PartitionTask, record: TapeRecord): Advance {
  try {
    return task.advance(record);
  } catch (error) {
    throw new TapeproofError(
      'CHECK_FAILED',
      `The engine fails at ${TAPE_TOPIC}-${record.partition} offset ${record.offset} (${(error as Error).message}): this is a fault in the engine, and nothing after it is derived until it is fixed.`,
      { cause: error },
    );
  }
}

/**
 * Steps a task along the tape, outside any group, and yields the results of each record.
 *
 * @param to - first tape offset not processed.
 * @throws TapeproofError UNREACHABLE; CHECK_FAILED when the engine fails.
 */
export async function* stepAlong(
  access: LogAccess,
  task: PartitionTask,
  to: number,
): AsyncGenerator<Advance, void, undefined> {
  const { reader, decode } = access;
  const { partition } = task;
  const revocations = new RevocationSearch(access, partition);
  const from = Math.max(task.nextOffset, await reader.startOffset(TAPE_TOPIC, partition));
  for await (const records of readAhead(reader.read({ topic: TAPE_TOPIC, partition, from, to }))) {
    for (const record of records) {
      const decoded = decode(record);
      const content = decoded instanceof Promise ? await decoded : decoded;
      const tapeRecord = { partition, offset: record.offset, content };
      const advance = advanced(task, tapeRecord);
      if (advance.foreignActivation === undefined) {
        yield advance;
        continue;
      }
      const revocation = await revocations.of(task, tapeRecord, advance);
      if (revocation === undefined) {
        yield advance;
        return;
      }
      yield withoutHalt(advance);
      yield task.passOver(tapeRecord, revocation);
    }
  }
}

function withoutHalt({ foreignActivation: _revoked, ...advance }: Advance): Advance {
  return advance;
}

/**
 * @param anchored - the tapes to which the partition's anchors belong.
 * @throws TapeproofError FOREIGN_TAPE when that is never the tape itself.
 */
export function refuseForeignTape(partition: number, anchored: ReadonlySet<string>, task: PartitionTask): void {
  const [foreign] = anchored;
  if (foreign === undefined || task.tapeId === undefined || anchored.has(task.tapeId)) return;
  throw new TapeproofError(
    'FOREIGN_TAPE',
    `Partition ${partition} of ${TAPE_TOPIC} belongs to the tape ${task.tapeId}, but its anchors belong to the tape ${foreign}: connect to the Kafka of that tape, or stop the engines, run "npx tapeproof topics recreate --derived" and start them again: they derive everything again from this one.`,
  );
}
