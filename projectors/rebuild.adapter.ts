import type { TopicName } from '../contracts/topics.ts';
import { TapeproofError } from '../platform/errors.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { RecordProducer } from '../platform/kafka/producer.ts';
import type { Log } from '../platform/log.ts';
import { assertNoneGone, writeBatch, SINK_BATCH_RECORDS_MAX } from './batch-writer.adapter.ts';
import type { EventReader } from './event-reader.adapter.ts';
import type { ProjectorOf } from './projector.ts';
import { remedyForHole } from './remedies.adapter.ts';
import { overtaken } from './sinks/refusals.ts';
import type { Difference, Position, ReadModel, Shadow, StoredPosition } from './sink.ts';

/** Partitions loaded side by side: one is decoded while another is written. */
const CONCURRENCY = 3;
/** The live writers are held only during the last of these passes. */
const CATCH_UP_RECORDS = 2_000;
const CATCH_UP_ROUNDS_MAX = 50;
const MILLISECONDS_PER_SECOND = 1_000;

export interface RebuildProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: 'records';
  readonly count: number;
}

export interface RebuildReport {
  readonly generation: number;
  /** Kept until the next rebuild. */
  readonly replaced: number;
  /** Records read. */
  readonly records: number;
  /**
   * - `equal`: both generations had the same content, byte for byte, at the same positions.
   * - `restored`: the live one had lost some or all of its content; the rest was equal.
   * - `approved`: they differed, and that was approved.
   */
  readonly comparison: 'equal' | 'restored' | 'approved';
  readonly differences: readonly Difference[];
  /** How long each phase took, seconds. */
  readonly seconds: Readonly<Record<RebuildPhase, number>>;
}

/** `keys` is what is left to build after the load, indexes included; `comparison` begins when the live writers are held. */
export type RebuildPhase = 'load' | 'keys' | 'catchUp' | 'comparison' | 'swap';

export interface RebuildSettings<Output> {
  readonly projector: ProjectorOf<Output>;
  readonly readModel: ReadModel<Output>;
  readonly tapeId: string;
  readonly partitions: number;
  readonly read: EventReader;
  readonly reader: LogReader;
  readonly producer: RecordProducer;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly progress?: ((progress: RebuildProgress) => void) | undefined;
  readonly approveDifference: boolean;
}

/** The state of the live generation when a rebuild begins. */
type LiveState = 'comparable' | 'empty' | 'foreign';

/**
 * Rebuilds a read model from the log, beside the live one, and swaps when both are equal at the same positions.
 *
 *     shadow  ├── load, without keys ──┤ keys ├─ catch up ─┤ to V ├ compare, swap ┤ live from here on
 *     live    ───────── written by its own process, if one runs ──┤ V: held      ┤ the process continues with the new
 *     one
 *
 * The keys of what one topic fills are built while the next topics are loaded.
 *
 * It may die at any moment: the next one drops what it left behind, and no writer stays held.
 *
 * @throws TapeproofError CHECK_FAILED when they differ and that was not approved; SEQUENCE_GAP, FOREIGN_TAPE, UNREACHABLE.
 */
export async function rebuild<Output>(settings: RebuildSettings<Output>): Promise<RebuildReport> {
  const { projector, readModel, tapeId, approveDifference, log } = settings;
  let shadow = await readModel.beginRebuild(tapeId, false);
  const liveState = stateOf(await shadow.livePositions(), tapeId);
  if (liveState === 'foreign' && !approveDifference) throw foreignTape(projector.name);
  if (liveState === 'empty') log.info(`The live ${projector.name} is empty: there is nothing to compare with`);

  const watch = new StopWatch();
  let loading = new Loading(settings, shadow, liveState);
  await loading.advance();
  watch.ended('load');
  const finished = await shadow.finishLoad();
  watch.ended('keys');
  if (!finished) {
    log.warn(`${projector.name}: two records have one key; loading again, with keys from the start`);
    shadow = await readModel.beginRebuild(tapeId, true);
    loading = new Loading(settings, shadow, liveState);
    await loading.advance();
    watch.ended('load');
  }
  await loading.catchUp();
  watch.ended('catchUp');
  await shadow.freeze();
  try {
    const comparable = await loading.meet();
    const differences = comparable ? await shadow.differences() : [];
    const comparison = judge(projector.name, shadow, liveState, comparable, differences, approveDifference);
    watch.ended('comparison');
    await shadow.swap();
    watch.ended('swap');
    const { records } = loading;
    const { seconds } = watch;
    return { generation: shadow.generation, replaced: shadow.live, records, comparison, differences, seconds };
  } finally {
    await shadow.release();
  }
}

