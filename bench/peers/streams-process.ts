import { TAPE_TOPIC, TOPIC_OF_DERIVED } from '../../contracts/topics.ts';
import { canonicalConfiguration, ENGINE_VERSION, parseConfiguration } from '../../evaluators/configuration.ts';
import { sha256Hex } from '../../contracts/codec.ts';
import type { Connections } from '../../platform/connections.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { CADENCE_MS } from '../tape.ts';
import { startJava } from './java-process.ts';
import type { RunningProcess } from './measurement.ts';
import { STREAMS_RECORDS } from './streams-schemas.ts';

/** The heap of a throughput-oriented service; the collector that spends the least processor time. */
const JAVA_OPTIONS = ['-Xms512m', '-Xmx1g', '-XX:+UseParallelGC'];
const LIBRARY_OPTIONS = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
  // Avro's generated coders, several times as fast as reflection over the schema.
  '-Dorg.apache.avro.specific.use_custom_coders=true',
  '-Dorg.apache.avro.SERIALIZABLE_PACKAGES=com.tapeproof.events',
];

/** How the Kafka Streams application is run. */
export interface StreamsSettings {
  /** Application id and consumer group. */
  readonly application: string;
  /** Before the names of its output topics. */
  readonly prefix: string;
  readonly guarantee: 'at_least_once' | 'exactly_once_v2';
  readonly commitIntervalMs: number;
  readonly rocksdb: boolean;
  /** For RocksDB, and what Streams notes about its tasks. */
  readonly stateFolder: string;
}

/** Starts the application; its output topics must exist. */
export async function startStreams(
  classPath: string,
  { kafkaBrokers, registryUrl }: Connections,
  settings: StreamsSettings,
): Promise<RunningProcess> {
  const registry = createRegistry(registryUrl);
  const schemaIds = await Promise.all(
    STREAMS_RECORDS.map(async (name) => {
      const topic = name === 'Trade' ? TAPE_TOPIC : TOPIC_OF_DERIVED[name];
      return `-DschemaId.${name}=${await registry.idOf(topic, name)}`;
    }),
  );
  const configHash = sha256Hex(canonicalConfiguration(parseConfiguration({ cadenceMs: CADENCE_MS })));
  const properties = {
    ...settings,
    ...{ brokers: kafkaBrokers.join(','), engineVersion: ENGINE_VERSION, configHash },
  };
  const words = [
    ...JAVA_OPTIONS,
    ...LIBRARY_OPTIONS,
    ...schemaIds,
    ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
    ...['-cp', classPath, 'com.tapeproof.peers.Main'],
  ];
  return await startJava(words, 'the Kafka Streams application');
}
