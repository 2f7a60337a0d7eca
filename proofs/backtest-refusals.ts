/** A row of a file. */
export interface FileLine {
  readonly path: string;
  readonly line: number;
}

/** Refusals for one reason: their number, and the first places. */
export interface RefusalKind {
  readonly reason: string;
  readonly count: number;
  readonly first: readonly (FileLine & { readonly detail: string })[];
}

/** Number of places kept for each reason. */
const FIRST_MAX = 3;

/** Counts refusals by reason, and keeps the first places of each. */
export class Refusals {
  private readonly kinds = new Map<string, { count: number; readonly first: RefusalKind['first'][number][] }>();

  add(reason: string, { path, line }: FileLine, detail: string): void {
    let kind = this.kinds.get(reason);
    if (kind === undefined) {
      kind = { count: 0, first: [] };
      this.kinds.set(reason, kind);
    }
    kind.count += 1;
    if (kind.first.length < FIRST_MAX) kind.first.push({ path, line, detail });
  }

  /** By reason, in alphabetical order. */
  list(): readonly RefusalKind[] {
    return [...this.kinds]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([reason, { count, first }]) => ({ reason, count, first: [...first] }));
  }
}
