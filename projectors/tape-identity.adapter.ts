import { setTimeout as sleep } from 'node:timers/promises';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { TapeproofError } from '../platform/errors.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { TapeDecoder } from '../platform/kafka/tape-decoder.ts';
import type { Log } from '../platform/log.ts';

const POLL_MS = 1_000;

/** Finds the tape's identity, the `tapeId` of its first activation in any partition. */
export interface TapeSearch {
  /** Undefined where nothing is activated yet. @throws TapeproofError UNREACHABLE */
  find(): Promise<string | undefined>;
  /** Waits for an activation; undefined when the signal ends the wait. */
  wait(): Promise<string | undefined>;
}

export function searchTape(
  reader: LogReader,
  decode: TapeDecoder,
  partitions: number,
  log: Log,
  signal: AbortSignal,
): TapeSearch {
  const searched = new Array<number>(partitions).fill(0);
  const find = (): Promise<string | undefined> => searchOn(reader, decode, searched, signal);
  return {
    find,
    async wait() {
      for (let attempt = 0; !signal.aborted; attempt += 1) {
        const tapeId = await find().catch(refusalOfRegistry);
        if (typeof tapeId === 'string') return tapeId;
        if (tapeId === undefined && attempt === 0) {
          log.info('Waiting for the tape: nothing is activated on it yet (run "npx tapeproof activate")');
        }
        await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
      }
      return undefined;
    },
  };
}

/** A registry that contradicts the log is reported elsewhere, and is repaired while a projector waits. */
function refusalOfRegistry(error: unknown): TapeproofError {
  if (error instanceof TapeproofError && error.code === 'REGISTRY_CHANGED') return error;
  throw error;
}

/** Searches the records added to each partition since the last search. */
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
