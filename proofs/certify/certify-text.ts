import { counted } from '../../platform/counted.ts';
import { differenceText } from './difference.ts';
import type { OtherRun } from './other-versions.ts';
import type { CertifiedRange, NotDerivedRange, PartitionResult, Start } from './partition.ts';
import type { Statement } from './statement.ts';

/** Beginning of a hash, for people. */
const HASH_DIGITS = 12;

/** What of a certification is printed. */
export interface CertifyReport {
  readonly verdict: 'DERIVED' | 'PARTLY DERIVED' | 'NOT DERIVED' | 'DIFFERENT' | 'INTERRUPTED';
  readonly results: readonly PartitionResult[];
  /** What the builds of other engine versions derived; empty where they were not run. */
  readonly otherVersions: readonly OtherRun[];
  /** What no build derived. */
  readonly notDerived: readonly NotDerivedRange[];
  /** SHA-256 (hex) of the statement; undefined where there is none. */
  readonly statement: string | undefined;
  /** The file that it was written to. */
  readonly out: string | undefined;
  readonly isSigned: boolean;
  readonly durationMs: number;
  /** What to do about differences; undefined where it was not asked for. */
  readonly repair: readonly string[] | undefined;
}

/** A certification for people. */
export function certifyText(report: CertifyReport): string {
  const { verdict, results, durationMs } = report;
  const records = results.flatMap(({ ranges }) => ranges).reduce((sum, { tape }) => sum + tape.records, 0);
  return [
    ...results.flatMap(partitionLines),
    ...report.otherVersions.flatMap(otherLines),
    ...report.notDerived.flatMap(notDerivedLines),
    '',
    `${verdict}: ${verdictText(report)}`,
    `${counted(records, 'tape record')} in ${(durationMs / 1_000).toFixed(1)} s.`,
    ...certificateLines(report),
    ...repairLines(report),
  ].join('\n');
}

function repairLines({ verdict, repair }: CertifyReport): string[] {
  if (repair !== undefined && repair.length > 0) {
    return ['', 'What to do:', ...repair.map((step, index) => `  ${index + 1}. ${step}`)];
  }
  if (repair !== undefined) return ['', 'There is nothing to repair.'];
  return verdict === 'DIFFERENT' ? ['Add --repair to see what to do.'] : [];
}

function partitionLines({ partition, ranges, difference, notWrittenFrom, isInterrupted }: PartitionResult) {
  return [
    ...ranges.flatMap((range) => rangeLines(range, difference === undefined && !isInterrupted)),
    ...(difference === undefined
      ? []
      : [`partition ${partition}: the first difference:`, ...differenceText(difference)]),
    ...(notWrittenFrom === undefined
      ? []
      : [
          `partition ${partition}: the engine has not written the events of tape offset ${notWrittenFrom} and later yet: not in the certificate`,
        ]),
    ...(isInterrupted ? [`partition ${partition}: interrupted, equal so far`] : []),
  ];
}

function rangeLines({ partition, tape, start, outputs, anchors, causesBeforeRange }: CertifiedRange, isEqual: boolean) {
  const events = outputs.reduce((sum, output) => sum + output.events, 0);
  const duplicates = outputs.reduce((sum, output) => sum + output.duplicates, 0);
  return [
    `partition ${partition}: tape offsets ${tape.from} to ${tape.to}, ${counted(tape.records, 'record')}: ${counted(events, 'event')} and ${counted(anchors, 'anchor')} ${isEqual ? 'equal' : 'compared, equal up to the difference or interruption'}${duplicates === 0 ? '' : `, ${counted(duplicates, 'repetition')} set aside`}`,
    `  derived from ${startText(start)}`,
    ...(causesBeforeRange === 0
      ? []
      : [
          `  ${counted(causesBeforeRange, 'cause')} named lie before the range: they precede their events; that they exist is not checked here`,
        ]),
  ];
}

