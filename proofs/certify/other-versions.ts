import { uncovered, spanOf, type Certificate, type Span } from './chain.ts';
import type { Difference } from './difference.ts';
import type { CertifiedRange, NotDerivedRange, PartitionResult } from './partition.ts';

/** A range that another build has to derive. */
export interface OtherRange extends Span {
  /** As its activation names it. */
  readonly gitCommit: string;
  /** True where the range begins at the anchor that was handed over there; else at the beginning of the tape. */
  readonly isFromAnchor: boolean;
  /** True where an anchor is at its end, from which the next build goes on. */
  readonly isToAnchor: boolean;
}

/** What became of a range that another build had to derive. */
export interface OtherRun extends Span {
  readonly gitCommit: string;
  /** DERIVED: equal to the log. NOT DERIVED: `reason` says why. */
  readonly outcome: 'DERIVED' | 'DIFFERENT' | 'NOT DERIVED';
  /** For people. */
  readonly reason?: string;
  /** SHA-256 (hex) of its statement. */
  readonly statement?: string;
  /** The file that its certificate was written to. */
  readonly out?: string;
  readonly difference?: Difference;
}

/** The ranges of a certification that other builds have to derive. */
export function otherRangesOf({ ranges, notDerived }: PartitionResult): OtherRange[] {
  return notDerived.map(({ partition, from, to, gitCommit }) => ({
    ...{ partition, from, to, gitCommit },
    isFromAnchor: ranges.some(({ tape, end }) => tape.to === from && end.anchorHash !== null),
    isToAnchor: ranges.some(({ tape }) => tape.from === to),
  }));
}

/** The ranges that a build of another version left to a third one. */
export function leftBy({ statement }: Certificate, { isToAnchor, to: wantedTo }: OtherRange): OtherRange[] {
  const { ranges, notDerived } = statement.predicate;
  return notDerived
    .filter(({ from }) => from < wantedTo)
    .map(({ partition, from, to, gitCommit }) => ({
      ...{ partition, from, to: Math.min(to, wantedTo), gitCommit },
      isFromAnchor: ranges.some(({ tape, end }) => tape.to === from && end.anchorHash !== null),
      isToAnchor: ranges.some(({ tape }) => tape.from === to) || (isToAnchor && to >= wantedTo),
    }));
}

/**
 * Why a certificate is not one of the range that was asked for; undefined where it is.
 *
 * @param tapeId - of this build's own ranges; undefined where it has none.
 */
export function misfit(
  { statement }: Certificate,
  { partition, from, to, isFromAnchor, gitCommit }: OtherRange,
  tapeId: string | undefined,
): string | undefined {
  const { predicate } = statement;
  const ranges = predicate.ranges.map(spanOf);
  const [first] = predicate.ranges;
  if (tapeId !== undefined && predicate.tapeId !== tapeId) return `it is of the tape ${predicate.tapeId}`;
  if (predicate.build.gitCommit !== gitCommit) return `it was made by commit ${predicate.build.gitCommit}`;
  if (first === undefined || ranges.some((range) => range.partition !== partition)) return 'it is of another partition';
  if (isFromAnchor !== (first.start.kind === 'ANCHOR')) return 'it begins elsewhere';
  const missing = uncovered([{ partition, from, to }], [...ranges, ...predicate.notDerived]);
  return missing.length === 0 ? undefined : `it leaves out tape offset ${missing[0]?.from ?? from}`;
}

/**
 * The results with the start of each range named by the certificate that derived it, where one ends in exactly that
 * state.
 */
export function withDerivedStarts(
  results: readonly PartitionResult[],
  certificates: readonly Certificate[],
): PartitionResult[] {
  return results.map((result) => ({ ...result, ranges: result.ranges.map((range) => withStart(range, certificates)) }));
}

function withStart(range: CertifiedRange, certificates: readonly Certificate[]): CertifiedRange {
  const { start, partition } = range;
  if (start.kind === 'BEGINNING' || start.derivedBy !== null) return range;
  const before = certificates.find(({ statement }) =>
    statement.predicate.ranges.some(
      ({ partition: other, tape, end }) =>
        other === partition &&
        tape.to === start.offset &&
        end.anchorHash === start.anchorHash &&
        end.stateHash === start.stateHash,
    ),
  );
  return before === undefined ? range : { ...range, start: { ...start, derivedBy: before.digest } };
}

/**
 * What no build derived. A range counts only where the one after it begins in the state in which it ended: else two
 * builds would have derived different logs.
 *
 * @param results - with derived starts.
 */
export function stillNotDerived(
  results: readonly PartitionResult[],
  certificates: readonly Certificate[],
): NotDerivedRange[] {
  const covered = certificates.flatMap(({ statement }) => statement.predicate.ranges.map(spanOf));
  const own = results.flatMap(({ ranges }) => ranges.map(spanOf));
  return results.flatMap(({ notDerived, ranges }) =>
    notDerived.flatMap((range) => {
      const next = ranges.find(({ tape }) => tape.from === range.to);
      const isChained = next === undefined || (next.start.kind === 'ANCHOR' && next.start.derivedBy !== null);
      if (!isChained) return [range];
      return uncovered([range], [...covered, ...own]).map(({ from, to }) => ({ ...range, from, to }));
    }),
  );
}
