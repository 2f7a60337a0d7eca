import { describe, expect, it } from 'vitest';
import type { InstrumentState } from '../../contract/instruments.ts';
import { afterEvent, freshnessOf, fromAnswer, type LiveInstrument } from './live-instruments.ts';

const state = (instrument: string, price: string | null, priceTimeUs: number | null): InstrumentState => ({
  ...{ instrument, displayName: instrument, price, priceTimeUs, clockUs: null, ageMs: 500, staleAfterMs: 60_000 },
  ...{ isStale: false, decision: null, lastVerdict: null },
});
const event = (isComplete: boolean, ...instruments: InstrumentState[]) => ({ asOfUs: 0, isComplete, instruments });

describe('the live instruments', () => {
  const known = fromAnswer(
    {
      ...{ asOfUs: 0, total: 2 },
      instruments: [
        { state: state('a', '1', 10), sparkline: [{ timeUs: 10, price: '1' }] },
        { state: state('b', '5', 10), sparkline: null },
      ],
    },
    1_000,
  );

  it('change by what an event names, and continue their sparklines', () => {
    const next = afterEvent(known, event(false, state('a', '2', 20)), 2_000);
    expect([...next.keys()]).toEqual(['a', 'b']);
    expect(next.get('a')).toMatchObject({
      state: { price: '2' },
      arrivedMs: 2_000,
      sparkline: [{ price: '1' }, { timeUs: 20, price: '2' }],
    });
    expect(next.get('b')).toBe(known.get('b'));
    expect(known.get('a')?.state.price).toBe('1');
  });

  it('are all forgotten that a complete event does not name', () => {
    expect([...afterEvent(known, event(true, state('c', '9', 30)), 0).keys()]).toEqual(['c']);
    expect(afterEvent(known, event(true, state('a', '2', 20)), 0).get('a')?.sparkline).toHaveLength(2);
  });

  it('add no price twice, none before the last, and at most as many as the server sends', () => {
    const again = afterEvent(known, event(false, state('a', '7', 10)), 0);
    expect(again.get('a')?.sparkline).toEqual([{ timeUs: 10, price: '1' }]);
    let live = known;
    for (let at = 1; at <= 100; at += 1) live = afterEvent(live, event(false, state('a', String(at), 10 + at)), 0);
    expect(live.get('a')?.sparkline).toHaveLength(60);
    expect(live.get('a')?.sparkline?.at(-1)?.price).toBe('100');
  });

  it('have a sparkline from the first price on, and none without one', () => {
    const next = afterEvent(new Map(), event(false, state('a', null, null), state('b', '5', 1)), 0);
    expect([next.get('a')?.sparkline, next.get('b')?.sparkline]).toEqual([null, [{ timeUs: 1, price: '5' }]]);
  });
});

describe('freshness', () => {
  const live = (change: Partial<InstrumentState>): LiveInstrument => ({
    ...{ state: { ...state('a', '1', 10), ...change }, sparkline: null, arrivedMs: 1_000 },
  });

  it('counts on from the arrival, whatever the clock of the server', () => {
    expect(freshnessOf(live({}), 4_000)).toEqual({ ageMs: 3_500, isStale: false });
    expect(freshnessOf(live({}), 0)).toEqual({ ageMs: 500, isStale: false });
  });

  it('ends after the time that the server names, or at once by its word', () => {
    expect(freshnessOf(live({}), 60_500).isStale).toBe(false);
    expect(freshnessOf(live({}), 60_501).isStale).toBe(true);
    expect(freshnessOf(live({ isStale: true }), 1_000).isStale).toBe(true);
    expect(freshnessOf(live({ ageMs: null, isStale: true }), 99_000)).toEqual({ ageMs: null, isStale: true });
    expect(freshnessOf(live({ staleAfterMs: null }), 9e9).isStale).toBe(false);
  });
});
