import { encodeBody } from '../../contracts/codec.ts';
import { encodeRecordBatch, type BatchRecord } from '../../platform/kafka/record-batch.ts';
import { syntheticTrades } from '../trades.ts';

const TRADES = 60_000;
/** Of one instrument in a second, as in the comparison with peers. */
const TRADES_PER_SNAPSHOT = 17;
/** About two milliseconds of work: less than a process runs before another one gets its processor. */
const BATCH_RECORDS = 500;
export const SCHEMA_ID = 1;

/** A tape in memory. */
export interface GuardTape {
  readonly trades: number;
  /** Record batches as Kafka would send them, from offset 0 on; a pass stops after each. */
  readonly batches: readonly Buffer[];
}

/** The same each time: trades of 12 instruments, all in one partition. */
export function guardTape(): GuardTape {
  const batches: Buffer[] = [];
  let records: BatchRecord[] = [];
  const finish = (next: number): void => {
    const bytes = encodeRecordBatch(records, { id: 0n, epoch: 0 }, 0, () => 0);
    bytes.writeBigInt64BE(BigInt(next - records.length), 0);
    batches.push(bytes);
    records = [];
  };
  let next = 0;
  for (const trade of syntheticTrades(TRADES, TRADES_PER_SNAPSHOT)) {
    const [key, body] = [Buffer.from(trade.instrument), encodeBody('Trade', trade)];
    records.push({ key, schemaId: SCHEMA_ID, body, timestampMs: Math.floor(trade.eventTime / 1_000), headers: [] });
    next += 1;
    if (records.length === BATCH_RECORDS) finish(next);
  }
  if (records.length > 0) finish(next);
  return { trades: TRADES, batches };
}
