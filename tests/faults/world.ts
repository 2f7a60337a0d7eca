import { bodyOf, decodeBody, encodeBody, frame } from '../../contracts/codec.ts';
import {
  DEFAULT_PARTITIONS,
  DERIVED_TOPICS,
  TAPE_TOPIC,
  TOPIC_OF_DERIVED,
  type TopicName,
} from '../../contracts/topics.ts';
import { activate } from '../../evaluators/activate.adapter.ts';
import { canonicalConfiguration, ENGINE_VERSION, parseConfiguration } from '../../evaluators/configuration.ts';
import { engineGroup } from '../../evaluators/main.ts';
import type { Connections } from '../../platform/connections.ts';
import { createKafka } from '../../platform/kafka/client.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import type { LogRecord } from '../../platform/kafka/log-record.ts';
import { createRecordProducer } from '../../platform/kafka/producer.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { createLog } from '../../platform/log.ts';
import { listProjectors, projectorGroup, projectorStatus } from '../../projectors/main.ts';
import { digestOf, type Digest } from '../support/digests.ts';
import { Processes, type TapeproofProcess } from '../support/processes.ts';
import { seededContents, tapeRecordOf, tradeNumber } from '../support/seeded-tape.ts';
import { resetStores } from '../support/stack.ts';
import { until } from '../support/until.ts';

/** Frequent enough for a recovery to begin at an anchor, with events after it to compare. */
const ANCHOR_INTERVAL_RECORDS = 2_000;
const CATCH_UP_DEADLINE_MS = 120_000;
const UNKNOWN_SCHEMA_ID = 987_654;

export const ENGINE = 'engine';
export const PROJECTOR_NAMES = listProjectors().map(({ name }) => name);

/** Topic, partition, next offset. */
type Position = readonly [topic: string, partition: number, nextOffset: number];

/** The whole of Tapeproof on one stack, with a tape that a test writes. */
export class World {
  readonly connections: Connections;
  readonly processes: Processes;
  readonly #kafka;
  readonly #admin;
  readonly #producer;
  readonly #reader;

  constructor(connections: Connections, logFolder: string) {
    this.connections = connections;
    this.processes = new Processes(connections, logFolder);
    this.#kafka = createKafka(connections.kafkaBrokers, 'test-world', createLog('test', 'silent'));
    this.#admin = this.#kafka.admin();
    this.#producer = createRecordProducer(this.#kafka, createRegistry(connections.registryUrl));
    this.#reader = createLogReader(connections.kafkaBrokers);
  }

  connect(): Promise<void> {
    return this.#admin.connect();
  }

  /** Empties everything except, if requested, the tape: all else follows from it. */
  reset(keepTape: boolean): Promise<void> {
    return resetStores(this.connections, keepTape ? [TAPE_TOPIC] : []);
  }

  async activate(engineVersion: string = ENGINE_VERSION): Promise<void> {
    const configuration = parseConfiguration({ anchorIntervalRecords: ANCHOR_INTERVAL_RECORDS });
    await activate({
      connections: this.connections,
      configuration: canonicalConfiguration(configuration),
      engineVersion,
      gitCommit: 'unknown',
      log: createLog('test', 'silent'),
    });
  }

  /** Appends seeded trades, numbered from `from`, with watermarks and gaps among them. */
  async trade(from: number, count: number): Promise<void> {
    await this.#producer.send(seededContents(from, count, DEFAULT_PARTITIONS).map(tapeRecordOf));
  }

