import { describe, expect, it } from 'vitest';
import { fixtureAudit } from '../../../../tests/dashboard/fixture-audit.ts';
import { isWitnessedBefore, momentsOf, summaryOf } from './audit-view.ts';

const audit = fixtureAudit('decision-3-18540-0', false);

describe('an audit in words', () => {
  it('says in one sentence what was forecast and what happened', () => {
    expect(summaryOf(audit)).toBe(
      'LONG at 801.03, 64.2\u202f% probable within 300 s: HIT, the price moved +298.0 bp to 824.9.',
    );
    expect(summaryOf({ ...audit, outcome: null })).toContain('its outcome is not known yet');
    const outcome = { ...audit.outcome!, verdict: 'VOID' as const, observedPrice: null, moveBps: null };
    expect(summaryOf({ ...audit, outcome })).toContain('VOID, because no trade came in time');
    const decision = { ...audit.decision!, direction: 'NEUTRAL' as const };
    expect(summaryOf({ ...audit, decision })).toContain('a NEUTRAL forecast has no outcome');
    expect(summaryOf({ ...audit, decision: null, results: [] })).toContain('no forecast was asked for');
  });

  it('has the moments in order, each with its clock', () => {
    const moments = momentsOf(audit);
    expect(moments.map(({ timeMs }) => timeMs)).toEqual(moments.map(({ timeMs }) => timeMs).toSorted((a, b) => a - b));
    expect(moments.filter(({ isMarket }) => isMarket).map(({ what }) => what)).toEqual([
      'The last trade that it rests on',
      'Its horizon was over',
      'The trade that resolved it: HIT',
    ]);
    expect(
      moments.filter(({ isIndependent, isMarket }) => isIndependent && !isMarket).map(({ clock }) => clock),
    ).toEqual(['the clock of witness.example', 'the clock of second.example']);
  });

  it('leaves out what is not known', () => {
    const provenance = { ...audit.provenance, checkpointed: null, received: null };
    const pending = { ...audit, outcome: null, pendingUntilUs: audit.outcome!.dueUs, provenance };
    expect(momentsOf(pending).map(({ what }) => what)).toEqual([
      'The last trade that it rests on',
      'Its horizon was over',
      'The forecast was derived',
    ]);
    expect(isWitnessedBefore(pending)).toBeUndefined();
    expect(isWitnessedBefore(audit)).toBe(true);
  });
});
