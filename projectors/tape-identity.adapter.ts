import { setTimeout as sleep } from 'node:timers/promises';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { TapeDecoder } from '../platform/kafka/tape-decoder.ts';
import type { Log } from '../platform/log.ts';

const POLL_MS = 1_000;

/**
 * The tape's identity: the `tapeId` of its first activation, whichever partition it is found in. Waits until there is
 * one; undefined when `signal` ends the wait.
 */
export async function awaitTapeId(
  reader: LogReader,
  decode: TapeDecoder,
  partitions: number,
  log: Log,
  signal: AbortSignal,
): Promise<string | undefined> {
  const searched = new Array<number>(partitions).fill(0);
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const tapeId = await searchOn(reader, decode, searched, signal);
    if (tapeId !== undefined) return tapeId;
    if (attempt === 0) {
      log.info('Waiting for the tape: nothing is activated on it yet (run "npx tapeproof activate")');
    }
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

/** Searches what was added to each partition since the last time. */
async function searchOn(
  reader: LogReader,
  decode: TapeDecoder,
  searched: number[],
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const [partition, from] of searched.entries()) {
    const to = await reader.endOffset(TAPE_TOPIC, partition);
    if (to <= from) continue;
    for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from, to })) {
      for (const record of records) {
        const outcome = decode(record);
        const content = outcome instanceof Promise ? await outcome : outcome;
        if (content.kind === 'activation') return content.activation.tapeId;
      }
      if (signal.aborted) return undefined;
    }
    searched[partition] = to;
  }
  return undefined;
}