  /** Appends to each partition of the tape a byte, a truncated trade and a trade of an unknown schema. */
  async poison(): Promise<number> {
    const trade = encodeBody('Trade', tradeNumber(0));
    const id = await createRegistry(this.connections.registryUrl).idOf(TAPE_TOPIC, 'Trade');
    const values = [Buffer.from([0]), frame(id, trade.subarray(0, 20)), frame(UNKNOWN_SCHEMA_ID, trade)];
    const partitions = Array.from({ length: DEFAULT_PARTITIONS }, (_, partition) => partition);
    await this.#appendRaw(
      TAPE_TOPIC,
      partitions.flatMap((partition) =>
        values.map((value) => ({ partition, key: null, value, timestamp: '1723161255342' })),
      ),
    );
    return values.length * partitions.length;
  }

  /** Appends every derived event once more, like an engine that does not know that it was replaced. */
  async repeatEvents(): Promise<void> {
    for (const topic of DERIVED_TOPICS) {
      const records = await this.recordsOf(topic);
      await this.#appendRaw(
        topic,
        records.map(({ partition, key, value, timestampMs }) => {
          return { partition, key, value, timestamp: String(timestampMs) };
        }),
      );
    }
  }

  async #appendRaw(topic: TopicName, records: readonly RawRecord[]): Promise<void> {
    const producer = this.#kafka.producer({
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition ?? 0,
    });
    await producer.connect();
    for (let from = 0; from < records.length; from += 500) {
      await producer.send({ topic, messages: records.slice(from, from + 500) });
    }
    await producer.disconnect();
  }

  start(name: string): TapeproofProcess {
    return name === ENGINE ? this.processes.start('engine', 'run') : this.processes.start('projector', 'run', name);
  }

  startAll(): TapeproofProcess[] {
    return [ENGINE, ...PROJECTOR_NAMES].map((name) => this.start(name));
  }

  groupOf(name: string): Promise<string> {
    return name === ENGINE ? Promise.resolve(engineGroup()) : projectorGroup(name, this.connections);
  }

  async membersOf(name: string): Promise<number> {
    const { groups } = await this.#admin.describeGroups([await this.groupOf(name)]);
    return groups[0]?.state === 'Stable' ? groups[0].members.length : 0;
  }

  topicsOf(name: string): readonly TopicName[] {
    return listProjectors().find((projector) => projector.name === name)?.topics ?? [TAPE_TOPIC];
  }

  /** Resets groups, by default all, to the beginning. None of their members may be running. */
  async forgetOffsets(names: readonly string[] = [ENGINE, ...PROJECTOR_NAMES]): Promise<void> {
    const groups = await Promise.all(names.map((name) => this.groupOf(name)));
    await this.#admin.deleteGroups(groups);
  }

  async forgetOffsetsOf(name: string): Promise<void> {
    await this.#admin.deleteGroups([await this.groupOf(name)]);
  }

  /**
   * How far each partition that a process reads has taken effect: for the engine, the offset after the tape record of
   * its last snapshot; for a projector, the position of its store.
   */
  async written(name: string): Promise<Position[]> {
    if (name === ENGINE) return this.#causes();
    const status = await projectorStatus(name, this.connections);
    return (status?.positions ?? []).map(({ topic, partition, nextOffset }) => [topic, partition, nextOffset]);
  }

  async #causes(): Promise<Position[]> {
    const topic = TOPIC_OF_DERIVED.IndicatorSnapshot;
    const causes: Position[] = [];
    for (const [, partition, end] of await this.ends(topic)) {
      for await (const [record] of this.#reader.read({ topic, partition, from: Math.max(0, end - 1), to: end })) {
        const { tape } = decodeBody('IndicatorSnapshot', bodyOf(record?.value ?? Buffer.alloc(0)));
        causes.push([TAPE_TOPIC, partition, tape.offset + 1]);
      }
    }
    return causes;
  }

  async ends(topic: TopicName): Promise<Position[]> {
    const ends = await this.#admin.fetchTopicOffsets(topic);
    return ends.map(({ partition, high }) => [topic, partition, Number(high)]);
  }

  async committed(name: string, topics: readonly string[]): Promise<Position[]> {
    const groups = await this.#admin.fetchOffsets({ groupId: await this.groupOf(name), topics: [...topics] });
    return groups.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }): Position => [topic, partition, Math.max(0, Number(offset))]),
    );
  }

  /** Records that a process has not committed. */
  async lagOf(name: string, topics: readonly TopicName[]): Promise<number> {
    const ends = (await Promise.all(topics.map((topic) => this.ends(topic)))).flat();
    return sumOf(ends) - sumOf(await this.committed(name, topics));
  }

  /** Whether some record has taken effect that is not committed. */
  async isAhead(name: string): Promise<boolean> {
    const written = await this.written(name);
    const topics = [...new Set(written.map(([topic]) => topic))];
    if (topics.length === 0) return false;
    const committed = byPlace(await this.committed(name, topics));
    return written.some(([topic, partition, offset]) => offset > (committed.get(placeOf(topic, partition)) ?? 0));
  }

  async recordsOf(topic: TopicName): Promise<LogRecord[]> {
    const found: LogRecord[] = [];
    for (let partition = 0; partition < DEFAULT_PARTITIONS; partition += 1) {
      for await (const records of this.#reader.read({ topic, partition, from: 0, to: Infinity }))
        found.push(...records);
    }
    return found;
  }

  /** Waits until the engine has committed the whole tape, and the projectors' stores are at the ends of their topics. */
  async untilCaughtUp(projectors: readonly string[] = PROJECTOR_NAMES): Promise<void> {
    await this.untilEngineCaughtUp();
    for (const { name, topics } of listProjectors().filter((projector) => projectors.includes(projector.name))) {
      const stands = async (): Promise<boolean> => {
        const written = byPlace(await this.written(name));
        const ends = (await Promise.all(topics.map((topic) => this.ends(topic)))).flat();
        return ends.every(([topic, partition, end]) => (written.get(placeOf(topic, partition)) ?? 0) === end);
      };
      await until(`${name} has everything`, stands, CATCH_UP_DEADLINE_MS);
    }
  }

  async untilEngineCaughtUp(): Promise<void> {
    const isDone = async (): Promise<boolean> => (await this.lagOf(ENGINE, [TAPE_TOPIC])) === 0;
    await until('the engine has committed the whole tape', isDone, CATCH_UP_DEADLINE_MS);
  }

  /** A run without faults, from the tape alone. */
  async runUndisturbed(projectors: readonly string[] = PROJECTOR_NAMES): Promise<Digest> {
    await this.reset(true);
    const processes = [ENGINE, ...projectors].map((name) => this.start(name));
    await this.untilCaughtUp(projectors);
    await stopAll(processes);
    return this.digest();
  }

  digest(): Promise<Digest> {
    return digestOf(this.connections, DEFAULT_PARTITIONS);
  }

  async close(): Promise<void> {
    await this.processes.killAll();
    await this.#producer.disconnect();
    await this.#admin.disconnect();
    await this.#reader.close();
  }
}

interface RawRecord {
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: string;
}

export async function stopAll(processes: readonly TapeproofProcess[]): Promise<void> {
  await Promise.all(processes.map((process) => process.stop()));
}

export function sumOf(positions: readonly Position[]): number {
  return positions.reduce((sum, [, , offset]) => sum + offset, 0);
}

function placeOf(topic: string, partition: number): string {
  return `${topic} ${partition}`;
}

function byPlace(positions: readonly Position[]): Map<string, number> {
  return new Map(positions.map(([topic, partition, offset]) => [placeOf(topic, partition), offset]));
}
