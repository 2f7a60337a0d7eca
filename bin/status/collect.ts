import { TAPE_TOPIC } from '../../contracts/topics.ts';
import { engineGroup } from '../../evaluators/main.ts';
import type { Connections } from '../../platform/connections.ts';
import { withDeadline } from '../../platform/deadline.ts';
import { reasonOf, type Probe } from '../../platform/health/probe.ts';
import { createKafka, withAdmin } from '../../platform/kafka/client.ts';
import { partitionsActivated } from '../../platform/kafka/log-evidence.ts';
import { createLogReader, type LogReader } from '../../platform/kafka/log-reader.ts';
import { marketSecondsBetween } from '../../platform/kafka/market-lag.ts';
import { kafkaProbe } from '../../platform/kafka/probe.ts';
import { createRegistry, registryProbe, type Registry } from '../../platform/kafka/registry.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { topicPartitionKey } from '../../platform/kafka/topic-partition.ts';
import { checkTopics, driftText, partitionCount } from '../../platform/kafka/topics.ts';
import { trustRegistry } from '../../platform/kafka/trusted-registry.ts';
import { createLog } from '../../platform/log.ts';
import { createPool, postgresProbe } from '../../platform/postgres.ts';
import { redisProbe } from '../../platform/redis.ts';
import { heldOutputs, listProjectors, projectorGroup, projectorStatus } from '../../projectors/main.ts';
import { deadLetters } from '../../proofs/dead-letters.ts';
import { signedStatesOf } from '../../proofs/checkpoints/signed-state.adapter.ts';
import { EventLog } from '../../proofs/event-log.ts';
import { activationsOf } from './activations.ts';
import { stateOf, type ProcessPlace } from './processes.ts';
import { oracleState } from './proof-state.ts';
import type { GroupState, InstrumentState, Part, PartitionLag, ServiceState, Status } from './status.ts';

/** A service that takes longer is shown as not answering. */
const PROBE_DEADLINE_MS = 3_000;
/** A part that takes longer is left out, and reported as such. */
const PART_DEADLINE_MS = 8_000;
/** Records at the end of each partition in which the newest trades and decisions are searched. */
const TAIL_RECORDS = 2_000;
const LETTERS_LOOKED_AT_MAX = 10_000;
const SECONDS_PER_MS = 1e-3;
const NAME = 'tapeproof-status';

/** Collects all parts at once, each within its deadline. Its connections are closed by the end of the process. */
export async function collectStatus(where: Connections, places: readonly ProcessPlace[]): Promise<Status> {
  const [services, processes] = await Promise.all([serviceStates(where), Promise.all(places.map(stateOf))]);
  const down = new Map(services.filter(({ up }) => !up).map(({ name }) => [name, `${name} does not answer`]));
  /** One part, unless a service that it needs is known to be down. */
  const part = async <Value>(
    needs: readonly ServiceState['name'][],
    work: () => Promise<Value>,
  ): Promise<Part<Value>> => {
    const away = needs.find((name) => down.has(name));
    if (away !== undefined) return { missing: down.get(away) ?? '' };
    try {
      const late = () => new Error(`no answer within ${PART_DEADLINE_MS * SECONDS_PER_MS} s`);
      return { value: await withDeadline(work(), PART_DEADLINE_MS, late) };
    } catch (error) {
      return { missing: error instanceof Error ? error.message : String(error) };
    }
  };
  const kafka = createKafka(where.kafkaBrokers, NAME, createLog(NAME, 'silent'));
  const reader = createLogReader(where.kafkaBrokers);
  /**
   * The tape's partitions, and the registry as far as it agrees with the log: determined once, by whichever part comes
   * first.
   */
  let opening: Promise<{ readonly partitions: number; readonly registry: Registry }> | undefined;
  const opened = (): NonNullable<typeof opening> => (opening ??= openLog(where, kafka, reader));
  const [topicDrift, activations, reading, instruments, letters, conflicts, roots, oracle, checkpoints, gaps] =
    await Promise.all([
      part(['kafka'], async () => (await checkTopics(kafka, await partitionsActivated(kafka, reader))).map(driftText)),
      part(['kafka', 'registry'], async () => {
        const { partitions, registry } = await opened();
        return await activationsOf({ reader, registry, decode: createTapeDecoder(registry) }, partitions);
      }),
      part(['kafka', 'postgres', 'redis'], () => readingOf(where, kafka, reader)),
      part(['kafka', 'registry'], async () => {
        const { partitions, registry } = await opened();
        return await instrumentsOf(reader, new EventLog(reader, registry), createTapeDecoder(registry), partitions);
      }),
      part(['kafka', 'registry'], async () => {
        const { partitions, registry } = await opened();
        const found = await deadLetters(reader, registry, { partitions, limit: LETTERS_LOOKED_AT_MAX });
        const byReason: Record<string, number> = {};
        for (const { reason } of found.letters) byReason[reason] = (byReason[reason] ?? 0) + 1;
        return { total: found.total, byReason };
      }),
      part(['postgres', 'redis'], () => conflictsOf(where)),
      part(['postgres'], () => heldOutputs(where)),
      part(['postgres'], () => oracleState(where.postgresUrl, NAME)),
      part(['kafka', 'registry'], async () => {
        const { partitions, registry } = await opened();
        const states = Array.from({ length: partitions }, (_, partition) =>
          signedStatesOf({ reader, registry }, partition),
        );
        return (await Promise.all(states)).flat();
      }),
      part(['postgres'], () => gapsOf(where.postgresUrl)),
    ]);
  void reader.close();
  return {
    ...{ atMs: Date.now(), services, topicDrift, activations, processes, instruments, deadLetters: letters },
    ...{ conflicts, roots, oracle, checkpoints, gaps },
    lag: 'value' in reading ? { value: reading.value.lags } : reading,
    groups: 'value' in reading ? { value: reading.value.groups } : reading,
  };
}

