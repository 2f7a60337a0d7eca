import { setTimeout as wait } from 'node:timers/promises';
import type { IndicatorSnapshot } from '../../contracts/generated/events.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { TOPIC_OF_DERIVED } from '../../contracts/topics.ts';
import { isPassing, TapeproofError } from '../../platform/errors.ts';
import { eventIn } from '../../platform/kafka/framed-record.ts';
import type { ContextConfiguration } from './context-configuration.ts';
import { ContextTape, type ContextAccess } from './context-tape.adapter.ts';
import { SectorStrengths, signalsOfStrengths, type Strengths } from './sector-strength.ts';

/** Snapshots at the end of each partition with which a run begins. */
const LOOKED_BACK_RECORDS = 50_000;
const US_PER_MS = 1_000;

export interface SectorIngestOptions extends ContextAccess {
  readonly configuration: ContextConfiguration;
  /** Computes the strengths that are due now; otherwise each time that they are, until the signal. */
  readonly isOnce: boolean;
}

export interface SectorReport {
  /** False where the signal came before the end of the first round. */
  readonly complete: boolean;
  readonly appended: number;
  readonly alreadyThere: number;
  /** The last ones; null before the first. */
  readonly strengths: Strengths | null;
  /** Why there are none, as the end of a sentence; null where there are. */
  readonly missing: string | null;
}

/**
 * Appends the relative strength of sectors to the tape, from snapshots of the engine: for market times that are due after
 * its start, not for those that have passed.
 *
 * @throws TapeproofError like {@link ContextTape.open}.
 */
export async function ingestSectors(options: SectorIngestOptions): Promise<SectorReport> {
  const { configuration, isOnce, log, signal } = options;
  const strengths = new SectorStrengths(configuration);
  let report: SectorReport = { complete: false, appended: 0, alreadyThere: 0, strengths: null, missing: null };
  const tape = await ContextTape.open(options);
  if (tape === undefined) return report;
  const snapshots = new NewSnapshots(tape, strengths.instruments);
  try {
    do {
      try {
        for (const snapshot of await snapshots.read(signal)) strengths.add(snapshot);
        report = await round(tape, strengths, configuration, report);
      } catch (error) {
        if (signal.aborted) break;
        if (isOnce || !(error instanceof TapeproofError) || !isPassing(error.code)) throw error;
        log.warn(error.message);
      }
      const pauseMs = Math.min(configuration.pollMs, configuration.sectors.everyMs);
      if (!isOnce) await wait(pauseMs, undefined, { signal }).catch(() => undefined);
    } while (!isOnce && !signal.aborted);
  } finally {
    await tape.close();
  }
  return report;
}

async function round(
  tape: ContextTape,
  strengths: SectorStrengths,
  configuration: ContextConfiguration,
  before: SectorReport,
): Promise<SectorReport> {
  if (before.strengths?.timeUs === strengths.dueUs) return before;
  const found = strengths.strengths();
  if (typeof found === 'string') return { ...before, complete: true, missing: found };
  const signals = signalsOfStrengths(found, configuration, Date.now() * US_PER_MS);
  const { appended, alreadyThere } = await tape.append(signals);
  return {
    complete: true,
    appended: before.appended + appended,
    alreadyThere: before.alreadyThere + alreadyThere,
    strengths: found,
    missing: null,
  };
}

/** The snapshots of some instruments, from the end of the log on. */
class NewSnapshots {
  private readonly tape: ContextTape;
  private readonly instruments: ReadonlySet<string>;
  private readonly next = new Map<number, number>();

  constructor(tape: ContextTape, instruments: readonly string[]) {
    this.tape = tape;
    this.instruments = new Set(instruments);
  }

  /** Those since the last call, in the order of their times. @throws TapeproofError UNREACHABLE */
  async read(signal: AbortSignal): Promise<readonly IndicatorSnapshot[]> {
    const partitions = new Set([...this.instruments].map((name) => partitionOf(name, this.tape.partitions)));
    const found: IndicatorSnapshot[] = [];
    for (const partition of partitions) await this.readPartition(partition, found, signal);
    return found.sort((left, right) => left.eventTime - right.eventTime || left.sequence - right.sequence);
  }

  private async readPartition(partition: number, found: IndicatorSnapshot[], signal: AbortSignal): Promise<void> {
    const { reader, registry } = this.tape;
    const topic = TOPIC_OF_DERIVED.IndicatorSnapshot;
    const [start, to] = await Promise.all([reader.startOffset(topic, partition), reader.endOffset(topic, partition)]);
    const from = Math.max(this.next.get(partition) ?? to - LOOKED_BACK_RECORDS, start);
    if (from < to) {
      for await (const records of reader.read({ topic, partition, from, to })) {
        signal.throwIfAborted();
        for (const record of records) {
          const snapshot = await eventIn(registry, record, 'IndicatorSnapshot');
          if (snapshot !== undefined && this.instruments.has(snapshot.instrument)) found.push(snapshot);
        }
      }
    }
    this.next.set(partition, Math.max(from, to));
  }
}
