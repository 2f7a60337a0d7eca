import {
  idOf,
  laneOf,
  type Comparison,
  type HeldRows,
  type KeptRow,
  type Mismatch,
  type Resumption,
} from './ingest.ts';

/** Rows of one file that are told apart by their ids; some 150 bytes each. */
export const DISTINCT_ROWS_MAX = 5_000_000;

/**
 * What Kafka holds of one file, each row once, in the order of first appearance: runs of a file at the same time append
 * rows twice, each in the file's order, so that the first copies are the first rows of the file, in its order. Remembers
 * every id, where {@link OrderedHoldings} does not.
 */
export class DistinctHoldings implements HeldRows {
  private readonly ordinals = new Map<string, Map<string, number>>();
  private rows = 0;

  /** @throws RangeError beyond {@link DISTINCT_ROWS_MAX} */
  add(row: KeptRow): void {
    const lane = laneOf(row);
    let ordinals = this.ordinals.get(lane);
    if (ordinals === undefined) this.ordinals.set(lane, (ordinals = new Map<string, number>()));
    const id = idOf(row);
    if (ordinals.has(id)) return;
    if (this.rows >= DISTINCT_ROWS_MAX) throw new RangeError(`more than ${DISTINCT_ROWS_MAX} rows`);
    this.rows += 1;
    ordinals.set(id, ordinals.size);
  }

  comparison(): Comparison {
    return new DistinctComparison(this.ordinals);
  }

  resumption(): Resumption {
    return { isThere: (row) => this.ordinals.get(laneOf(row))?.has(idOf(row)) === true };
  }
}

class DistinctComparison implements Comparison {
  private readonly held: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Ordinal in each lane that the next new row must have. */
  private readonly next = new Map<string, number>();
  private openLanes: number;
  private found: Mismatch | undefined;

  constructor(held: ReadonlyMap<string, ReadonlyMap<string, number>>) {
    this.held = held;
    this.openLanes = held.size;
  }

  isComplete(): boolean {
    return this.openLanes === 0 || this.found !== undefined;
  }

  accept(row: KeptRow): void {
    const lane = laneOf(row);
    const held = this.held.get(lane);
    const next = this.next.get(lane) ?? 0;
    if (held === undefined || next >= held.size) return;
    const ordinal = held.get(idOf(row));
    if (ordinal === next) {
      this.next.set(lane, next + 1);
      if (next + 1 === held.size) this.openLanes -= 1;
    } else if (ordinal === undefined || ordinal > next) this.found ??= { lane, count: held.size };
  }

  mismatch(): Mismatch | undefined {
    if (this.isComplete()) return this.found;
    for (const [lane, { size }] of this.held) if ((this.next.get(lane) ?? 0) < size) return { lane, count: size };
    return undefined;
  }
}
