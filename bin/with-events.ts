import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import { createRegistry, type Registry } from '../platform/kafka/registry.ts';
import { partitionCount } from '../platform/kafka/topics.ts';
import { trustRegistry } from '../platform/kafka/trusted-registry.ts';
import { createLog } from '../platform/log.ts';
import { EventLog } from '../proofs/event-log.ts';
import { answeringKafka, connections } from './context.ts';

/** The tools of a command that reads the topics itself, outside any group. */
export interface Events {
  readonly reader: LogReader;
  /** Believed as far as it agrees with the log. */
  readonly registry: Registry;
  readonly log: EventLog;
  /** Partitions of the tape. */
  readonly partitions: number;
}

/**
 * Runs `work` with the tools for reading the topics, and always closes them. Kafka is probed first: the reader itself
 * would wait a minute for a broker that may come back, which is too long for a person.
 *
 * @throws TapeproofError UNREACHABLE when Kafka does not answer, or there is no tape; REGISTRY_CHANGED where the
 *   registry's ids differ from the log's; any error of `work`.
 */
export async function withEvents(command: string, work: (events: Events) => Promise<void>): Promise<void> {
  const where = connections();
  const partitions = await partitionCount(await answeringKafka(command));
  const reader = createLogReader(where.kafkaBrokers);
  try {
    const log = createLog(command, 'silent');
    const registry = trustRegistry({ registry: createRegistry(where.registryUrl), reader, partitions, log });
    await work({ reader, registry, log: new EventLog(reader, registry), partitions });
  } finally {
    await reader.close();
  }
}
