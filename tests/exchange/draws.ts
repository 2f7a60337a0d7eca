/** A number in [0, 1) that follows from a seed, the decision's name and its count; never from a clock. */
export type Draw = (purpose: string, ...counters: readonly number[]) => number;

const UINT32_VALUES = 4_294_967_296;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * The decisions of a seed. A decision is looked up, not taken from a sequence: the number and order of earlier ones
 * change nothing. The mixing is MurmurHash3's.
 */
export function drawsOf(seed: number): Draw {
  const purposes = new Map<string, number>();
  return (purpose, ...counters) => {
    let start = purposes.get(purpose);
    if (start === undefined) {
      start = mixed(seed >>> 0, textHash(purpose));
      purposes.set(purpose, start);
    }
    return counters.reduce(mixed, start) / UINT32_VALUES;
  };
}

/** A whole number from `low` to `high`, both included, from a draw. */
export function whole(drawn: number, low: number, high: number): number {
  return low + Math.floor(drawn * (high - low + 1));
}

/** One of several, chosen by a draw. */
export function oneOf<Item>(drawn: number, items: readonly Item[]): Item {
  const item = items[Math.floor(drawn * items.length)];
  if (item === undefined) throw new RangeError('there is nothing to draw from');
  return item;
}

/** FNV-1a. */
function textHash(text: string): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME);
  return hash >>> 0;
}

function mixed(state: number, value: number): number {
  let hash = state ^ Math.imul(value, 0xcc9e2d51);
  hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
