import { DERIVED_TOPICS, TAPE_TOPIC, type DerivedTopic } from '../../contracts/topics.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { isForeign } from '../../evaluators/foreign-activation.ts';
import { createPartitionTask, type PartitionTask, type TaskOptions } from '../../evaluators/partition-task.ts';
import type { ActivationTerms } from '../../evaluators/activation-terms.ts';
import { taskAtAnchor } from '../../evaluators/recovery.adapter.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { framedIn } from '../../platform/kafka/framed-record.ts';
import { AnchorCheck } from './anchor-check.ts';
import type { Difference } from './difference.ts';
import { compareRange, type DerivedRange } from './range.ts';
import { firstCopyOf } from './sequence-search.ts';

/** What the derivation of a range started from. */
export type Start =
  | { readonly kind: 'BEGINNING' }
  | {
      readonly kind: 'ANCHOR';
      readonly offset: number;
      readonly anchorHash: string;
      readonly stateHash: string;
      /** SHA-256 (hex) of the statement that derived this state; null when this run trusts the anchor as it is. */
      readonly derivedBy: string | null;
    };

/** A range that was derived again, with its start. */
export type CertifiedRange = DerivedRange & { readonly start: Start };

/** A range of the tape that this build cannot derive. */
export interface NotDerivedRange {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  readonly engineVersion: string;
  /** Of the build that can derive it, as its activation names it. */
  readonly gitCommit: string;
  /** For people: why. */
  readonly reason: string;
}

/** The end of an earlier certificate's range, from which this one goes on. */
export interface EarlierEnd {
  readonly offset: number;
  readonly stateHash: string;
  readonly anchorHash: string;
  readonly tapeId: string;
  /** SHA-256 (hex) of its statement. */
  readonly statement: string;
}

export interface PartitionResult {
  readonly partition: number;
  readonly ranges: readonly CertifiedRange[];
  readonly notDerived: readonly NotDerivedRange[];
  readonly difference: Difference | undefined;
  /** First tape offset whose events the engine has not written yet. */
  readonly notWrittenFrom: number | undefined;
  readonly isInterrupted: boolean;
}

export interface PartitionOptions {
  /** Tape offset of an anchor; the beginning of the tape by default. */
  readonly from?: number | undefined;
  /** First tape offset not included: by default the end of the tape; `anchor`: the last anchor. */
  readonly to?: number | 'anchor' | undefined;
  readonly after?: EarlierEnd | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onRecords?: ((count: number) => void) | undefined;
  /** For tests: the strategies. */
  readonly taskOptions?: TaskOptions;
}

/**
 * Derives a partition again and compares it with the log, range by range: where another engine version is in force, the
 * range is not derived, and the next one begins at the anchor that it handed over.
 *
 * @throws TapeproofError UNREACHABLE; NOT_FOUND where a named offset is not there; FOREIGN_TAPE where an earlier
 *   certificate is of another tape.
 */
export async function certifyPartition(
  access: LogAccess,
  partition: number,
  options: PartitionOptions,
): Promise<PartitionResult> {
  const anchors = new AnchorCheck(access, partition);
  await anchors.load();
  const tapeEnd = await access.reader.endOffset(TAPE_TOPIC, partition);
  const to = endOf(options.to, partition, tapeEnd, anchors);
  const { signal, onRecords, after } = options;
  const ranges: CertifiedRange[] = [];
  const notDerived: NotDerivedRange[] = [];
  let begun = await startOf(access, partition, options, anchors);
  const done = { partition, ranges, notDerived, difference: begun.difference, notWrittenFrom: undefined };
  if (begun.difference !== undefined) return { ...done, isInterrupted: false };
  refuseForeign(after, begun.task, partition);
  while (true) {
    const { task, start } = begun;
    const compared = await compareRange(access, task, anchors, {
      ...{ to, isTapeEnd: to === tapeEnd, isWanted: options.to !== undefined, signal, onRecords },
      logFrom: await logFrom(access, task),
    });
    const { range, foreign, difference, notWrittenFrom, isInterrupted } = compared;
    if (range.tape.to > range.tape.from) ranges.push({ ...range, start });
    if (difference !== undefined || foreign === undefined) {
      return { partition, ranges, notDerived, difference, notWrittenFrom, isInterrupted };
    }
    const next = await nextOwnActivation(access, partition, foreign.offset, to);
    const resumed = next === undefined ? undefined : await atAnchor(access, partition, next);
    notDerived.push(notDerivedRange(partition, foreign, next, resumed === undefined ? to : resumed.task.nextOffset));
    if (resumed === undefined) return { ...done, isInterrupted: false };
    begun = { ...resumed, difference: await anchors.begins(resumed.start.offset, resumed.start.anchorHash) };
    if (begun.difference !== undefined) return { ...done, difference: begun.difference, isInterrupted: false };
  }
}

