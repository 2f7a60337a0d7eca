import type { OtherRun } from './other-versions.ts';
import type { PartitionResult } from './partition.ts';

/**
 * What an operator does about the differences that were found, in order; empty where there are none. Nothing is
 * repaired by itself: the log as it is may be evidence.
 */
export function repairOf(results: readonly PartitionResult[], others: readonly OtherRun[] = []): readonly string[] {
  const kinds = new Set([...results, ...others].flatMap(({ difference }) => difference?.kind ?? []));
  if (kinds.size === 0) return [];
  return [
    'Keep a copy of the log as it is, engine.checkpoints included: it shows what was changed.',
    'Find out whether the tape is what was signed: run "npx tapeproof checkpoints verify --log-key KEY". If it is not, derive nothing anew: bring the tape back from a copy first.',
    'Find out who could write to these topics: docs/security.md names the one writer of each.',
    ...(kinds.has('LOOKAHEAD')
      ? [
          'An event rests on something later than itself: that is a fault in the build that derived it. Report it, and do not derive anew with that build.',
        ]
      : []),
    'If the tape is sound, everything else follows from it: stop the engines, run "npx tapeproof topics recreate --derived" and start them again; then run "npx tapeproof projector rebuild NAME" for each projector, and "npx tapeproof certify" again.',
  ];
}
