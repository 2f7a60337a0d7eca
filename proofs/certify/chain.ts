import type { StatedRange, Statement } from './statement.ts';

/** A certificate as it was read. */
export interface Certificate {
  /** Of the file, for people. */
  readonly name: string;
  readonly statement: Statement;
  /** SHA-256 (hex) of the statement. */
  readonly digest: string;
}

/** A stretch of a partition's tape; `to` is not included. */
export interface Span {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

interface CertifiedSpan {
  readonly certificate: Certificate;
  readonly range: StatedRange;
}

/**
 * Whether certificates, in their order, continue each other: each partition's range begins at the anchor and in the state
 * in which the one before ended. Certificates of several builds may take turns in one partition.
 *
 * @returns the faults, one sentence each.
 */
export function chainFaults(certificates: readonly Certificate[]): string[] {
  const [first] = certificates;
  const foreign = certificates.find(
    ({ statement }) => statement.predicate.tapeId !== first?.statement.predicate.tapeId,
  );
  if (first !== undefined && foreign !== undefined) {
    const [tapeId, other] = [first.statement.predicate.tapeId, foreign.statement.predicate.tapeId];
    return [`${first.name} is of the tape ${tapeId}, and ${foreign.name} of ${other}.`];
  }
  const spans = certificates.flatMap((certificate) =>
    certificate.statement.predicate.ranges.map((range): CertifiedSpan => ({ certificate, range })),
  );
  return [...Map.groupBy(spans, ({ range }) => range.partition)].flatMap(([partition, own]) => [
    ...orderFaults(own, partition),
    ...seamFaults(own, partition, certificates),
  ]);
}

/** A later certificate must not end before an earlier one. */
function orderFaults(spans: readonly CertifiedSpan[], partition: number): string[] {
  const ends = [...Map.groupBy(spans, ({ certificate }) => certificate)].map(([certificate, own]) => ({
    name: certificate.name,
    end: Math.max(...own.map(({ range }) => range.tape.to)),
  }));
  return ends.slice(1).flatMap(({ name, end }, index) => {
    const before = ends[index];
    if (before === undefined || end >= before.end) return [];
    return [
      `${name} does not continue ${before.name} in partition ${partition}: it ends at tape offset ${end}, and the one before at ${before.end}.`,
    ];
  });
}

function seamFaults(
  spans: readonly CertifiedSpan[],
  partition: number,
  certificates: readonly Certificate[],
): string[] {
  const inOrder = spans.toSorted((one, other) => one.range.tape.from - other.range.tape.from);
  return inOrder.flatMap(({ certificate, range }, index) => {
    const before = inOrder[index - 1];
    if (before === undefined) {
      const earlier = certificates[certificates.indexOf(certificate) - 1];
      if (earlier === undefined || range.start.kind === 'BEGINNING') return [];
      return [`${earlier.name} has no range of partition ${partition}, which ${certificate.name} continues.`];
    }
    // What lies between two ranges of one certificate, it lists as not derived.
    if (before.certificate === certificate) return [];
    const fault = seamFault(before.range, range, before.certificate.digest);
    const { name } = certificate;
    if (fault === undefined) return [];
    return [`${name} does not continue ${before.certificate.name} in partition ${partition}: ${fault}.`];
  });
}

/** The parts of spans that no other span covers, in order. */
export function uncovered(spans: readonly Span[], by: readonly Span[]): Span[] {
  return spans.flatMap(({ partition, from, to }) => {
    const left: Span[] = [];
    let next = from;
    for (const cover of by.filter((each) => each.partition === partition).toSorted((a, b) => a.from - b.from)) {
      if (cover.from > next && next < to) left.push({ partition, from: next, to: Math.min(cover.from, to) });
      next = Math.max(next, cover.to);
    }
    if (next < to) left.push({ partition, from: next, to });
    return left;
  });
}

/** What certificates list as not derived, and none of them derives. */
export function notDerivedByAny(statements: readonly Statement[]): Span[] {
  return uncovered(
    statements.flatMap(({ predicate }) => predicate.notDerived),
    statements.flatMap(({ predicate }) => predicate.ranges.map(spanOf)),
  );
}

export function spanOf({ partition, tape: { from, to } }: Pick<StatedRange, 'partition' | 'tape'>): Span {
  return { partition, from, to };
}

function seamFault(last: StatedRange, { start, tape, outputs }: StatedRange, digest: string): string | undefined {
  if (tape.from !== last.tape.to)
    return `it begins at tape offset ${tape.from}, and the one before ends at ${last.tape.to}`;
  if (start.kind !== 'ANCHOR') return 'it begins at the beginning of the tape';
  if (last.end.stateHash === null) {
    return `the one before does not end at an anchor: end it with --to anchor`;
  }
  if (start.stateHash !== last.end.stateHash || start.anchorHash !== last.end.anchorHash) {
    return 'it begins in another state than the one before ends in';
  }
  if (start.derivedBy !== null && start.derivedBy !== digest) return 'it names another certificate as its start';
  for (const { topic, sequences, log } of outputs) {
    const former = last.outputs.find((output) => output.topic === topic);
    if (former === undefined) return `the one before does not state ${topic}`;
    if (former.sequences.to !== sequences.from) {
      return `${topic} goes on with sequence ${sequences.from}, and the one before ends at ${former.sequences.to}`;
    }
    if (log.from > former.log.to) return `records of ${topic} from log offset ${former.log.to} on are in neither`;
  }
  return undefined;
}