/** What a derivation started from, in words. */
export function startText(start: Start): string {
  if (start.kind === 'BEGINNING') return 'the beginning of the tape';
  const at = `the state of the anchor at ${start.offset}`;
  return start.derivedBy === null
    ? `${at}: not derived by this run`
    : `${at}, which was derived again by certificate ${start.derivedBy.slice(0, HASH_DIGITS)}`;
}

/** What the build of another engine version found. */
function otherLines({ partition, from, to, gitCommit, outcome, reason, statement, out, difference }: OtherRun) {
  const place = `partition ${partition}: tape offsets ${from} to ${to}, by the build of commit ${gitCommit.slice(0, HASH_DIGITS)}`;
  if (difference !== undefined) return [`${place}: the first difference:`, ...differenceText(difference)];
  if (outcome === 'NOT DERIVED') return [`${place}: NOT DERIVED: ${reason ?? 'it does not say why'}`];
  const where = out === undefined ? 'which was not kept: name a file with --out' : `in ${out}`;
  return [`${place}: derived again and equal: certificate ${statement?.slice(0, HASH_DIGITS) ?? ''}, ${where}`];
}

/** A range that was not derived, and how it can be. */
function notDerivedLines({ partition, from, to, gitCommit, reason }: NotDerivedRange): string[] {
  const commit = /^[0-9a-f]{7,40}/.exec(gitCommit)?.[0];
  const folder = `../tapeproof-${commit?.slice(0, HASH_DIGITS) ?? ''}`;
  return [
    `partition ${partition}: NOT DERIVED: tape offsets ${from} to ${to}: ${reason}`,
    ...(commit === undefined
      ? ['  its activation names no commit: only the build that wrote it can derive it again']
      : [
          '  "npx tapeproof certify --other-versions run" does this in a git worktree that it removes again:',
          `  $ git worktree add ${folder} ${commit} && cd ${folder} && npm ci`,
          `  $ npx tapeproof certify ${['--partition', partition, '--from', from, '--to', to].join(' ')}`,
          '  (a commit without this command derives single events again: npx tapeproof audit ID --verify)',
        ]),
  ];
}

function verdictText({ verdict, results, otherVersions }: CertifyReport): string {
  const differing = [...results, ...otherVersions].filter(({ difference }) => difference !== undefined);
  switch (verdict) {
    case 'DERIVED':
      return otherVersions.length === 0
        ? 'the log holds what this build derives from the tape, byte for byte.'
        : 'the log holds what this build, and the builds of other engine versions, derive from the tape, byte for byte.';
    case 'PARTLY DERIVED':
      return 'what was derived is equal; the ranges above that are NOT DERIVED were not compared.';
    case 'NOT DERIVED':
      return 'nothing was derived, so nothing was compared; there is no certificate.';
    case 'DIFFERENT':
      return `the log is not what this build derives from the tape, in ${counted(new Set(differing.map(({ partition }) => partition)).size, 'partition')}.`;
    case 'INTERRUPTED':
      return 'only a part was compared; there is no certificate.';
  }
}

function certificateLines({ statement, out, isSigned, otherVersions }: CertifyReport): string[] {
  if (statement === undefined) return [];
  if (out === undefined) return ['No certificate was written: name a file with --out.'];
  const signature = isSigned ? 'signed' : 'NOT signed: name a key with --key';
  const files = otherVersions.flatMap((run) => run.out ?? []);
  return [
    `Certificate ${statement.slice(0, HASH_DIGITS)} in ${out}, ${signature}.`,
    ...(files.length === 0
      ? []
      : [`Keep the others with it: together "npx tapeproof verify ${[...files, out].join(' ')}" passes.`]),
  ];
}

/** A statement's ranges for people, one line each. */
export function statementText({ predicate: { ranges, notDerived } }: Statement): string[] {
  return [...ranges.flatMap((range) => rangeLines(range, true)), ...notDerived.flatMap(notDerivedLines)].map(
    (line) => `  ${line}`,
  );
}
