import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import { createRegistry, type Registry } from '../platform/kafka/registry.ts';
import { partitionCount } from '../platform/kafka/topics.ts';
import { trustRegistry } from '../platform/kafka/trusted-registry.ts';
import { createLog } from '../platform/log.ts';
import { EventLog } from '../proofs/event-log.ts';
import { answeringKafka, connections } from './context.ts';

/** What a command that reads the topics by itself, outside any group, works with. */
export interface Events {
  readonly reader: LogReader;
  /** Believed as far as it agrees with the log. */
  readonly registry: Registry;
  readonly log: EventLog;
  /** Partitions of the tape. */
  readonly partitions: number;
}

/**
 * Runs `work` with what it needs to read the topics, and closes that whatever happens. Kafka is asked first: the reader
 * itself waits a minute for a broker that may come back, and a person does not.
 *
 * @throws TapeproofError UNREACHABLE when Kafka does not answer, or there is no tape; REGISTRY_CHANGED where the registry's
 *   ids mean something else than the log's; what `work` throws.
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
