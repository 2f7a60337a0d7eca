import type { Foreign } from '../../contracts/foreign-record.ts';
import type { LogRecord } from './log-record.ts';

/** Records listed for people; the rest are only counted. */
const PLACES_REMEMBERED_MAX = 10_000;

/** A record that a reader passed over. */
export interface PassedOver extends Foreign {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** The records that a reader passed over, each counted once however often it met them. */
export class PassedOverRecords {
  readonly #places = new Map<string, PassedOver>();

  /** @returns whether this is the first time that the record is met. */
  add({ topic, partition, offset }: LogRecord, { reason, detail }: Foreign): boolean {
    const key = `${topic} ${partition} ${offset}`;
    if (this.#places.has(key) || this.#places.size >= PLACES_REMEMBERED_MAX) return false;
    this.#places.set(key, { topic, partition, offset, reason, detail });
    return true;
  }

  get all(): readonly PassedOver[] {
    return [...this.#places.values()];
  }
}

/** For people; empty where none were passed over. */
export function passedOverText(records: readonly PassedOver[]): string[] {
  const [first] = records;
  if (first === undefined) return [];
  const count =
    records.length === 1
      ? 'One record is not an event'
      : `${records.length.toLocaleString('en')} records are not events`;
  return [
    `${count} and ${records.length === 1 ? 'was' : 'were'} passed over, first ${first.topic}-${first.partition} offset ${first.offset}: ${first.detail}.`,
  ];
}