/** The duration of each phase, in order. */
class StopWatch {
  readonly seconds: Record<RebuildPhase, number> = { load: 0, keys: 0, catchUp: 0, comparison: 0, swap: 0 };
  #since = performance.now();

  ended(phase: RebuildPhase): void {
    const now = performance.now();
    this.seconds[phase] += (now - this.#since) / MILLISECONDS_PER_SECOND;
    this.#since = now;
  }
}

function stateOf(live: readonly StoredPosition[], tapeId: string): LiveState {
  if (live.some((position) => position.tapeId !== tapeId)) return 'foreign';
  return live.some(({ nextOffset }) => nextOffset > 0) ? 'comparable' : 'empty';
}

/** @throws TapeproofError CHECK_FAILED */
function judge(
  projector: string,
  shadow: Shadow<unknown>,
  liveState: LiveState,
  comparable: boolean,
  differences: readonly Difference[],
  approveDifference: boolean,
): RebuildReport['comparison'] {
  if (liveState === 'foreign') return 'approved';
  if (!comparable) return 'restored';
  if (differences.length === 0) return 'equal';
  // A source that is entirely gone contradicts nothing.
  if (differences.every(({ liveCount }) => liveCount === 0)) return 'restored';
  if (approveDifference) return 'approved';
  const sources = differences.map(
    ({ subject, liveCount, shadowCount, first }) =>
      `${subject} (live ${liveCount}, rebuilt ${shadowCount}${first === undefined ? '' : `, first at ${first}`})`,
  );
  throw new TapeproofError(
    'CHECK_FAILED',
    `The rebuilt ${projector} differs from the live one in ${sources.join(', ')}: the live generation ${shadow.live} stays, and generation ${shadow.generation} is kept beside it for inspection; to swap nevertheless, run "npx tapeproof projector rebuild ${projector} --approve-difference".`,
  );
}

function foreignTape(projector: string): TapeproofError {
  return new TapeproofError(
    'FOREIGN_TAPE',
    `The live ${projector} was read from another tape: connect to the right Kafka, or run "npx tapeproof projector rebuild ${projector} --approve-difference" to read this one.`,
  );
}

const NOWHERE: Position = { nextOffset: 0, nextSequence: 0 };

interface SourcePartition {
  readonly topic: TopicName;
  readonly partition: number;
}

/** Brings a shadow forward to the live generation's position, or to the end of the log where the live one is empty. */
class Loading<Output> {
  readonly #settings: RebuildSettings<Output>;
  readonly #shadow: Shadow<Output>;
  readonly #liveState: LiveState;
  readonly #sources: readonly SourcePartition[];
  readonly #reached = new Map<SourcePartition, Position>();
  records = 0;

  constructor(settings: RebuildSettings<Output>, shadow: Shadow<Output>, liveState: LiveState) {
    this.#settings = settings;
    this.#shadow = shadow;
    this.#liveState = liveState;
    this.#sources = settings.projector.topics.flatMap((topic) =>
      Array.from({ length: settings.partitions }, (_, partition) => ({ topic, partition })),
    );
  }

