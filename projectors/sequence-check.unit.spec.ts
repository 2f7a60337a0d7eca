import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkSequence, type CheckedRecords, type Gap, type ReadRecord } from './sequence-check.ts';
import type { ProjectedEvent } from './projector.ts';
import { BEGINNING, type Position } from './sink.ts';

function event(offset: number, sequence: number | undefined): ReadRecord {
  return { kind: 'event', source: { offset } as unknown as ProjectedEvent, sequence };
}

function checked(outcome: CheckedRecords | Gap): CheckedRecords {
  if ('foundSequence' in outcome) throw new Error('a gap');
  return outcome;
}

const offsetsOf = (sources: readonly ProjectedEvent[]): number[] => sources.map(({ offset }) => offset);

describe('the sequence check', () => {
  it('admits the next, sets repeated ones aside and continues', () => {
    const outcome = checked(
      checkSequence(BEGINNING, [event(0, 0), event(1, 1), event(2, 0), event(3, 1), event(4, 2)]),
    );
    expect(offsetsOf(outcome.admitted)).toEqual([0, 1, 4]);
    expect(offsetsOf(outcome.repeated)).toEqual([2, 3]);
    expect(outcome.to).toEqual({ nextOffset: 5, nextSequence: 3 });
  });

  it('stops at a gap', () => {
    expect(checkSequence(BEGINNING, [event(0, 0), event(1, 2)])).toEqual({
      offset: 1,
      expectedSequence: 1,
      foundSequence: 2,
    });
  });

  it('admits every record of the tape, where none has a sequence', () => {
    const records = [event(3, undefined), event(4, undefined)];
    const outcome = checked(checkSequence({ nextOffset: 3, nextSequence: 0 }, records));
    expect(offsetsOf(outcome.admitted)).toEqual([3, 4]);
    expect(outcome.to).toEqual({ nextOffset: 5, nextSequence: 0 });
  });

  it('decides the same however the records are divided into batches', () => {
    // A log of at-least-once emitters: each step continues, or goes back to an earlier event.
    const log = fc.array(fc.nat({ max: 5 }), { maxLength: 60 }).map((steps) => {
      let next = 0;
      return steps.map((back, offset) => {
        const sequence = back === 0 || next === 0 ? next : Math.max(0, next - back);
        if (sequence === next) next += 1;
        return event(offset, sequence);
      });
    });
    fc.assert(
      fc.property(log, fc.nat({ max: 60 }), (records, place) => {
        const whole = checked(checkSequence(BEGINNING, records));
        const cut = place % (records.length + 1);
        const first = checked(checkSequence(BEGINNING, records.slice(0, cut)));
        const from: Position = first.to;
        const second = checked(checkSequence(from, records.slice(cut)));
        expect([...offsetsOf(first.admitted), ...offsetsOf(second.admitted)]).toEqual(offsetsOf(whole.admitted));
        expect([...offsetsOf(first.repeated), ...offsetsOf(second.repeated)]).toEqual(offsetsOf(whole.repeated));
        expect(second.to).toEqual(whole.to);
      }),
    );
  });
});
