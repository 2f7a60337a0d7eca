import type { DeadLetterReason } from '../../contracts/generated/events.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Assignment } from './assignment.ts';
import { topicPartitionKey, type TopicPartition } from './topic-partition.ts';

/** This many consecutive dead letters are not an accident. */
export const REFUSED_IN_A_ROW_MAX = 25;
/** The share covers the newest records, at most the one number of them, in blocks; below the other there is none. */
const JUDGED_RECORDS = 1_000;
const JUDGED_RECORDS_MIN = 100;
const BLOCK_RECORDS = 50;
/** Above this share of refused records, the tape or its reader is at fault. */
const REFUSED_SHARE_MAX = 0.5;
/** Its name on the health board. */
const PART = 'dead-letters';

/** The part of a dead letter that is read. */
interface RefusedRecord {
  readonly reason: DeadLetterReason;
  readonly source: { readonly position: number | string };
}

type Reasons = Map<DeadLetterReason, number>;

interface Block {
  records: number;
  refused: number;
  readonly reasons: Reasons;
}

/** The newest records of one partition. */
interface Window {
  readonly place: TopicPartition;
  readonly blocks: Block[];
  refusedInARow: number;
}

/**
 * Reports when most of the records that a process reads become dead letters: it reads and commits, yet none of its work
 * gets done. Judged for each partition, in batches: a healthy one must not hide a sick one.
 */
export class RefusalWatch {
  readonly #telemetry: Telemetry;
  readonly #windows = new Map<string, Window>();

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry;
    this.#say();
  }

  /**
   * @param records records handled, including the refused ones.
   * @param lastOffset the offset of the last of them.
   */
  taken(place: TopicPartition, records: number, lastOffset: number, refused: readonly RefusedRecord[]): void {
    const key = topicPartitionKey(place);
    const known = this.#windows.get(key);
    if (records === 0 || (known === undefined && refused.length === 0)) return;
    const window = known ?? { place, blocks: [], refusedInARow: 0 };
    this.#windows.set(key, window);
    const wasRefused = isMostlyRefused(window);
    add(window, records, lastOffset, refused);
    if (refused.length > 0 || wasRefused) this.#say();
    const { topic, partition } = place;
    this.#telemetry.metrics.set('tapeproof_consumer_refused_ratio', { topic, partition }, shareOf(window));
  }

  /** Partitions that this process no longer has. */
  forget(lost: Assignment): void {
    for (const [topic, partitions] of Object.entries(lost)) {
      for (const partition of partitions) {
        if (!this.#windows.delete(topicPartitionKey({ topic, partition }))) continue;
        this.#telemetry.metrics.remove('tapeproof_consumer_refused_ratio', { topic, partition });
      }
    }
    this.#say();
  }

  #say(): void {
    const sick = [...this.#windows.values()].filter(isMostlyRefused);
    const detail = sick.length === 0 ? 'few records are refused' : sick.map(textOf).join('; ');
    this.#telemetry.health.set(PART, { alive: true, ready: sick.length === 0, detail });
  }
}

function add(window: Window, records: number, lastOffset: number, refused: readonly RefusedRecord[]): void {
  const offsets = new Set(refused.map(({ source }) => Number(source.position)));
  let atEnd = 0;
  while (atEnd < records && offsets.has(lastOffset - atEnd)) atEnd += 1;
  window.refusedInARow = atEnd === records ? window.refusedInARow + records : atEnd;
  // One record may also cause the refusal of an earlier one that waited for it.
  const refusedRecords = Math.min(offsets.size, records);
  let block = window.blocks.at(-1);
  if (block === undefined || block.records >= BLOCK_RECORDS) {
    block = { records: 0, refused: 0, reasons: new Map() };
    window.blocks.push(block);
  }
  block.records += records;
  block.refused += refusedRecords;
  for (const { reason } of refused) block.reasons.set(reason, (block.reasons.get(reason) ?? 0) + 1);
  let newer = window.blocks.reduce((sum, { records: of }) => sum + of, 0);
  for (let oldest = window.blocks[0]; oldest !== undefined; oldest = window.blocks[0]) {
    newer -= oldest.records;
    if (newer < JUDGED_RECORDS) return;
    window.blocks.shift();
  }
}

function totalsOf({ blocks }: Window): Block {
  const total: Block = { records: 0, refused: 0, reasons: new Map() };
  for (const { records, refused, reasons } of blocks) {
    total.records += records;
    total.refused += refused;
    for (const [reason, count] of reasons) total.reasons.set(reason, (total.reasons.get(reason) ?? 0) + count);
  }
  return total;
}

function shareOf(window: Window): number {
  const { records, refused } = totalsOf(window);
  return records === 0 ? 0 : refused / records;
}

function isMostlyRefused(window: Window): boolean {
  return window.refusedInARow >= REFUSED_IN_A_ROW_MAX || isShareTooGreat(totalsOf(window));
}

function isShareTooGreat({ records, refused }: Block): boolean {
  return records >= JUDGED_RECORDS_MIN && refused > records * REFUSED_SHARE_MAX;
}

function textOf(window: Window): string {
  const total = totalsOf(window);
  const { topic, partition } = window.place;
  const which = isShareTooGreat(total)
    ? `${total.refused.toLocaleString('en')} of the last ${total.records.toLocaleString('en')} records`
    : `each of the last ${window.refusedInARow.toLocaleString('en')} records`;
  const why = [...total.reasons].map(([reason, count]) => `${reason} ${count.toLocaleString('en')}`).join(', ');
  return `${which} of ${topic}-${partition} became dead letters (${why}): "npx tapeproof dead-letters" lists them`;
}