  /** One pass to the present targets. @returns the number of records that it was behind. */
  async advance(): Promise<number> {
    const targets = await this.#targets();
    const behind = await this.#behind(targets);
    const total = this.records + behind;
    const queue = this.#sources.filter(
      (source) => (targets.get(source) ?? 0) > (this.#reached.get(source)?.nextOffset ?? 0),
    );
    const unfinished = new Set(queue);
    const work = async (): Promise<void> => {
      for (let source = queue.shift(); source !== undefined; source = queue.shift()) {
        await this.#advanceSource(source, targets.get(source) ?? 0, total);
        unfinished.delete(source);
        const { topic } = source;
        if ([...unfinished].every((other) => other.topic !== topic)) this.#shadow.loaded?.(topic);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    return behind;
  }

  /** Passes until little is left, or the log has no more: a log that was recreated may end before the live positions. */
  async catchUp(): Promise<void> {
    for (let round = 0; round < CATCH_UP_ROUNDS_MAX; round += 1) {
      const before = this.records;
      if ((await this.advance()) <= CATCH_UP_RECORDS || this.records === before) return;
    }
  }

  /** The last pass, while the live writers are held. @returns whether both are now at the same positions. */
  async meet(): Promise<boolean> {
    if (this.#liveState !== 'comparable') {
      await this.advance();
      return false;
    }
    const targets = await this.#targets();
    // A live store that lost its positions meanwhile is behind the shadow.
    if (this.#sources.some((source) => (targets.get(source) ?? 0) < (this.#reached.get(source)?.nextOffset ?? 0))) {
      return false;
    }
    await this.advance();
    return true;
  }

  async #targets(): Promise<Map<SourcePartition, number>> {
    const targets = new Map<SourcePartition, number>();
    if (this.#liveState === 'comparable') {
      const live = await this.#shadow.livePositions();
      for (const source of this.#sources) {
        const stored = live.find(({ topic, partition }) => topic === source.topic && partition === source.partition);
        targets.set(source, stored?.nextOffset ?? 0);
      }
      return targets;
    }
    await Promise.all(
      this.#sources.map(async (source) => {
        targets.set(source, await this.#settings.reader.endOffset(source.topic, source.partition));
      }),
    );
    return targets;
  }

  async #behind(targets: ReadonlyMap<SourcePartition, number>): Promise<number> {
    let behind = 0;
    for (const source of this.#sources) {
      const reached = this.#reached.get(source) ?? (await this.#shadow.position(source.topic, source.partition));
      this.#reached.set(source, reached);
      behind += Math.max(0, (targets.get(source) ?? 0) - reached.nextOffset);
    }
    return behind;
  }

  async #advanceSource(source: SourcePartition, to: number, total: number): Promise<void> {
    const { reader, progress, signal, projector } = this.#settings;
    const position = this.#reached.get(source) ?? NOWHERE;
    const start = await reader.startOffset(source.topic, source.partition);
    assertNoneGone(source.topic, source.partition, position, start);
    const from = Math.max(start, position.nextOffset);
    for await (const records of reader.read({ ...source, from, to })) {
      for (let first = 0; first < records.length; first += SINK_BATCH_RECORDS_MAX) {
        if (signal.aborted) throw interrupted(projector.name);
        const slice = records.slice(first, first + SINK_BATCH_RECORDS_MAX);
        await this.#apply(source, slice);
        this.records += slice.length;
        progress?.({ done: this.records, total, unit: 'records', count: this.records });
      }
    }
  }

  async #apply(source: SourcePartition, records: readonly LogRecord[]): Promise<void> {
    const { producer, projector, read } = this.#settings;
    const position = this.#reached.get(source);
    if (position === undefined) throw new RangeError('the position of a source is read first');
    const { sinkBatch, application } = await writeBatch(
      {
        ...{ projector, read, sink: this.#shadow },
        remedyForGap: (topic) =>
          Promise.resolve(`${remedyForHole(topic)}; when the events are derived again, repeat the rebuild`),
        sendDeadLetters: (letters) => (letters.length === 0 ? Promise.resolve() : producer.send(letters)),
      },
      position,
      records,
    );
    // Nothing else writes a shadow, unless another rebuild began.
    if (application.kind !== 'applied') throw overtaken(projector.name);
    this.#reached.set(source, sinkBatch.to);
  }
}

export function interrupted(projector: string): TapeproofError {
  return new TapeproofError(
    'CHECK_FAILED',
    `The rebuild of ${projector} was interrupted: the live one is unchanged, and the next rebuild starts from the beginning.`,
  );
}
