/** A row being sorted: among rows of the same time it keeps its place in the file. */
export interface Sortable {
  readonly eventTimeUs: number;
  /** Number of the row among those that are sorted: no two have the same. */
  readonly ordinal: number;
}

/** By event time, then file order: a total order, so that every way of sorting gives the same result. */
export function byTime(left: Sortable, right: Sortable): number {
  return left.eventTimeUs - right.eventTimeUs || left.ordinal - right.ordinal;
}

/**
 * A sorted run of rows: `next` returns one row after another, undefined at the end; a promise only when it must read.
 */
export interface Run<Row extends Sortable> {
  next(): Row | undefined | Promise<Row | undefined>;
}

interface Head<Row extends Sortable> {
  readonly row: Row;
  readonly run: Run<Row>;
}

/** The most rows passed on together. */
const GROUP_ROWS = 1_000;

/** Merges sorted runs into one, in groups, with memory for one group and for each run's own buffer. */
export async function* merged<Row extends Sortable>(runs: readonly Run<Row>[]): AsyncGenerator<readonly Row[]> {
  const heap: Head<Row>[] = [];
  for (const run of runs) {
    const row = await run.next();
    if (row !== undefined) heap.push({ row, run });
  }
  heap.sort((left, right) => byTime(left.row, right.row));
  let group: Row[] = [];
  for (let head = heap[0]; head !== undefined; head = heap[0]) {
    group.push(head.row);
    if (group.length >= GROUP_ROWS) {
      yield group;
      group = [];
    }
    const next = head.run.next();
    const row = next instanceof Promise ? await next : next;
    if (row !== undefined) heap[0] = { row, run: head.run };
    else {
      const last = heap.pop();
      if (last !== undefined && heap.length > 0) heap[0] = last;
    }
    sink(heap);
  }
  if (group.length > 0) yield group;
}

/** Puts the first of a heap where it belongs. */
function sink<Row extends Sortable>(heap: Head<Row>[]): void {
  let at = 0;
  while (true) {
    let least = at;
    for (const child of [2 * at + 1, 2 * at + 2]) {
      if (isBefore(heap[child], heap[least])) least = child;
    }
    const [parent, smaller] = [heap[at], heap[least]];
    if (least === at || parent === undefined || smaller === undefined) return;
    heap[at] = smaller;
    heap[least] = parent;
    at = least;
  }
}

function isBefore<Row extends Sortable>(left: Head<Row> | undefined, right: Head<Row> | undefined): boolean {
  return left !== undefined && right !== undefined && byTime(left.row, right.row) < 0;
}
