/** One pass over the tape, which stops after each slice: as many slices as the other has, the same work each time. */
export type Pass = () => Iterator<void, void, void>;

/** How much more the engine takes than the reference. */
export interface Ratio {
  readonly ratio: number;
  /** Processor time of a trade, microseconds: each slice at its fastest. */
  readonly engineUs: number;
  readonly referenceUs: number;
  readonly pairs: number;
  /** Above the bound after all pairs. */
  readonly isSlow: boolean;
}

/** The first of them compile the code. */
const PAIRS_MIN = 8;
/** Other work on the machine slows some slices down: only so many in succession are not a coincidence. */
const PAIRS_MAX = 80;

/**
 * Runs the two slice by slice in turn, and compares the sums of what each slice took at its fastest: whatever else the
 * machine does only adds time, and leaves a slice of milliseconds alone more often than a whole pass. Ends as soon as
 * the ratio is not above the bound.
 *
 * @param trades - in one pass.
 * @param cpuUs - gives this process's processor time, microseconds.
 * @throws Error when the two have not as many slices.
 */
export function measureRatio(
  { engine, reference }: { readonly engine: Pass; readonly reference: Pass },
  trades: number,
  ratioMax: number,
  cpuUs: () => number = processUs,
): Ratio {
  const least = { engine: [] as number[], reference: [] as number[] };
  const runPair = (): void => {
    const [slicesOfEngine, slicesOfReference] = [engine(), reference()];
    for (let slice = 0; ; slice += 1) {
      const engineEnds = isEndAfter(slicesOfEngine, least.engine, slice, cpuUs);
      const referenceEnds = isEndAfter(slicesOfReference, least.reference, slice, cpuUs);
      if (engineEnds !== referenceEnds) throw new Error(`only one of the two has a slice ${slice}`);
      if (engineEnds) return;
    }
  };
  let pairs = 0;
  const ratio = (): number => sumOf(least.engine) / sumOf(least.reference);
  while (pairs < PAIRS_MIN || (pairs < PAIRS_MAX && ratio() > ratioMax)) {
    runPair();
    pairs += 1;
  }
  const [engineUs, referenceUs] = [sumOf(least.engine) / trades, sumOf(least.reference) / trades];
  return { ratio: ratio(), engineUs, referenceUs, pairs, isSlow: ratio() > ratioMax };
}

/** Runs a slice and keeps its time when it is the least; whether there was none. */
function isEndAfter(slices: Iterator<void>, least: number[], slice: number, cpuUs: () => number): boolean {
  const before = cpuUs();
  if (slices.next().done === true) return true;
  least[slice] = Math.min(least[slice] ?? Number.POSITIVE_INFINITY, cpuUs() - before);
  return false;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** User and system time of all threads. */
function processUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
