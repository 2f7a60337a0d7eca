import { migratorUrlOf, type Connections } from '../platform/connections.ts';
import { openUnlessAborted, unlessAborted, withDeadline } from '../platform/deadline.ts';
import { TapeproofError } from '../platform/errors.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import { createRecordProducer, type RecordProducer } from '../platform/kafka/producer.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import { openTrustedLog } from '../platform/kafka/trusted-log.ts';
import type { TrustedRegistry } from '../platform/kafka/trusted-registry.ts';
import type { Log } from '../platform/log.ts';
import { createPool, withClient, type MigrationReport } from '../platform/postgres.ts';
import { noTelemetry, type Telemetry } from '../platform/telemetry.ts';
import { createEventReader, type EventReader } from './event-reader.adapter.ts';
import type {
  LatestOperation,
  PostgresProjector,
  ProjectorOf,
  Projector,
  RedisProjector,
  RowInsert,
} from './projector.ts';
import { interrupted, rebuild, type RebuildProgress, type RebuildReport } from './rebuild.adapter.ts';
import { redeliver, type Redelivery } from './redelivery.adapter.ts';
import { PROJECTORS } from './catalogue.ts';
import { groupOf, keepUpToDate } from './runner.adapter.ts';
import type { HeldOutput, ReadModel, ReadModelStatus } from './sink.ts';
import { createPostgresReadModel, prepareReadModels } from './sinks/postgres-read-model.adapter.ts';
import { heldByProjector } from './sinks/postgres-roots.adapter.ts';
import { createRedisReadModel } from './sinks/redis-read-model.adapter.ts';
import { searchTape, type TapeSearch } from './tape-identity.adapter.ts';
import { createWindowReader } from './tape-windows.adapter.ts';

export type { Redelivery } from './redelivery.adapter.ts';
export type { RebuildProgress, RebuildReport } from './rebuild.adapter.ts';
export type { HeldOutput, ReadModelStatus } from './sink.ts';
export { remedyForRoot } from './remedies.adapter.ts';

/** How long an interrupted rebuild may take to finish its work in hand and release the live writers. */
const INTERRUPTION_GRACE_MS = 2_000;

/** The requirements of a running projector. */
export interface ProjectorRun {
  /** See {@link listProjectors}. */
  readonly name: string;
  readonly connections: Connections;
  readonly log: Log;
  /** Ends the work after the batch in hand. */
  readonly signal: AbortSignal;
  readonly telemetry?: Telemetry;
}

export interface RebuildRun extends ProjectorRun {
  readonly progress?: (progress: RebuildProgress) => void;
  /** Swap even where the rebuilt values differ from the live ones. */
  readonly approveDifference?: boolean;
}

/** The projectors of this build. */
export function listProjectors(): readonly Pick<Projector, 'name' | 'summary' | 'sink' | 'topics'>[] {
  return PROJECTORS.map(({ name, summary, sink, topics }) => ({ name, summary, sink, topics }));
}

/**
 * Keeps a projector's read model up to date until `signal`. Waits for the tape's first activation.
 *
 * @param projector - the named one; or one that is not in the catalogue.
 * @throws TapeproofError USAGE for an unknown name; SEQUENCE_GAP, FOREIGN_TAPE, UNREACHABLE, CONFIGURATION.
 */
export async function runProjector(run: ProjectorRun, projector = projectorNamed(run.name)): Promise<void> {
  run.telemetry?.health.set('consumer', { alive: true, ready: false, detail: 'starting' });
  const work = async <Output>(parts: Parts<Output>): Promise<void> => {
    const detail = 'nothing is activated on the tape yet: run "npx tapeproof activate"';
    parts.telemetry.health.set('consumer', { alive: true, ready: false, detail });
    const tapeId = await parts.tape.wait();
    if (tapeId !== undefined) await keepUpToDate({ ...parts, tapeId });
  };
  // The same call twice: each kind of projector gets a store of its kind.
  await (projector.sink === 'postgres'
    ? withParts(run, projector, postgresModel(projector, run.connections), work<RowInsert>)
    : withParts(run, projector, redisModel(projector, run.connections), work<LatestOperation>));
}

/**
 * Rebuilds a projector's read model from the log, compares it with the live one and replaces it, whether or not a
 * process of {@link runProjector} is running.
 *
 * @throws TapeproofError CHECK_FAILED when they differ and that was not approved; NOT_FOUND when nothing is activated
 *   on the tape; otherwise like `runProjector`.
 */
export async function rebuildProjector(run: RebuildRun): Promise<RebuildReport> {
  const projector = projectorNamed(run.name);
  const { progress, approveDifference = false } = run;
  const work = async <Output>(parts: Parts<Output>): Promise<RebuildReport> => {
    const tapeId = await parts.tape.find();
    if (tapeId !== undefined) {
      const work = rebuild({ ...parts, tapeId, progress, approveDifference });
      // A statement of the store may take minutes, or hang.
      return (
        (await unlessAborted(work, run.signal)) ??
        (await withDeadline(work, INTERRUPTION_GRACE_MS, () => interrupted(run.name)))
      );
    }
    throw new TapeproofError(
      'NOT_FOUND',
      `Nothing is activated on the tape, so there is nothing to rebuild ${run.name} from: run "npx tapeproof activate".`,
    );
  };
  const report = await (projector.sink === 'postgres'
    ? withParts(run, projector, postgresModel(projector, run.connections), work<RowInsert>)
    : withParts(run, projector, redisModel(projector, run.connections), work<LatestOperation>));
  if (report === undefined) throw interrupted(run.name);
  return report;
}

