import type { Kafka } from 'kafkajs';
import type { Log } from '../log.ts';
import type { Telemetry } from '../telemetry.ts';
import type { LogReader } from './log-reader.ts';
import { createRegistry } from './registry.ts';
import { partitionCount } from './topics.ts';
import { trustRegistry, type TrustedRegistry } from './trusted-registry.ts';

export interface TrustedLogSettings {
  readonly kafka: Kafka;
  readonly reader: LogReader;
  readonly registryUrl: string;
  readonly log: Log;
  /** For a long-running process. */
  readonly telemetry?: Telemetry | undefined;
}

/** The tools that every permanent reader or writer starts with. */
export interface TrustedLog {
  /** The tape's number of partitions, as activated. */
  readonly partitions: number;
  /** Close it at the end. */
  readonly registry: TrustedRegistry;
}

/**
 * Opens the log for a reader or writer that must not be misled by a broker with another number of partitions or a
 * registry with other ids.
 *
 * @throws TapeproofError UNREACHABLE, also when there is no tape yet; CHECK_FAILED when the tape has another number of
 *   partitions than it was activated with.
 */
export async function openTrustedLog(settings: TrustedLogSettings): Promise<TrustedLog> {
  const { kafka, reader, registryUrl, log, telemetry } = settings;
  const partitions = await partitionCount(kafka);
  const registry = trustRegistry({ registry: createRegistry(registryUrl), reader, partitions, log, telemetry });
  try {
    await registry.refuseOtherPartitions();
    return { partitions, registry };
  } catch (error) {
    registry.close();
    throw error;
  }
}