async function openLog(
  { registryUrl }: Connections,
  kafka: ReturnType<typeof createKafka>,
  reader: LogReader,
): Promise<{ readonly partitions: number; readonly registry: Registry }> {
  const partitions = await partitionCount(kafka);
  const log = createLog(NAME, 'silent');
  return { partitions, registry: trustRegistry({ registry: createRegistry(registryUrl), reader, partitions, log }) };
}

async function serviceStates(where: Connections): Promise<ServiceState[]> {
  const probes: readonly Probe[] = [
    kafkaProbe(where.kafkaBrokers),
    registryProbe(where.registryUrl),
    postgresProbe(where.postgresUrl, NAME),
    redisProbe(where.redisUrl, NAME),
  ];
  return await Promise.all(
    probes.map(async (probe) => {
      const late = () => new Error(`no answer within ${PROBE_DEADLINE_MS * SECONDS_PER_MS} s`);
      try {
        await withDeadline(probe.check(), PROBE_DEADLINE_MS, late);
        return { name: probe.dependency, up: true, reason: null };
      } catch (error) {
        return { name: probe.dependency, up: false, reason: reasonOf(error) };
      } finally {
        void probe.close().catch(() => undefined);
      }
    }),
  );
}

/** How far each group is, and what it is doing. */
async function readingOf(
  where: Connections,
  kafka: ReturnType<typeof createKafka>,
  reader: LogReader,
): Promise<{ readonly lags: readonly PartitionLag[]; readonly groups: readonly GroupState[] }> {
  const groups: readonly ReadingGroup[] = [
    { group: engineGroup(), startedBy: 'engine run', topics: [TAPE_TOPIC], stored: new Map() },
    ...(await Promise.all(listProjectors().map((projector) => groupOfProjector(projector, where)))),
  ];
  return await withAdmin(kafka, async (admin) => {
    const lags: PartitionLag[] = [];
    const described = await admin.describeGroups(groups.map(({ group }) => group));
    const members = new Map(described.groups.map(({ groupId, members: all }) => [groupId, all.length]));
    for (const { group, startedBy, topics, stored } of groups) {
      for (const { topic, partitions } of await admin.fetchOffsets({ groupId: group, topics: [...topics] })) {
        const committed = new Map(partitions.map(({ partition, offset }) => [partition, Number(offset)]));
        for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
          const read = stored.get(topicPartitionKey({ topic, partition })) ?? 0;
          const next = Math.max(committed.get(partition) ?? 0, read, Number(low));
          const records = Math.max(0, Number(high) - next);
          const timeOf = (offset: number) => reader.timestampMs(topic, partition, offset);
          const behind = records === 0 ? 0 : marketSecondsBetween(await timeOf(next), await timeOf(Number(high) - 1));
          const marketSeconds = behind ?? null;
          const processes = members.get(group) ?? 0;
          const place = { topic, partition, nextOffset: next };
          lags.push({ group, startedBy, ...place, records, marketSeconds, members: processes });
        }
      }
    }
    const states = described.groups.map(({ groupId, state, members: all }) => {
      return { group: groupId, state, members: all.length };
    });
    return { lags, groups: states };
  });
}

