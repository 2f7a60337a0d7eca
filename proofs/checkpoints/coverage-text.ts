import { counted } from '../../platform/counted.ts';
import { durationText } from '../duration-text.ts';
import type { CoverageFigures } from './coverage.ts';

const MS_PER_S = 1_000;

/** What the figures are of, and what they rest on. */
export interface CoverageReport extends CoverageFigures {
  readonly minHorizonMs: number;
  /** Whether the checkpoints were held to keys of the log and of the witnesses. */
  readonly isVerified: { readonly log: boolean; readonly witnesses: boolean };
}

export function coverageText(report: CoverageReport): string {
  const { decisions, covered, notCovered, pending, share, delay, beforeTrees, minHorizonMs, isVerified } = report;
  return [
    `${counted(decisions, 'LONG or SHORT decision')} with a horizon of at least ${durationText(minHorizonMs)}:`,
    `  cosigned before the outcome was known  ${covered.toLocaleString('en')}${share === null ? '' : ` (${percentOf(share)} of those that are not pending)`}`,
    `  not before                             ${notCovered.toLocaleString('en')}`,
    `  pending: no cosignature, no outcome    ${pending.toLocaleString('en')}`,
    delay === null
      ? '  from sending to cosignature            no decision is cosigned'
      : `  from sending to cosignature            median ${durationText(delay.medianSeconds * MS_PER_S)}, at most ${durationText(delay.maxSeconds * MS_PER_S)}`,
    ...(beforeTrees === 0 ? [] : [`Not counted: ${counted(beforeTrees, 'decision')} from before the log had a tree.`]),
    '"Before" is by the end of the second that the first witness named, by its clock: before the engine sent the outcome, by its',
    'clock, and, where a decision was sent before it fell due, before the due time, by market time.',
    ...(isVerified.log && isVerified.witnesses
      ? []
      : [
          `Not verified: the signatures of ${[...(isVerified.log ? [] : ['the log (--log-key)']), ...(isVerified.witnesses ? [] : ['the witnesses (--witness-key)'])].join(' and ')}. The figures take engine.checkpoints at its word.`,
        ]),
  ].join('\n');
}

/** Never rounded up to 100 %. */
function percentOf(share: number): string {
  return `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
}
