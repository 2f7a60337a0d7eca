import { describe, expect, it } from 'vitest';
import { BINANCE } from './binance.ts';
import { syntheticCapture } from './captures.ts';
import { drawsOf, whole } from './draws.ts';
import { FAULT_INTERVALS, FAULT_NAMES, FaultPlan, faultsNamed } from './faults.ts';
import { limitsBroken, mostWithin, StatisticsRecorder } from './statistics.ts';

describe('draws', () => {
  it('are the same for a seed, a purpose and a counter, in whatever order they are made', () => {
    const counters = Array.from({ length: 100 }, (_, counter) => counter);
    const upward = drawsOf(7);
    const downward = drawsOf(7);
    const drawn = counters.map((counter) => upward('cut', counter, 3));
    expect(counters.toReversed().map((counter) => downward('cut', counter, 3))).toEqual(drawn.toReversed());
    expect(counters.map((counter) => drawsOf(8)('cut', counter, 3))).not.toEqual(drawn);
    expect(counters.map((counter) => upward('deaf', counter, 3))).not.toEqual(drawn);
    expect(drawsOf(1)('cut', 0)).toBe(drawsOf(1)('cut', 0));
  });

  it('are spread evenly', () => {
    const draw = drawsOf(1);
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let counter = 0; counter < 10_000; counter += 1) {
      const tenth = whole(draw('spread', counter), 0, 9);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});

describe('a plan of faults', () => {
  it('has only the named ones', () => {
    const plan = new FaultPlan({}, drawsOf(1));
    for (let number = 0; number < 1_000; number += 1) {
      expect(plan.endOf(number)).toBeUndefined();
      expect(plan.refusalOf(number)).toBeUndefined();
      expect(plan.answerFaultOf(number)).toBeUndefined();
      expect(plan.frame(1, number)).toMatchObject({ dropped: false, delayFrames: 0, repeatFrames: undefined });
    }
  });

  it('makes frames and requests go wrong about as often as specified', () => {
    const plan = new FaultPlan(faultsNamed('dropped-frame', 'server-error'), drawsOf(1));
    const numbers = Array.from({ length: 20_000 }, (_, number) => number);
    const dropped = numbers.filter((number) => plan.frame(1, number).dropped).length;
    const failed = numbers.filter((number) => plan.answerFaultOf(number) !== undefined).length;
    expect(Math.abs(dropped - 20_000 / FAULT_INTERVALS['dropped-frame'])).toBeLessThan(40);
    expect(Math.abs(failed - 20_000 / FAULT_INTERVALS['server-error'])).toBeLessThan(300);
  });

  it('lets every fault happen when all are named', () => {
    const plan = new FaultPlan(faultsNamed(...FAULT_NAMES), drawsOf(1));
    const numbers = Array.from({ length: 400 }, (_, number) => number);
    const ends = new Set(numbers.map((number) => plan.endOf(number)?.fault));
    const answers = new Set(numbers.map((number) => plan.answerFaultOf(number)));
    expect(ends).toEqual(new Set(['cut', 'cut-mid-frame', 'half-open', 'deaf', 'going-away']));
    expect(answers.size).toBe(9);
  });
});

describe('the exchange’s limits', () => {
  it('are counted in the fullest window', () => {
    expect(mostWithin([], 10)).toBe(0);
    expect(mostWithin([0, 9, 10, 11, 30], 10)).toBe(3);
  });

  it('are named when a client exceeds them', () => {
    const recorder = new StatisticsRecorder();
    expect(limitsBroken(recorder, BINANCE.limits)).toEqual([]);
    for (let number = 0; number < 301; number += 1) recorder.connection(true);
    recorder.connections[7]?.incomingAtMs.push(1, 2, 3, 4, 5, 6);
    for (let number = 0; number < 241; number += 1) recorder.request('/api/v3/trades', 25, number === 240);
    expect(limitsBroken(recorder, BINANCE.limits)).toEqual([
      'connections in 300000 ms: 301, allowed are 300',
      'messages on connection 7 in a second: 6, allowed are 5',
      'weight of the requests in a minute: 6025, allowed are 6000',
      'requests in a second: 241, allowed are 25',
      'request 240 came before the time of Retry-After: /api/v3/trades',
    ]);
  });
});

describe('spoiled frames', () => {
  it('are not trades of their market', () => {
    const [market] = syntheticCapture(2);
    const trade = market?.trades[0];
    if (trade === undefined) throw new RangeError('no trade');
    const good = BINANCE.frameOf('BTCUSDT', trade);
    const frames = BINANCE.spoiledFrames.map((spoil) => spoil('BTCUSDT', trade));
    expect(frames.map(({ data }) => data)).not.toContain(good);
    expect(new Set(frames.map(({ data }) => data.toString('latin1'))).size).toBe(frames.length);
  });
});