interface ReadingGroup extends Pick<PartitionLag, 'group' | 'startedBy'> {
  readonly topics: readonly string[];
  /** Its store's position, by topic-partition: a rebuild, or a start from there, commits no offsets. */
  readonly stored: ReadonlyMap<string, number>;
}

async function groupOfProjector(
  { name, topics }: Pick<ReturnType<typeof listProjectors>[number], 'name' | 'topics'>,
  where: Connections,
): Promise<ReadingGroup> {
  const [group, status] = await Promise.all([projectorGroup(name, where), projectorStatus(name, where)]);
  const positions = status?.positions ?? [];
  return {
    group,
    startedBy: `projector run ${name}`,
    topics,
    stored: new Map(positions.map((at) => [topicPartitionKey(at), at.nextOffset])),
  };
}

/** Among the newest records of each partition: an instrument that has been quiet for long is not among them. */
async function instrumentsOf(
  reader: LogReader,
  log: EventLog,
  decode: ReturnType<typeof createTapeDecoder>,
  partitions: number,
): Promise<InstrumentState[]> {
  const trades = new Map<string, number>();
  const decisions = new Map<string, number>();
  const note = (newest: Map<string, number>, instrument: string, timeUs: number): void => {
    newest.set(instrument, Math.max(newest.get(instrument) ?? 0, timeUs));
  };
  for (let partition = 0; partition < partitions; partition += 1) {
    const end = await reader.endOffset(TAPE_TOPIC, partition);
    const from = Math.max(await reader.startOffset(TAPE_TOPIC, partition), end - TAIL_RECORDS);
    for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from, to: end })) {
      for (const record of records) {
        const content = await decode(record);
        if (content.kind === 'trade') note(trades, content.trade.instrument, content.trade.eventTime);
      }
    }
    for await (const { event } of log.newestDecisions(partition, TAIL_RECORDS)) {
      note(decisions, event.instrument, event.eventTime);
    }
  }
  return [...new Set([...trades.keys(), ...decisions.keys()])].sort().map((instrument) => ({
    instrument,
    lastTradeUs: trades.get(instrument) ?? null,
    lastDecisionUs: decisions.get(instrument) ?? null,
  }));
}

async function conflictsOf(where: Connections): Promise<Record<string, number>> {
  const counts = await Promise.all(
    listProjectors().map(async ({ name }) => {
      const ledger = (await projectorStatus(name, where))?.ledger ?? [];
      return [name, ledger.reduce((sum, { conflict }) => sum + conflict, 0)] as const;
    }),
  );
  return Object.fromEntries(counts);
}

async function gapsOf(postgresUrl: string): Promise<{ gaps: number; missingTrades: number }> {
  const pool = createPool(postgresUrl, NAME);
  try {
    const { rows } = await pool.query<{ present: string | null }>(
      `SELECT to_regclass('tapeproof.trade_gaps') AS present`,
    );
    if (rows[0]?.present == null) return { gaps: 0, missingTrades: 0 };
    const counted = await pool.query<{ gaps: string; missing: string }>(
      'SELECT count(*) AS gaps, coalesce(sum(missing_trades), 0) AS missing FROM tapeproof.trade_gaps',
    );
    return { gaps: Number(counted.rows[0]?.gaps), missingTrades: Number(counted.rows[0]?.missing) };
  } finally {
    void pool.end();
  }
}
