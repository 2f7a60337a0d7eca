import { DERIVED_TOPICS } from '../../contracts/topics.ts';
import { quantileOf } from '../figure.ts';
import { measureDelays } from '../latency.ts';
import type { Arena, ContenderName, LastingContender } from './contenders.ts';
import { endOf } from './measurement.ts';
import { busiestThread, peakResidentBytesOf, threadTimesOf } from './process-usage.ts';

/** From a trade's due time to its decision in another consumer, milliseconds, by run; memory over all runs. */
export interface LatencyReport {
  readonly contender: ContenderName;
  readonly p50Ms: readonly number[];
  readonly p99Ms: readonly number[];
  /** Of its busiest thread, by run: the time without a processor as a share of that with one. */
  readonly waitedShare: readonly number[];
  readonly peakResidentBytes: number;
}

/** Measures a contender live, as `bench/latency.ts` does: one process for all runs, warmed up by a run before them. */
export async function measurePeerLatency(
  { bench: { connections, log, runs } }: Arena,
  contender: LastingContender,
): Promise<LatencyReport> {
  await contender.reset();
  const running = await contender.start();
  const endedEarly = endOf({ ...running, ...contender });
  const topic = contender.topics[DERIVED_TOPICS.indexOf('probability.decisions')];
  const measureRun = () => Promise.race([measureDelays(connections, log, topic), endedEarly]);
  const [p50Ms, p99Ms, waitedShare]: [number[], number[], number[]] = [[], [], []];
  try {
    await measureRun();
    for (let run = 0; run < runs; run += 1) {
      const before = threadTimesOf(running.pid);
      const delaysMs = await measureRun();
      const { ranMs, waitedMs } = busiestThread(before, threadTimesOf(running.pid));
      waitedShare.push(waitedMs / ranMs);
      p50Ms.push(quantileOf(delaysMs, 0.5));
      p99Ms.push(quantileOf(delaysMs, 0.99));
    }
    return {
      contender: contender.name,
      p50Ms,
      p99Ms,
      waitedShare,
      peakResidentBytes: peakResidentBytesOf(running.pid),
    };
  } finally {
    await running.stop().catch(() => undefined);
  }
}
