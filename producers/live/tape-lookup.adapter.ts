import type { Trade } from '../../contracts/generated/events.ts';
import { TAPE_TOPIC } from '../../contracts/topics.ts';
import { createLogReader, type LogReader } from '../../platform/kafka/log-reader.ts';
import type { LogRecord } from '../../platform/kafka/log-record.ts';
import type { Registry } from '../../platform/kafka/registry.ts';
import { createTapeDecoder, type TapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import type { HeldAmendment } from '../tape-amendments.ts';
import type { RecordsOfIds } from './venue-amendments.ts';

/** Records of a partition read at a time, backward from its end. */
const PIECE_RECORDS = 20_000;
/** The most records that one look-up reads: an older trade counts as not held. */
export const LOOKED_BACK_RECORDS_MAX = 1_000_000;

export interface TapeLookup {
  readonly brokers: readonly string[];
  readonly registry: Registry;
  readonly partition: number;
  /** By instrument, the ids of trades that are sought: the look-up ends when each was found. */
  readonly sought: ReadonlyMap<string, ReadonlySet<string>>;
  /** Further ids whose records are wanted, as far as the look-up reaches. */
  readonly besides: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/**
 * Reads, without a consumer group, the records of the tape that name some trades' ids, by instrument.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function lookUpOnTape(lookup: TapeLookup): Promise<ReadonlyMap<string, RecordsOfIds>> {
  const { brokers, registry, partition, signal } = lookup;
  const reader = createLogReader(brokers);
  const search = new Search(lookup, createTapeDecoder(registry));
  try {
    const start = await reader.startOffset(TAPE_TOPIC, partition);
    let to = await reader.endOffset(TAPE_TOPIC, partition);
    const last = Math.max(start, to - LOOKED_BACK_RECORDS_MAX);
    while (to > last && !search.isDone) {
      const from = Math.max(last, to - PIECE_RECORDS);
      await search.piece(reader, { topic: TAPE_TOPIC, partition, from, to }, signal);
      to = from;
    }
    return search.found();
  } finally {
    await reader.close();
  }
}

class Search {
  private readonly lookup: TapeLookup;
  private readonly decode: TapeDecoder;
  /** Text in the bytes of each record that may be wanted. */
  private readonly traces: readonly Buffer[];
  private readonly left: Map<string, Set<string>>;
  private readonly trades = new Map<string, Trade[]>();
  private readonly amendments = new Map<string, HeldAmendment[]>();

  constructor(lookup: TapeLookup, decode: TapeDecoder) {
    this.lookup = lookup;
    this.decode = decode;
    const { sought, besides } = lookup;
    this.left = new Map([...sought].map(([instrument, ids]) => [instrument, new Set(ids)]));
    this.traces = [...new Set([...sought.values()].flatMap((ids) => [...ids])), ...besides].map((id) =>
      Buffer.from(id),
    );
  }

  get isDone(): boolean {
    return [...this.left.values()].every(({ size }) => size === 0);
  }

  /** Reads a piece forward; the pieces follow each other backward. */
  async piece(reader: LogReader, range: Parameters<LogReader['read']>[0], signal: AbortSignal): Promise<void> {
    const trades = new Map<string, Trade[]>();
    const amendments = new Map<string, HeldAmendment[]>();
    for await (const records of reader.read(range)) {
      signal.throwIfAborted();
      for (const record of records) {
        if (!this.mayBeWanted(record)) continue;
        const content = await this.decode(record);
        if (content.kind === 'trade') push(trades, content.trade.instrument, content.trade);
        else if (content.kind === 'amendment') push(amendments, content.amendment.instrument, content);
      }
    }
    for (const [instrument, found] of trades) {
      this.trades.set(instrument, [...found, ...(this.trades.get(instrument) ?? [])]);
      for (const { tradeId } of found) this.left.get(instrument)?.delete(tradeId);
    }
    for (const [instrument, found] of amendments) {
      this.amendments.set(instrument, [...found, ...(this.amendments.get(instrument) ?? [])]);
    }
  }

  found(): ReadonlyMap<string, RecordsOfIds> {
    return new Map(
      [...this.lookup.sought.keys()].map((instrument) => [
        instrument,
        { trades: this.trades.get(instrument) ?? [], amendments: this.amendments.get(instrument) ?? [] },
      ]),
    );
  }

  private mayBeWanted({ key, value }: LogRecord): boolean {
    if (key === null || value === null || !this.lookup.sought.has(key.toString('latin1'))) return false;
    return this.traces.some((trace) => value.includes(trace));
  }
}

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
