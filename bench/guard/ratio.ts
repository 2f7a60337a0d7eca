/** One pass over the tape. */
export type Pass = () => unknown;

/** How much more the engine takes than the reference. */
export interface Ratio {
  readonly ratio: number;
  /** Processor time of a trade in the fastest pass, microseconds. */
  readonly engineUs: number;
  readonly referenceUs: number;
  readonly pairs: number;
  /** Above the bound in all pairs. */
  readonly isSlow: boolean;
}

/** The first of them compile the code. */
const PAIRS_MIN = 8;
/** Other work on the machine slows some passes down: only so many in succession are not a coincidence. */
const PAIRS_MAX = 40;

/**
 * Runs the two in turn, and compares the fastest pass of each: whatever else the machine does only adds time. Ends as
 * soon as the ratio is not above the bound.
 *
 * @param trades - in one pass.
 * @param cpuUs - gives this process's processor time, microseconds.
 */
export function measureRatio(
  { engine, reference }: { readonly engine: Pass; readonly reference: Pass },
  trades: number,
  ratioMax: number,
  cpuUs: () => number = processUs,
): Ratio {
  const timeOf = (pass: Pass): number => {
    const before = cpuUs();
    pass();
    return (cpuUs() - before) / trades;
  };
  let [engineUs, referenceUs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let pairs = 0;
  while (pairs < PAIRS_MIN || (pairs < PAIRS_MAX && engineUs / referenceUs > ratioMax)) {
    engineUs = Math.min(engineUs, timeOf(engine));
    referenceUs = Math.min(referenceUs, timeOf(reference));
    pairs += 1;
  }
  const ratio = engineUs / referenceUs;
  return { ratio, engineUs, referenceUs, pairs, isSlow: ratio > ratioMax };
}

/** User and system time of all threads. */
function processUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
