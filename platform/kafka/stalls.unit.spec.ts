import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { noTelemetry } from '../telemetry.ts';
import { REBALANCE_TIMEOUT_MS } from './consumer-options.ts';
import { LagTelemetry, type Lag } from './lag-telemetry.ts';
import { createLog } from '../log.ts';
import { PartitionProgress } from './partition-progress.ts';
import { STALLED_AFTER_MS, STARVED_AFTER_MS, UNKNOWN_LAG_MS_MAX } from './stalls.ts';

const PLACE = { topic: 'raw.trades', partition: 3 };
const MEASURED_EVERY_MS = 5_000;

function subject() {
  const lines: Record<string, unknown>[] = [];
  const log = createLog('engine', 'info', { write: (line) => lines.push(JSON.parse(line) as (typeof lines)[number]) });
  const telemetry = noTelemetry();
  const progress = new PartitionProgress();
  progress.joined();
  const report = new LagTelemetry({ groupId: 'g', telemetry, log });
  let lag = 0;
  const measure = (): void => {
    const measured: Lag[] = [{ ...PLACE, records: lag, seconds: 0, marketSeconds: 0 }];
    report.measured(measured, progress);
  };
  return {
    report,
    progress,
    setLag: (records: number) => (lag = records),
    /** Measures for this long, doing `meanwhile` before each measurement. */
    pass: (durationMs: number, meanwhile: () => void = () => undefined): void => {
      for (let passed = 0; passed < durationMs; passed += MEASURED_EVERY_MS) {
        vi.advanceTimersByTime(MEASURED_EVERY_MS);
        meanwhile();
        measure();
      }
    },
    part: () => telemetry.health.parts.get('progress'),
    isReady: () => telemetry.health.isReady,
    actions: () => lines.map((line) => line['event.action']),
    metric: async () => /tapeproof_consumer_stalled\{.*\} (\d)/.exec(await telemetry.metrics.text())?.[1],
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a member of a group', () => {
  it('is stalled where it has lag and commits nothing, says why, and is not once it commits again', async () => {
    const { progress, setLag, pass, part, isReady, actions, metric } = subject();
    setLag(60_001);
    pass(STALLED_AFTER_MS);
    expect([isReady(), await metric()]).toEqual([true, '0']);
    progress.waits(PLACE, 'Redis cannot write now: OOM');
    pass(MEASURED_EVERY_MS);
    expect([isReady(), await metric(), actions()]).toEqual([false, '1', ['stalled']]);
    expect(part()?.detail).toBe(
      'stalled: nothing of raw.trades-3 was committed for 20 s, and 60,001 records wait: Redis cannot write now: OOM',
    );
    progress.committed({ ...PLACE, offset: 10 });
    setLag(59_991);
    pass(MEASURED_EVERY_MS);
    expect([isReady(), await metric(), actions()]).toEqual([true, '0', ['stalled', 'stall-ended']]);
  });

  it('is not stalled while it is idle, has only new records, commits, or works on one long batch', () => {
    const { progress, setLag, pass, isReady, actions } = subject();
    pass(10 * STALLED_AFTER_MS);
    setLag(5);
    pass(STALLED_AFTER_MS);
    expect(isReady()).toBe(true);
    let offset = 1;
    pass(5 * STALLED_AFTER_MS, () => {
      progress.committed({ ...PLACE, offset: (offset += 1) });
    });
    progress.began(PLACE);
    pass(5 * STALLED_AFTER_MS, () => {
      progress.worked(PLACE);
    });
    expect([isReady(), actions()]).toEqual([true, []]);
  });

  it('is not stalled where it waits for its turn while other partitions are worked on, but is after minutes', () => {
    const { progress, setLag, pass, part, isReady, actions } = subject();
    const other = { ...PLACE, partition: 4 };
    setLag(5);
    const working = (): void => {
      progress.ended(other);
      progress.began(other);
    };
    progress.began(other);
    pass(STARVED_AFTER_MS, working);
    expect([isReady(), actions()]).toEqual([true, []]);
    pass(2 * MEASURED_EVERY_MS, working);
    expect(part()?.detail).toMatch(/^stalled: nothing of raw\.trades-3 .*: Kafka delivers none of it$/);
    progress.committed({ ...PLACE, offset: 2 });
    pass(STALLED_AFTER_MS, working);
    expect(isReady()).toBe(true);
    // From now on there is nothing to do but to wait for Kafka.
    progress.ended(other);
    pass(STALLED_AFTER_MS + MEASURED_EVERY_MS);
    expect([isReady(), actions()]).toEqual([false, ['stalled', 'stall-ended', 'stalled']]);
  });

  it('is stalled while attempts repeat, or Kafka accepts no offsets, or a batch hangs', () => {
    const { progress, setLag, pass, part } = subject();
    setLag(5);
    pass(3 * STALLED_AFTER_MS, () => {
      progress.began(PLACE);
      progress.worked(PLACE);
      progress.ended(PLACE);
      progress.waits(PLACE, 'Postgres is read-only');
    });
    expect(part()).toMatchObject({ ready: false, detail: expect.stringMatching(/: Postgres is read-only$/) as string });
    progress.committed({ ...PLACE, offset: 2 });
    progress.commitFailed(new Error('COORDINATOR_NOT_AVAILABLE'));
    pass(2 * STALLED_AFTER_MS);
    expect(part()?.detail).toMatch(/Kafka does not take the offsets: COORDINATOR_NOT_AVAILABLE$/);
    progress.committed({ ...PLACE, offset: 3 });
    progress.began(PLACE);
    pass(2 * STALLED_AFTER_MS);
    expect(part()?.detail).toMatch(/the batch in hand does not end$/);
    // The same offset again is not progress.
    progress.ended(PLACE);
    progress.committed({ ...PLACE, offset: 3 });
    pass(MEASURED_EVERY_MS);
    expect(part()?.detail).toMatch(/Kafka delivers none of it$/);
  });

  it('is not stalled while its group rebalances, nor by failures of the previous membership', () => {
    const { progress, setLag, pass, isReady } = subject();
    setLag(5);
    progress.rebalanceAnnounced();
    pass(REBALANCE_TIMEOUT_MS);
    expect(isReady()).toBe(true);
    progress.waits(PLACE, 'Redis does not answer');
    progress.joined();
    pass(STALLED_AFTER_MS - MEASURED_EVERY_MS);
    expect([isReady(), progress.of(PLACE).reason]).toEqual([true, undefined]);
  });

  it('is stalled where the rebalance does not end, because nobody coordinates the group: with a lag, or an unknown one', () => {
    const lagging = subject();
    lagging.setLag(5);
    lagging.pass(REBALANCE_TIMEOUT_MS + STALLED_AFTER_MS + MEASURED_EVERY_MS, () => {
      // Each failing heartbeat announces it again.
      lagging.progress.rebalanceAnnounced();
    });
    expect([lagging.isReady(), lagging.actions()]).toEqual([false, ['stalled']]);
    const blind = subject();
    for (let passed = 0; passed <= REBALANCE_TIMEOUT_MS + UNKNOWN_LAG_MS_MAX; passed += MEASURED_EVERY_MS) {
      blind.progress.rebalanceAnnounced();
      expect(blind.isReady()).toBe(true);
      blind.report.unknown({ assignment: { [PLACE.topic]: [3] }, progress: blind.progress });
      vi.advanceTimersByTime(MEASURED_EVERY_MS);
    }
    expect([blind.isReady(), blind.actions()]).toEqual([false, ['stalled']]);
  });

  it('is stalled if Kafka does not report its lag for too long', () => {
    const { report, progress, part, isReady } = subject();
    for (let passed = 0; passed <= UNKNOWN_LAG_MS_MAX; passed += MEASURED_EVERY_MS) {
      expect(isReady()).toBe(true);
      report.unknown({ assignment: { [PLACE.topic]: [3] }, progress });
      vi.advanceTimersByTime(MEASURED_EVERY_MS);
    }
    expect(part()).toMatchObject({ ready: false, detail: expect.stringMatching(/Kafka has not reported/) as string });
    report.unknown({ assignment: {}, progress });
    report.measured([], progress);
    expect(isReady()).toBe(true);
  });
});