interface Begun {
  readonly task: PartitionTask;
  readonly start: Start;
  readonly difference: Difference | undefined;
}

async function startOf(
  access: LogAccess,
  partition: number,
  { from, after, taskOptions }: PartitionOptions,
  anchors: AnchorCheck,
): Promise<Begun> {
  const offset = from ?? after?.offset;
  if (offset === undefined) {
    return { task: createPartitionTask(partition, taskOptions), start: { kind: 'BEGINNING' }, difference: undefined };
  }
  const begun = await atAnchor(access, partition, offset);
  if (begun === undefined) {
    const nearest = anchors.lastAtOrBefore(offset);
    const advice = nearest === undefined ? 'leave out --from' : `the nearest before it is at ${nearest}`;
    throw new TapeproofError(
      'NOT_FOUND',
      `Partition ${partition} has no valid anchor at tape offset ${offset}: ${advice}.`,
    );
  }
  const { start } = begun;
  const difference = await anchors.begins(offset, start.anchorHash);
  const isDerived =
    after?.offset === offset && after.stateHash === start.stateHash && after.anchorHash === start.anchorHash;
  return { ...begun, start: { ...start, derivedBy: isDerived ? after.statement : null }, difference };
}

/** The task at the anchor of exactly this tape offset; undefined when there is no valid one. */
async function atAnchor(access: LogAccess, partition: number, offset: number) {
  const found = await taskAtAnchor(access, partition, offset);
  if (found === undefined) return undefined;
  const { task, anchor } = found;
  const { stateHash } = anchor.manifest;
  const anchorHash = anchor.hash.toString('hex');
  return { task, start: { kind: 'ANCHOR', offset, anchorHash, stateHash, derivedBy: null } as const };
}

function endOf(
  wanted: number | 'anchor' | undefined,
  partition: number,
  tapeEnd: number,
  anchors: AnchorCheck,
): number {
  if (wanted === undefined) return tapeEnd;
  if (wanted === 'anchor') return anchors.lastAtOrBefore(tapeEnd) ?? tapeEnd;
  if (wanted <= tapeEnd) return wanted;
  throw new TapeproofError(
    'NOT_FOUND',
    `Partition ${partition} of ${TAPE_TOPIC} ends at offset ${tapeEnd}, before ${wanted}: name an earlier one with --to.`,
  );
}

/** @throws TapeproofError FOREIGN_TAPE */
function refuseForeign(after: EarlierEnd | undefined, task: PartitionTask, partition: number): void {
  if (after === undefined || task.tapeId === undefined || after.tapeId === task.tapeId) return;
  throw new TapeproofError(
    'FOREIGN_TAPE',
    `The earlier certificate is of the tape ${after.tapeId}, and partition ${partition} belongs to the tape ${task.tapeId}: name one of this tape with --after.`,
  );
}

/** Where the records of a range begin in each output: after the first copy of the event before it. */
async function logFrom(
  access: LogAccess,
  { partition, nextSequences }: PartitionTask,
): Promise<Record<DerivedTopic, number>> {
  const from: Partial<Record<DerivedTopic, number>> = {};
  for (const topic of DERIVED_TOPICS) {
    const before = nextSequences[topic] - 1;
    const end = await access.reader.endOffset(topic, partition);
    const copy = before < 0 ? undefined : await firstCopyOf(access, { topic, partition }, before, end);
    from[topic] = copy === undefined ? await access.reader.startOffset(topic, partition) : copy.offset + 1;
  }
  return from as Record<DerivedTopic, number>;
}

/** The tape offset of the next activation of this build's engine, in a range of another's. */
async function nextOwnActivation(
  { reader, registry }: LogAccess,
  partition: number,
  after: number,
  to: number,
): Promise<number | undefined> {
  if (after + 1 >= to) return undefined;
  for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from: after + 1, to })) {
    for (const record of records) {
      const found = framedIn(registry, record);
      const framed = found instanceof Promise ? await found : found;
      if ('reason' in framed || framed.name !== 'EngineActivated') continue;
      const activation = framed.as('EngineActivated');
      if (activation !== undefined && !isForeign(activation)) return record.offset;
    }
  }
  return undefined;
}

function notDerivedRange(
  partition: number,
  { offset, activation }: { readonly offset: number; readonly activation: ActivationTerms },
  next: number | undefined,
  to: number,
): NotDerivedRange {
  const { engineVersion, gitCommit } = activation;
  const by = `engine ${engineVersion} of commit ${gitCommit} derived it`;
  const isHandedOver = next === undefined || to === next;
  const reason = isHandedOver
    ? by
    : `${by}, and there is no anchor at offset ${next}, where this build's engine goes on`;
  return { partition, from: offset, to, engineVersion, gitCommit, reason };
}
