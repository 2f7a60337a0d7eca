import { describe, expect, it } from 'vitest';
import { certifyText, type CertifyReport } from './certify-text.ts';
import type { DifferenceKind } from './difference.ts';
import type { PartitionResult } from './partition.ts';
import { repairOf } from './repair.ts';

const resultOf = (kind: DifferenceKind | undefined): PartitionResult => ({
  ...{ partition: 0, ranges: [], notDerived: [], notWrittenFrom: undefined, isInterrupted: false },
  difference:
    kind === undefined
      ? undefined
      : {
          ...{
            kind,
            topic: 'probability.decisions',
            partition: 0,
            logOffset: 7,
            sequence: 7,
            eventId: 'decision-0-7-0',
          },
          ...{ tapeOffset: 7, detail: 'it differs', fields: [] },
        },
});
const reportOf = (kind: DifferenceKind | undefined, isAsked: boolean): CertifyReport => ({
  ...{ verdict: kind === undefined ? 'DERIVED' : 'DIFFERENT', results: [resultOf(kind)], statement: undefined },
  ...{
    otherVersions: [],
    notDerived: [],
    out: undefined,
    isSigned: false,
    durationMs: 1,
    repair: isAsked ? repairOf([resultOf(kind)]) : undefined,
  },
});

describe('what to do about a difference', () => {
  it('is said where it is asked for, evidence and tape first', () => {
    const text = certifyText(reportOf('FORGED', true));
    expect(text.indexOf('Keep a copy')).toBeLessThan(text.indexOf('checkpoints verify'));
    expect(text.indexOf('checkpoints verify')).toBeLessThan(text.indexOf('topics recreate --derived'));
    expect(certifyText(reportOf('FORGED', false))).toContain('Add --repair to see what to do.');
  });

  it('does not derive anew what a faulty build would derive again', () => {
    expect(repairOf([resultOf('LOOKAHEAD')]).join()).toContain('do not derive anew with that build');
    expect(repairOf([resultOf('FORGED')]).join()).not.toContain('that build');
  });

  it('has the engine of each version derive its part again', () => {
    const missing = { partition: 0, from: 0, to: 7, engineVersion: '4', gitCommit: 'beef', reason: 'why' };
    const text = repairOf([{ ...resultOf('MISSING'), notDerived: [missing] }]).join();
    expect(text).toContain('start the engine of each from its commit, in that order');
    expect(repairOf([resultOf('MISSING')]).join()).not.toContain('Other engine versions');
  });

  it('is said also where only the build of another version found the difference', () => {
    const { difference } = resultOf('CHANGED');
    const run = {
      partition: 0,
      from: 0,
      to: 7,
      gitCommit: 'beef',
      outcome: 'DIFFERENT',
      difference: difference!,
    } as const;
    expect(repairOf([resultOf(undefined)], [run]).length).toBeGreaterThan(3);
  });

  it('is nothing where nothing differs', () => {
    expect(certifyText(reportOf(undefined, true))).toContain('There is nothing to repair.');
    expect(certifyText(reportOf(undefined, false))).not.toContain('repair');
  });
});
