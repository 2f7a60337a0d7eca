import { describe, expect, it } from 'vitest';
import { markAt, markerPlaces, REACH_PX, type DecisionMark } from './marker-places.ts';

const mark = (time: number, direction: DecisionMark['direction'] = 'LONG'): DecisionMark => ({
  ...{ decisionId: `decision-0-${time}-0`, time, price: 50, direction, status: 'PENDING' },
});
const xOf = (time: number): number => time;
const yOf = (price: number): number => price;
const timesOf = (places: ReturnType<typeof markerPlaces>): number[] => places.map((place) => place.mark.time);

describe('the places of decisions', () => {
  it('are below the price for LONG and above it for SHORT', () => {
    const [long, short, neutral] = markerPlaces([mark(0), mark(1, 'SHORT'), mark(2, 'NEUTRAL')], xOf, yOf);
    expect(long?.y).toBeGreaterThan(50);
    expect(short?.y).toBeLessThan(50);
    expect(neutral?.y).toBe(50);
  });

  it('leave out what would be covered, the newest last, except the one that is kept', () => {
    const marks = [mark(0), mark(4), mark(8), mark(30)];
    expect(timesOf(markerPlaces(marks, xOf, yOf))).toEqual([8, 30]);
    expect(timesOf(markerPlaces(marks, xOf, yOf, ({ time }) => time === 4))).toEqual([4, 8, 30]);
    expect(timesOf(markerPlaces(marks, (time) => 10 * time, yOf))).toEqual([0, 4, 8, 30]);
  });

  it('are none outside the scales', () => {
    expect(markerPlaces([mark(0)], () => null, yOf)).toEqual([]);
    expect(markerPlaces([mark(0)], xOf, () => null)).toEqual([]);
  });

  it('are pointed at within reach, the nearest one', () => {
    const places = markerPlaces([mark(0), mark(20)], xOf, () => 0);
    const [first, second] = places;
    expect(markAt(places, 9, first!.y)).toBe(first);
    expect(markAt(places, 11, first!.y)).toBe(second);
    expect(markAt(places, 20 + REACH_PX + 1, first!.y)).toBeUndefined();
    expect(markAt([], 0, 0)).toBeUndefined();
  });
});
