import { availableParallelism, totalmem } from 'node:os';

const LANES_MAX = 3;
/** Of a stack's services and the processes that tests start against them. */
const LANE_BYTES = 2_500_000_000;

/**
 * So many test files of the stack tier run side by side, each lane with services of its own. One more than there are
 * processors: much of the time a test waits for a timer, and a processor for a test.
 */
export const LANES = Math.max(1, Math.min(LANES_MAX, availableParallelism() + 1, Math.floor(totalmem() / LANE_BYTES)));

/** The lane of this test file, from 0: vitest numbers the workers that run at the same time. */
export function laneOfThisWorker(): number {
  return Number(process.env['VITEST_POOL_ID'] ?? 1) - 1;
}
