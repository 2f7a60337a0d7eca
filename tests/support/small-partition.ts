import type { TapeContent } from '../../contracts/tape-content.ts';
import { Decimal } from '../../contracts/decimal.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import { syntheticTrades } from '../../evaluators/fixtures/synthetic-market.ts';
import { activated, run, traded } from '../../evaluators/fixtures/tape-contents.ts';
import { recordOfEvent } from '../../evaluators/outgoing-records.ts';
import { createPartitionTask } from '../../evaluators/partition-task.ts';
import type { RecordProducer } from '../../platform/kafka/producer.ts';
import type { MemoryLog } from './memory-log.ts';
import { tapeRecordOf } from './seeded-tape.ts';

/** Partition 0 of a small system in memory: a tape, what was derived from it, and whoever records heads beside. */

const identity = { tapeId: 'tape', activationId: 'first', gitCommit: 'abc' };
const configuration = parseConfiguration({
  anchorIntervalRecords: 100,
  hitRules: [{ horizonMs: 20_000, graceMs: 5_000 }],
});

/** @param price - of the trade in the middle: another one is a rewritten tape. */
export function tape(price?: string): Exclude<TapeContent, { readonly kind: 'unusable' }>[] {
  const trades = syntheticTrades({ seed: 3, count: 400 });
  const changed = trades.map((trade, index) =>
    index === 150 && price !== undefined ? { ...trade, price: Decimal.of(price) } : trade,
  );
  return [activated(activationOf(configuration, identity)), ...changed.map((trade) => traded(trade))];
}

/** The tape and what the engine derived from it, up to some records of the tape. */
export function derive(log: MemoryLog, contents = tape(), from = 0, to = contents.length): void {
  const task = createPartitionTask(0);
  const advances = run(task, contents);
  for (const content of contents.slice(from, to)) log.append([tapeRecordOf({ partition: 0, content })]);
  for (const { derived, anchor } of advances.slice(from, to)) {
    log.append(derived.map((record) => recordOfEvent(0, record)));
    if (anchor !== undefined) log.appendAnchor(anchor);
  }
}

/** Appends to a log as Kafka would. */
export function producerInto(log: MemoryLog): RecordProducer {
  return {
    send: (records) => {
      log.append(records);
      return Promise.resolve();
    },
    disconnect: () => Promise.resolve(),
  };
}
