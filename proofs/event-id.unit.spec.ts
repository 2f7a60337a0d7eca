import { describe, expect, it } from 'vitest';
import { parseEventId } from './event-id.ts';

describe('parseEventId', () => {
  it('takes an id apart', () => {
    expect(parseEventId('decision-3-10411-0')).toEqual({
      text: 'decision-3-10411-0',
      type: 'ProbabilityDecision',
      partition: 3,
      tapeOffset: 10_411,
      number: 0,
    });
  });

  it.each([
    '',
    'decision',
    'decision-3-10411',
    'decision--1-10411-0',
    'trade-3-10411-0',
    'decision-3-10411-0 ',
    'decision-3-1e3-0',
    '__proto__-1-1-1',
  ])('refuses %j', (text) => {
    expect(parseEventId(text)).toBeUndefined();
  });
});
