import { hash } from 'node:crypto';
import type { Trade } from '../contracts/generated/events.ts';

const HASH_DIGITS = 16;

/** The identity of a trade without an id, within its instrument: `c` and a hash of its time, price and size. */
export function contentOf({ eventTime, price, size }: Pick<Trade, 'eventTime' | 'price' | 'size'>): string {
  return `c${hash('sha256', `${eventTime}|${price.toString()}|${size.toString()}`).slice(0, HASH_DIGITS)}`;
}

/** @param ordinal - the trade's ordinal among those of equal content, from 0. */
export function contentIdOf(content: string, ordinal: number): string {
  return `${content}-${ordinal}`;
}
