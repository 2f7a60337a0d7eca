import { StatePart, type Part } from './state-pages.ts';

/** Mean length of a run: the border of one in so many items. */
const RUN_ITEMS_MEAN = 256;
const RUN_ITEMS_MAX = 1_024;
/** A list that is shorter is no page of its own. */
const PAGE_ITEMS_MIN = 64;
const TWO_TO_32 = 4_294_967_296;

/** A sorted list in a state, in runs. */
export type Runs<Item> = readonly Part<readonly Item[]>[];

/**
 * Splits a sorted list into runs. A run ends after an item whose key says so by its own bits, so that what is added or
 * taken away at one place moves no border elsewhere, and the other runs keep their bytes ("content-defined chunking",
 * Muthitacharoen et al. 2001, doi 10.1145/502034.502052).
 *
 * @param keyOf - an integer below 2^53 in magnitude.
 */
export function runsOf<Item>(items: readonly Item[], keyOf: (item: Item) => number): readonly (readonly Item[])[] {
  const runs: (readonly Item[])[] = [];
  let start = 0;
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index] as Item;
    const length = index + 1 - start;
    if (index + 1 < items.length && length < RUN_ITEMS_MAX && !endsRun(keyOf(item))) continue;
    runs.push(items.slice(start, index + 1));
    start = index + 1;
  }
  return runs;
}

/** The runs in a state, as parts; a short list as it is. */
export function partsOf<Item, Written>(
  runs: readonly (readonly Item[])[],
  write: (item: Item) => Written,
): Runs<Written> {
  return runs.map((run) => (isShortList(runs) ? run.map(write) : partOf(run, write)));
}

function isShortList([first, ...rest]: readonly (readonly unknown[])[]): boolean {
  return rest.length === 0 && (first?.length ?? 0) < PAGE_ITEMS_MIN;
}

function partOf<Item, Written>(run: readonly Item[], write: (item: Item) => Written): StatePart<readonly Written[]> {
  return new StatePart(() => run.map(write));
}

interface KnownRun<Item, Written> {
  readonly run: readonly Item[];
  readonly part: StatePart<readonly Written[]>;
}

/**
 * The runs of a list whose items never change, although the list does: a run that is the same as at the last anchor is
 * not written again.
 */
export class KnownRuns<Item extends object, Written> {
  readonly #keyOf: (item: Item) => number;
  readonly #write: (item: Item) => Written;
  #known: ReadonlyMap<Item, KnownRun<Item, Written>> = new Map();

  constructor(keyOf: (item: Item) => number, write: (item: Item) => Written) {
    this.#keyOf = keyOf;
    this.#write = write;
  }

  of(items: readonly Item[]): Runs<Written> {
    const runs = runsOf(items, this.#keyOf);
    const known = new Map<Item, KnownRun<Item, Written>>();
    if (!isShortList(runs)) for (const run of runs) known.set(run.at(-1) as Item, this.#knownOr(run));
    this.#known = known;
    return isShortList(runs) ? partsOf(runs, this.#write) : [...known.values()].map(({ part }) => part);
  }

  #knownOr(run: readonly Item[]): KnownRun<Item, Written> {
    const before = this.#known.get(run.at(-1) as Item);
    const isSame = before?.run.length === run.length && before.run.every((item, index) => item === run[index]);
    return isSame ? before : { run, part: partOf(run, this.#write) };
  }
}

function endsRun(key: number): boolean {
  const high = Math.floor(key / TWO_TO_32);
  let mixed = Math.imul((key - high * TWO_TO_32) ^ Math.imul(high, 0x9e37_79b1), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) % RUN_ITEMS_MEAN === 0;
}
