import { describe, expect, it } from 'vitest';
import { compareLogs, differenceText, type PlainEvent, type PlainEvents } from './equality.ts';

const PLACE = { topic: 'strategy.results', partition: 2 };
const EVENT = {
  eventId: 'result-2-7-0',
  probability: 0.512345,
  causes: ['snapshot-2-7-0'],
  hitRule: { horizonMs: 300_000, minMovePoints: null },
};

async function* logOf(...events: readonly PlainEvent[]): PlainEvents {
  yield* await Promise.resolve(events);
}

describe('the comparison of two contenders', () => {
  it('counts the equal events of two equal logs', async () => {
    const compared = await compareLogs(PLACE, logOf(EVENT, EVENT), logOf(EVENT, structuredClone(EVENT)));
    expect(compared).toEqual({ equalEvents: 2, difference: undefined });
  });

  it.each([
    ['probability', { ...EVENT, probability: 0.512346 }, 0.512345, 0.512346],
    ['causes.0', { ...EVENT, causes: ['snapshot-2-8-0'] }, 'snapshot-2-7-0', 'snapshot-2-8-0'],
    ['causes.1', { ...EVENT, causes: [...EVENT.causes, 'x'] }, undefined, 'x'],
    ['hitRule.horizonMs', { ...EVENT, hitRule: { ...EVENT.hitRule, horizonMs: 1 } }, 300_000, 1],
    ['hitRule.minMovePoints', { ...EVENT, hitRule: { ...EVENT.hitRule, minMovePoints: '0' } }, null, '0'],
    ['reasoning', { ...EVENT, reasoning: '' }, undefined, ''],
  ])('names the field %s that was changed', async (field, changed, expected, found) => {
    const { equalEvents, difference } = await compareLogs(PLACE, logOf(EVENT, EVENT), logOf(EVENT, changed));
    expect(equalEvents).toBe(1);
    expect(difference).toEqual({ ...PLACE, position: 1, field, expected, found });
  });

  it('finds an event that is missing, and one too many', async () => {
    const missing = await compareLogs(PLACE, logOf(EVENT, EVENT), logOf(EVENT));
    expect(missing.difference).toMatchObject({ position: 1, field: '', found: undefined });
    const tooMany = await compareLogs(PLACE, logOf(EVENT), logOf(EVENT, EVENT));
    expect(tooMany.difference).toMatchObject({ position: 1, field: '', expected: undefined });
  });

  it('lets a contender that stopped early have fewer events', async () => {
    const compared = await compareLogs(PLACE, logOf(EVENT, EVENT), logOf(EVENT), true);
    expect(compared).toEqual({ equalEvents: 1, difference: undefined });
  });

  it('says which event and field differ', () => {
    const difference = { ...PLACE, position: 1, field: 'hitRule.horizonMs', expected: 300_000, found: 1 };
    expect(differenceText('streams', difference)).toBe(
      'streams derives other events: event 1 of strategy.results, partition 2, hitRule.horizonMs: 300000 was expected, 1 found.',
    );
  });
});
