import { describe, expect, it } from 'vitest';
import type { HeldOutput } from '../../projectors/main.ts';
import type { SignedState } from '../../proofs/checkpoints/signed-state.adapter.ts';
import {
  checkpointsAttention,
  checkpointsText,
  oracleAttention,
  oracleText,
  rootsAttention,
  rootsText,
} from './proof-state.ts';

const NOW_MS = 1_764_150_000_000;
const LATE_MS = 300_000;

function signed(changed: Partial<SignedState> = {}): SignedState {
  return {
    ...{ topic: 'decision.outcomes', partition: 3, size: 1_200, signedAt: (NOW_MS - 42_000) * 1_000 },
    ...{ witnesses: ['w1.example'], unsignedSinceMs: null, uncosignedSinceMs: null },
    ...changed,
  };
}

function held(changed: Partial<HeldOutput> = {}): HeldOutput {
  const counts = { heldTo: 900, agreeing: 7, differing: 0, awaited: 0, difference: null };
  return { topic: 'probability.decisions', partition: 2, ...counts, ...changed };
}

describe('checkpoints', () => {
  it('are said to be none, which needs nobody', () => {
    expect(checkpointsText([], NOW_MS)).toEqual([
      'none: nobody signs the heads of the logs; "npx tapeproof checkpoints run --key FILE" does',
    ]);
    expect(checkpointsAttention([], NOW_MS)).toEqual([]);
  });

  it('are shown with age, size and witnesses', () => {
    const other = signed({ partition: 4, signedAt: (NOW_MS - 7_000) * 1_000, witnesses: [] });
    expect(checkpointsText([signed(), other], NOW_MS)).toEqual([
      '2 logs of 2,400 records signed, the last 7 seconds ago',
      '1 of them cosigned, by w1.example',
    ]);
    expect(checkpointsText([other], NOW_MS)[1]).toBe('cosigned by nobody: without a witness they prove no time');
    expect(checkpointsAttention([signed(), other], NOW_MS)).toEqual([]);
  });

  it('are late only beyond the bound', () => {
    const at = (sinceMs: number) => [signed({ unsignedSinceMs: NOW_MS - sinceMs })];
    expect(checkpointsAttention(at(LATE_MS), NOW_MS)).toEqual([]);
    const late = at(LATE_MS + 1_000);
    expect(checkpointsAttention(late, NOW_MS)).toEqual([
      'Checkpoints are late, more than 300 s, for 1 log (decision.outcomes-3: a record has been unsigned for 301 seconds): is "npx tapeproof checkpoints run" running? Look at its /ready and its log.',
    ]);
    expect(checkpointsText(late, NOW_MS).at(-1)).toMatch(/^decision\.outcomes-3: LATE, /);
  });

  it('are late where a witness cosigns no more', () => {
    const silent = [signed({ uncosignedSinceMs: NOW_MS - LATE_MS - 60_000 })];
    expect(checkpointsAttention(silent, NOW_MS)[0]).toContain('w1.example has not cosigned for 360 seconds');
  });
});

describe('the oracle', () => {
  it('is said to have checked nothing', () => {
    const nothing = { agrees: 0, diverges: 0, notChecked: 0, untilUs: null };
    expect(oracleText(nothing)).toMatch(/^no snapshot was checked: "npx tapeproof projector run oracle-check"/);
    expect(oracleAttention(nothing)).toEqual([]);
  });

  it('is shown, and needs an operator where a snapshot diverges', () => {
    const state = { agrees: 1_500, diverges: 0, notChecked: 3, untilUs: NOW_MS * 1_000 };
    expect(oracleText(state)).toMatch(
      /^1,500 snapshots recomputed and equal, none diverges, 3 not checked, until 2025-/,
    );
    expect(oracleAttention(state)).toEqual([]);
    expect(oracleText({ ...state, diverges: 2 })).toContain('2 DIVERGE');
    expect(oracleAttention({ ...state, diverges: 2 })[0]).toContain('the trades do not confirm 2 published snapshots');
  });
});

describe('roots', () => {
  it('need an operator where stored events differ from them, or do not exist', () => {
    expect(rootsText([])).toBe('none');
    expect(rootsText([held(), held({ partition: 3 })])).toBe('14 agree');
    expect(rootsAttention({ 'postgres-history': [held()] })).toEqual([]);
    const differing = held({ differing: 2, awaited: 1, difference: 'sequence 4 is not stored' });
    expect(rootsText([held(), differing])).toBe('14 agree, 3 DO NOT');
    const [line = ''] = rootsAttention({ 'postgres-history': [held(), differing] });
    expect(line).toMatch(/^postgres-history: .*probability\.decisions-2 .* 3 anchors .*sequence 4 is not stored/);
    expect(line).toContain('run "npx tapeproof certify --repair"');
  });
});