/**
 * Delivers records that a projector passed over as dead letters, in the order given, and returns each one's result.
 *
 * @throws TapeproofError NOT_FOUND when nothing is activated on the tape; otherwise like `runProjector`.
 */
export async function redeliverTo(run: ProjectorRun, records: readonly LogRecord[]): Promise<Redelivery[]> {
  const projector = projectorNamed(run.name);
  const work = async <Output>({ tape, readModel, read, ...parts }: Parts<Output>): Promise<Redelivery[]> => {
    const tapeId = await tape.find();
    if (tapeId === undefined) throw new TapeproofError('NOT_FOUND', 'Nothing is activated on the tape.');
    const sink = await readModel.open(tapeId);
    const done: Redelivery[] = [];
    for (const record of records) done.push(await redeliver(parts.projector, sink, read, record));
    return done;
  };
  const done = await (projector.sink === 'postgres'
    ? withParts(run, projector, postgresModel(projector, run.connections), work<RowInsert>)
    : withParts(run, projector, redisModel(projector, run.connections), work<LatestOperation>));
  if (done === undefined) throw new TapeproofError('CHECK_FAILED', 'Interrupted: nothing was delivered again.');
  return done;
}

/**
 * A projector's status, read from its store; undefined where the store was never opened. @throws TapeproofError
 * UNREACHABLE
 */
export async function projectorStatus(name: string, connections: Connections): Promise<ReadModelStatus | undefined> {
  const projector = projectorNamed(name);
  const readModel =
    projector.sink === 'postgres' ? postgresModel(projector, connections) : redisModel(projector, connections);
  try {
    return await readModel.status();
  } finally {
    await readModel.close();
  }
}

/**
 * How far each projector that has outputs whole is held to the engine's roots, by its name; from the stable views, for
 * every role that may read. @throws TapeproofError UNREACHABLE
 */
export async function heldOutputs(connections: Connections): Promise<Readonly<Record<string, readonly HeldOutput[]>>> {
  const pool = createPool(connections.postgresUrl, 'tapeproof-held');
  try {
    return await withClient(pool, heldByProjector);
  } finally {
    await pool.end();
  }
}

/**
 * Brings Postgres up to date: the migrations, and the tables and views of every projector that writes there.
 *
 * @throws TapeproofError CHECK_FAILED when a migration was changed after it was applied; CONFIGURATION when the role
 *   may not create them; UNREACHABLE.
 */
export async function migratePostgres(connections: Connections): Promise<readonly MigrationReport[]> {
  const pool = createPool(migratorUrlOf(connections), 'tapeproof-migrate');
  try {
    return await prepareReadModels(
      pool,
      PROJECTORS.filter((projector) => projector.sink === 'postgres'),
    );
  } finally {
    await pool.end();
  }
}

/** The consumer group of a projector's live generation. @throws TapeproofError UNREACHABLE */
export async function projectorGroup(name: string, connections: Connections): Promise<string> {
  const status = await projectorStatus(name, connections);
  return groupOf(name, status?.generation ?? 1);
}

/** @throws TapeproofError USAGE for an unknown name. */
export function projectorNamed(name: string): Projector {
  const projector = PROJECTORS.find((candidate) => candidate.name === name);
  if (projector !== undefined) return projector;
  throw new TapeproofError(
    'USAGE',
    `${JSON.stringify(name)} is not a known projector: use one of ${PROJECTORS.map((known) => known.name).join(', ')}.`,
  );
}

function postgresModel(projector: PostgresProjector, connections: Connections) {
  return createPostgresReadModel(projector, connections.postgresUrl, migratorUrlOf(connections));
}

function redisModel(projector: RedisProjector, { redisUrl }: Connections) {
  return createRedisReadModel(projector, redisUrl);
}

interface Parts<Output> {
  readonly projector: ProjectorOf<Output>;
  readonly readModel: ReadModel<Output>;
  readonly tape: TapeSearch;
  readonly partitions: number;
  readonly read: EventReader;
  readonly reader: LogReader;
  readonly producer: RecordProducer;
  readonly connections: Connections;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly telemetry: Telemetry;
}

/**
 * Opens the connections that both kinds of run need, and always closes them. @returns undefined where the signal came
 * while it still waited for Kafka or the registry
 */
async function withParts<Output, Result>(
  { connections, log, signal, telemetry: given }: ProjectorRun,
  projector: ProjectorOf<Output>,
  readModel: ReadModel<Output>,
  work: (parts: Parts<Output>) => Promise<Result>,
): Promise<Result | undefined> {
  const kafka = createKafka(connections.kafkaBrokers, `tapeproof-${projector.name}-control`);
  const telemetry = given ?? noTelemetry();
  const reader = createLogReader(connections.kafkaBrokers);
  let [registry, producer]: [TrustedRegistry?, RecordProducer?] = [];
  try {
    const { registryUrl } = connections;
    const opening = openTrustedLog({ kafka, reader, registryUrl, log, telemetry: given });
    const trusted = await openUnlessAborted(opening, signal, (late) => {
      late.registry.close();
    });
    if (trusted === undefined) return undefined;
    const { partitions } = trusted;
    registry = trusted.registry;
    producer = createRecordProducer(kafka, registry, telemetry.metrics);
    const tape = searchTape(reader, createTapeDecoder(registry), partitions, log, signal);
    const read = createEventReader(registry, projector, partitions, createWindowReader(reader, registry));
    return await work({
      ...{ projector, readModel, tape, partitions, read, reader, producer, connections, log, signal, telemetry },
    });
  } finally {
    registry?.close();
    await Promise.allSettled([producer?.disconnect(), reader.close(), readModel.close()]);
  }
}
