/**
 * Kafka's default placement of a key: `murmur2(utf8(key)) & 0x7fffffff mod partitions`. Sent explicitly, because a
 * client may place a retried or keyless record elsewhere, and because an instrument must never move.
 */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % partitions;
}

/** 32-bit MurmurHash2 as in Kafka's `Utils.murmur2`, seed 0x9747b28c. */
export function murmur2(data: Uint8Array): number {
  const multiplier = 0x5bd1e995;
  const { length } = data;
  let hash = 0x9747b28c ^ length;
  let index = 0;
  for (; index + 4 <= length; index += 4) {
    let word =
      (data[index] ?? 0) |
      ((data[index + 1] ?? 0) << 8) |
      ((data[index + 2] ?? 0) << 16) |
      ((data[index + 3] ?? 0) << 24);
    word = Math.imul(word, multiplier);
    word ^= word >>> 24;
    word = Math.imul(word, multiplier);
    hash = Math.imul(hash, multiplier) ^ word;
  }
  const left = length - index;
  if (left === 3) hash ^= (data[index + 2] ?? 0) << 16;
  if (left >= 2) hash ^= (data[index + 1] ?? 0) << 8;
  if (left >= 1) {
    hash ^= data[index] ?? 0;
    hash = Math.imul(hash, multiplier);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return (hash ^ (hash >>> 15)) | 0;
}
