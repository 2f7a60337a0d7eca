import { hash } from 'node:crypto';
import type { Pass } from './ratio.ts';
import type { GuardTape } from './tape.ts';

/** As the engine: that many numbers, a text, and objects that live for a while. */
const NUMBERS_PER_TRADE = 24;
const TEXT_BYTES = 10;
const TRADE_BYTES = 96;
const KEPT_MAX = 8_192;
/** Trades for each block that is written and hashed: as many as the engine has for an event. */
const TRADES_PER_BLOCK = 3;
const BLOCK_BYTES = 432;
const LEAF_BYTES = 33;
const NODE_BYTES = 65;

interface Kept {
  readonly text: string;
  readonly first: number;
  readonly last: number;
  readonly block: Buffer | undefined;
}

/**
 * A fixed amount of work of the engine's kinds in code that nothing else uses: numbers and a text read from the tape's
 * bytes, objects kept for a while, blocks written, copied and hashed three times. DO NOT CHANGE IT: the bound of the
 * guard is a multiple of its time.
 */
export function referenceOver({ batches, trades }: GuardTape): Pass {
  const bytes = Buffer.concat(batches);
  const scratch = Buffer.alloc(BLOCK_BYTES);
  const tradesPerSlice = trades / batches.length;
  return function* pass() {
    const kept: (Kept | undefined)[] = new Array<Kept | undefined>(KEPT_MAX).fill(undefined);
    const counts = new Map<string, number>();
    let sum = 0;
    const work = (trade: number): void => {
      const begin = (trade * TRADE_BYTES) % (bytes.length - 2 * TRADE_BYTES);
      const [first, last] = [numbersAt(bytes, begin), numbersAt(bytes, begin + TEXT_BYTES)];
      const text = bytes.toString('latin1', begin, begin + TEXT_BYTES);
      const block = trade % TRADES_PER_BLOCK === 0 ? blockOf(scratch, bytes, begin, first) : undefined;
      counts.set(text, (counts.get(text) ?? 0) + 1);
      kept[trade % KEPT_MAX] = { text, first, last, block };
      sum += first + (block?.[0] ?? 0);
    };
    for (let next = 0; next < trades; next += tradesPerSlice) {
      for (let trade = next; trade < next + tradesPerSlice; trade += 1) work(trade);
      yield;
    }
    if (sum === 0) throw new Error('the reference has read nothing');
  };
}

/** The sum of numbers of seven bits a byte. */
function numbersAt(bytes: Buffer, begin: number): number {
  let sum = 0;
  let at = begin;
  for (let count = 0; count < NUMBERS_PER_TRADE; count += 1) {
    let [value, scale] = [0, 1];
    for (let byte = bytes[at] ?? 0; ; byte = bytes[at] ?? 0) {
      at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80 || scale > Number.MAX_SAFE_INTEGER) break;
      scale *= 128;
    }
    sum += value % 1_000_003;
  }
  return sum;
}

function blockOf(scratch: Buffer, bytes: Buffer, begin: number, seed: number): Buffer {
  for (let index = 0; index < BLOCK_BYTES; index += 1) scratch[index] = (bytes[begin + (index & 63)] ?? 0) ^ seed;
  const block = Buffer.from(scratch);
  const digest = hash('sha256', block, 'binary');
  block.write(digest, 0, 'binary');
  block.write(hash('sha256', block.subarray(0, LEAF_BYTES), 'binary'), 1, 'binary');
  block.write(hash('sha256', block.subarray(0, NODE_BYTES), 'binary'), 0, 'binary');
  return block;
}
