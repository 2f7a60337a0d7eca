import type { OtherRun } from './other-versions.ts';
import type { PartitionResult } from './partition.ts';

/**
 * What an operator does about the differences that were found, in order; empty where there are none. Nothing is
 * repaired by itself: the log as it is may be evidence. Whatever the kind, the derived logs follow from the tape; a
 * changed tape is never shown by the derived logs alone, because what is derived from it anew certifies.
 *
 * @param others - what the builds of other engine versions found.
 */
export function repairOf(results: readonly PartitionResult[], others: readonly OtherRun[] = []): readonly string[] {
  const kinds = new Set([...results, ...others].flatMap(({ difference }) => difference?.kind ?? []));
  if (kinds.size === 0) return [];
  const hasOtherVersions = results.some(({ notDerived }) => notDerived.length > 0);
  return [
    'Keep a copy of the log as it is, engine.checkpoints included: it shows what was changed.',
    'Find out whether the tape is what was signed: run "npx tapeproof checkpoints verify --log-key KEY"; where nothing was signed, compare raw.trades with a copy of your own. If the tape was changed, derive nothing anew: bring it back from a copy first, because what is derived from a changed tape passes too.',
    'Find out who could write to these topics: docs/security.md names the one writer of each.',
    ...(kinds.has('LOOKAHEAD')
      ? [
          'An event rests on something later than itself: that is a fault in the build that derived it. Report it, and do not derive anew with that build.',
        ]
      : []),
    'If the tape is sound, everything else follows from it: stop the engines, run "npx tapeproof topics recreate --derived" and start them again.',
    ...(hasOtherVersions
      ? [
          'Other engine versions were in force before ("npx tapeproof report activations" names their commits): start the engine of each from its commit, in that order, and the next one when it says that another version is in force.',
        ]
      : []),
    'When the engines have come to the end of the tape, run "npx tapeproof projector rebuild NAME" for each projector, and "npx tapeproof certify" again.',
    'A head that was signed over the changed log stays on record: "npx tapeproof checkpoints verify --log-key KEY" goes on naming it.',
  ];
}
