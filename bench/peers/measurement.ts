import { setTimeout as wait } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import { TAPE_TOPIC } from '../../contracts/topics.ts';
import { groupLag } from '../../platform/kafka/group-lag.ts';
import { cpuSecondsOf, peakResidentBytesOf } from './process-usage.ts';

const POLL_MS = 100;
/** Without another output for this long, and with the whole tape committed, a contender is done. */
const QUIET_MS = 1_000;
const RUN_DEADLINE_MS = 20 * 60_000;
const MILLISECONDS_PER_SECOND = 1_000;

/** A contender's way over the tape. */
export interface Derivation {
  /** Trades of the tape that it has processed. */
  readonly trades: number;
  /** Events that it has derived. */
  readonly events: number;
  /** One for each change of the outputs, in order. */
  readonly samples: readonly Sample[];
  readonly peakResidentBytes: number;
}

/** The figures of one {@link Derivation}. */
export interface PeerRun {
  readonly events: number;
  /** From the first output to the last. */
  readonly tradesPerCpuSecond: number;
  readonly tradesPerSecond: number;
  /** From half of the outputs to the last, when its code is compiled. */
  readonly warmTradesPerCpuSecond: number;
  readonly peakResidentBytes: number;
}

/** The processor time and outputs of a contender at one moment. */
export interface Sample {
  readonly atMs: number;
  readonly cpuSeconds: number;
  /** Records in its output topics, or of the tape that it has processed. */
  readonly outputs: number;
}

/**
 * The trades between two samples are taken as their share of the outputs.
 *
 * @throws Error when the outputs came all at once.
 */
export function runOf({ trades, events, samples, peakResidentBytes }: Derivation): PeerRun {
  const some = samples.filter(({ outputs }) => outputs > 0);
  const [first, last] = [some[0], some.at(-1)];
  if (first === undefined || last === undefined || first === last) {
    throw new Error('the tape is too short to be measured: give more --trades');
  }
  const middle = some.find(({ outputs }) => outputs >= last.outputs / 2 && outputs < last.outputs) ?? first;
  const tradesSince = (from: Sample): number => (trades * (last.outputs - from.outputs)) / last.outputs;
  return {
    events,
    peakResidentBytes,
    tradesPerCpuSecond: tradesSince(first) / (last.cpuSeconds - first.cpuSeconds),
    tradesPerSecond: (tradesSince(first) / (last.atMs - first.atMs)) * MILLISECONDS_PER_SECOND,
    warmTradesPerCpuSecond: tradesSince(middle) / (last.cpuSeconds - middle.cpuSeconds),
  };
}

/** A process of a contender. */
export interface RunningProcess {
  readonly pid: number;
  /** Settles when the process has ended. */
  readonly ended: Promise<unknown>;
  stop(): Promise<unknown>;
}

/** A contender's process, and where its progress shows. */
export interface Observed extends Pick<RunningProcess, 'pid' | 'ended'> {
  readonly groupId: string;
  readonly topics: readonly string[];
}

/** Watches a process that was just started until it has processed the whole tape. */
export async function observeProcess(kafka: Kafka, observed: Observed, trades: number): Promise<Derivation> {
  const { pid, groupId, topics } = observed;
  const endedEarly = endOf(observed);
  const samples: Sample[] = [];
  const deadlineMs = performance.now() + RUN_DEADLINE_MS;
  const admin = kafka.admin();
  await admin.connect();
  try {
    while (performance.now() < deadlineMs) {
      await Promise.race([wait(POLL_MS), endedEarly]);
      const cpuSeconds = cpuSecondsOf(pid);
      const sample = { atMs: performance.now(), cpuSeconds, outputs: await recordsIn(admin, topics) };
      const last = samples.at(-1);
      if (last?.outputs !== sample.outputs) samples.push(sample);
      if (last === undefined || sample.outputs === 0 || sample.atMs - last.atMs <= QUIET_MS) continue;
      const { lag } = await groupLag(kafka, groupId, [TAPE_TOPIC]);
      if (lag > 0) continue;
      return { trades, events: sample.outputs, samples, peakResidentBytes: peakResidentBytesOf(pid) };
    }
    throw new Error(`${groupId} has not processed the tape in ${RUN_DEADLINE_MS / 60_000} minutes`);
  } finally {
    await admin.disconnect();
  }
}

/** Rejects when a process ends that should go on. */
export function endOf({ ended, groupId }: Observed): Promise<never> {
  const end = ended.then(() => Promise.reject(new Error(`the process of ${groupId} ended early`)));
  end.catch(() => undefined);
  return end;
}

/** Records in topics, all partitions added up. */
export async function recordsIn(admin: Admin, topics: readonly string[]): Promise<number> {
  let records = 0;
  for (const topic of topics) for (const { high } of await admin.fetchTopicOffsets(topic)) records += Number(high);
  return records;
}
