import type { StatedRange, Statement } from './statement.ts';

/** A certificate as it was read. */
export interface Certificate {
  /** Of the file, for people. */
  readonly name: string;
  readonly statement: Statement;
  /** SHA-256 (hex) of the statement. */
  readonly digest: string;
}

/**
 * Whether certificates, in their order, continue each other: each partition's range begins at the anchor and in the state
 * in which the one before ended.
 *
 * @returns the faults, one sentence each.
 */
export function chainFaults(certificates: readonly Certificate[]): string[] {
  return certificates.slice(1).flatMap((next, index) => {
    const before = certificates[index];
    return before === undefined ? [] : linkFaults(before, next);
  });
}

function linkFaults(before: Certificate, next: Certificate): string[] {
  const [tapeId, nextTapeId] = [before.statement.predicate.tapeId, next.statement.predicate.tapeId];
  if (tapeId !== nextTapeId) return [`${before.name} is of the tape ${tapeId}, and ${next.name} of ${nextTapeId}.`];
  const { ranges } = next.statement.predicate;
  return [...new Set(ranges.map(({ partition }) => partition))].flatMap((partition) => {
    const last = before.statement.predicate.ranges.findLast((range) => range.partition === partition);
    const first = ranges.find((range) => range.partition === partition);
    const where = `partition ${partition}`;
    if (first === undefined) return [];
    if (last === undefined) return [`${before.name} has no range of ${where}, which ${next.name} continues.`];
    const fault = seamFault(last, first, before.digest);
    return fault === undefined ? [] : [`${next.name} does not continue ${before.name} in ${where}: ${fault}.`];
  });
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
