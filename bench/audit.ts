import { DEFAULT_PARTITIONS, DERIVED_TOPICS, TAPE_TOPIC } from '../contracts/topics.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { audit } from '../proofs/audit.ts';
import { EventLog } from '../proofs/event-log.ts';
import type { Bench } from './bench.ts';
import { figureOf, type Figure } from './figure.ts';

const PARTITION = 0;
/** Places in the log of the audited decisions, as shares of the tape. */
const PLACES = [0.1, 0.3, 0.5, 0.7, 0.9] as const;
const THOUSAND = 1_000;

/**
 * The time that one audit takes, after start, in a log that the engine has filled: it must not grow with the log, but for
 * the trades of the decision's session, which are added up. The first audit, which connects and compiles, does not count.
 */
export async function measureAudit({ connections, runs }: Bench): Promise<Figure[]> {
  const reader = createLogReader(connections.kafkaBrokers);
  try {
    const registry = createRegistry(connections.registryUrl);
    const log = new EventLog(reader, registry);
    const events = await eventsIn(reader);
    const trades = await reader.endOffset(TAPE_TOPIC, PARTITION);
    // Each trade has a snapshot and a decision.
    const ids = PLACES.map((share) => `decision-${PARTITION}-${Math.floor(share * trades)}-0`);
    const audited = (id: string) => audit(log, id, { listTrades: false, verifyWith: undefined });
    await audited(ids[0] ?? '');
    const times: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      for (const id of ids) {
        const startedAt = performance.now();
        const { checks } = await audited(id);
        times.push(performance.now() - startedAt);
        const failed = checks.find(({ passed }) => !passed);
        if (failed !== undefined) throw new Error(`${id}: ${failed.name} failed`);
      }
    }
    const how = `after start, of decisions at ${PLACES.length} places in a log of ${Math.round(events / THOUSAND)} thousand events`;
    return [figureOf('audit', 'ms', times, how, { below: 300 })];
  } finally {
    await reader.close();
  }
}

async function eventsIn(reader: LogReader): Promise<number> {
  let sum = 0;
  for (const topic of DERIVED_TOPICS)
    for (let partition = 0; partition < DEFAULT_PARTITIONS; partition += 1)
      sum += await reader.endOffset(topic, partition);
  return sum;
}
