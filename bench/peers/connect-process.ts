import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FINGERPRINTS } from '../../contracts/codec.ts';
import type { TopicName } from '../../contracts/topics.ts';
import { migratorUrlOf, type Connections } from '../../platform/connections.ts';
import type { FieldRow, PathStep } from '../../projectors/projector.ts';
import { freePorts } from '../../stack/main.ts';
import { startJava } from './java-process.ts';
import type { RunningProcess } from './measurement.ts';

/** The heap of a throughput-oriented service; the collector that spends the least processor time. */
const JAVA_OPTIONS = ['-Xms512m', '-Xmx1g', '-XX:+UseParallelGC'];
const LIBRARY_OPTIONS = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
  // Hibernate's words go the same way.
  '-Dorg.jboss.logging.provider=slf4j',
  // Times without a zone are in that of the session, which the driver takes from here.
  '-Duser.timezone=UTC',
];
const STATUS_TIMEOUT_MS = 2_000;
/** The settings hold a password. */
const PRIVATE = { mode: 0o600 };

/**
 * How the sink writes: `upsert` accepts a row that is already there, as ours does, because Connect delivers at least
 * once; `insert` stops at one. The connector's statements by array (UNNEST) cannot be used: they take no bytes.
 */
export const SINK_MODES = ['upsert', 'insert'] as const;
export type SinkMode = (typeof SINK_MODES)[number];

export interface ConnectSettings {
  /** Of the connector; another name begins at the beginning of the topic. */
  readonly name: string;
  readonly topic: TopicName;
  /** What each record becomes; its table must exist under the name. */
  readonly row: FieldRow;
  readonly table: string;
  readonly mode: SinkMode;
  /** Rows of one batch, and records of one poll. */
  readonly batchRows: number;
  /** For its settings and offsets. */
  readonly folder: string;
}

export interface RunningConnect extends RunningProcess {
  /** Why the connector has stopped, if it has: Connect itself goes on. */
  failure(): Promise<string | undefined>;
}

/** Starts Kafka Connect, standalone, with Debezium's JDBC sink as its only connector, with one task. */
export async function startConnect(
  classPath: string,
  connections: Connections,
  settings: ConnectSettings,
): Promise<RunningConnect> {
  const { folder } = settings;
  // One of a stack's free ports: it has one for each of its services.
  const { kafka: port } = await freePorts();
  const address = `http://127.0.0.1:${port}`;
  await mkdir(folder, { recursive: true });
  const [worker, connector] = [join(folder, 'worker.properties'), join(folder, 'connector.properties')];
  await writeFile(worker, propertiesText(workerOf(connections, settings, address)), PRIVATE);
  await writeFile(connector, propertiesText(connectorOf(connections, settings)), PRIVATE);
  const words = [
    ...JAVA_OPTIONS,
    ...LIBRARY_OPTIONS,
    ...['-cp', classPath, 'org.apache.kafka.connect.cli.ConnectStandalone', worker, connector],
  ];
  const process = await startJava(words, 'Kafka Connect');
  return { ...process, failure: () => failureAt(`${address}/connectors/${settings.name}/status`) };
}

type Properties = Readonly<Record<string, string>>;

function workerOf({ kafkaBrokers, registryUrl }: Connections, settings: ConnectSettings, address: string): Properties {
  return {
    'bootstrap.servers': kafkaBrokers.join(','),
    'offset.storage.file.filename': join(settings.folder, 'offsets'),
    // As often as ours commits.
    'offset.flush.interval.ms': '1000',
    listeners: address,
    'plugin.discovery': 'service_load',
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'com.tapeproof.connect.EventConverter',
    'value.converter.registry.url': registryUrl,
    'value.converter.columns': columnsText(settings.row),
    'value.converter.fingerprint': FINGERPRINTS.ProbabilityDecision,
    'consumer.max.poll.records': String(settings.batchRows),
    // Larger than the 1 MiB of a partition by default: the fewer requests, the less time.
    'consumer.max.partition.fetch.bytes': String(4 << 20),
  };
}

function connectorOf(connections: Connections, settings: ConnectSettings): Properties {
  const { name, topic, row, table, mode, batchRows } = settings;
  const url = new URL(migratorUrlOf(connections));
  return {
    name,
    'connector.class': 'io.debezium.connector.jdbc.JdbcSinkConnector',
    'tasks.max': '1',
    topics: topic,
    // The driver makes one statement of many rows from statements of one.
    'connection.url': `jdbc:postgresql://${url.host}${url.pathname}?reWriteBatchedInserts=true`,
    'connection.username': decodeURIComponent(url.username),
    'connection.password': decodeURIComponent(url.password),
    'collection.name.format': table,
    'schema.evolution': 'none',
    'insert.mode': mode,
    'primary.key.mode': 'record_value',
    'primary.key.fields': row.table.key.join(','),
    'batch.size': String(batchRows),
  };
}

/** As the converter takes them: name, type and field of each column. */
function columnsText({ table, columns }: FieldRow): string {
  return columns
    .map(({ name, from }) => `${name}:${table.columns[name] ?? ''}:${typeof from === 'string' ? from : pathText(from)}`)
    .join(',');
}

function pathText(steps: readonly PathStep[]): string {
  return steps.map(({ name, element }) => (element === undefined ? name : `${name}[${element}]`)).join('.');
}

function propertiesText(properties: Properties): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

interface ConnectorStatus {
  readonly tasks?: readonly { readonly state: string; readonly trace?: string }[];
}

async function failureAt(url: string): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(STATUS_TIMEOUT_MS);
    const { tasks = [] } = (await (await fetch(url, { signal })).json()) as ConnectorStatus;
    return tasks.find(({ state }) => state === 'FAILED')?.trace;
  } catch {
    // Not up yet: its process, which is watched, says whether it ever will be.
    return undefined;
  }
}
