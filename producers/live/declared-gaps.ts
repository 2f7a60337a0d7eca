import { DECLARED_GAPS_MAX, type Missing } from './reorder-buffer.ts';

/** Ids in gaps on the tape that may still arrive, each once. A bounded number of ranges in ascending order. */
export class DeclaredGaps {
  private ranges: Missing[] = [];

  reset(ranges: readonly Missing[]): void {
    this.ranges = [];
    for (const range of ranges) this.add(range);
  }

  /** @param range greater than all before */
  add(range: Missing): void {
    this.ranges.push(range);
    this.forgetOldest();
  }

  has(id: number): boolean {
    return this.indexOf(id) !== -1;
  }

  close(id: number): void {
    const index = this.indexOf(id);
    const range = this.ranges[index];
    if (range === undefined) return;
    const left = { first: range.first, last: id - 1 };
    const right = { first: id + 1, last: range.last };
    this.ranges.splice(index, 1, ...[left, right].filter(({ first, last }) => first <= last));
    this.forgetOldest();
  }

  list(): readonly Missing[] {
    return this.ranges;
  }

  private indexOf(id: number): number {
    return id > (this.ranges.at(-1)?.last ?? -1)
      ? -1
      : this.ranges.findIndex(({ first, last }) => first <= id && id <= last);
  }

  private forgetOldest(): void {
    if (this.ranges.length > DECLARED_GAPS_MAX) this.ranges.splice(0, this.ranges.length - DECLARED_GAPS_MAX);
  }
}
