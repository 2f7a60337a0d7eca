import { describe, expect, it } from 'vitest';
import { measureRatio } from './ratio.ts';

const TRADES = 10;
const RATIO_MAX = 2;

/** Passes of one slice for each list: it takes the given times in turn, microseconds; the last one from then on. */
function measured(engineUs: readonly (readonly number[])[], referenceUs: readonly (readonly number[])[]) {
  let nowUs = 0;
  const passOf = (slices: readonly (readonly number[])[]) => {
    let index = 0;
    return function* pass() {
      for (const timesUs of slices) {
        nowUs += timesUs[Math.min(index, timesUs.length - 1)] ?? 0;
        yield;
      }
      index += 1;
    };
  };
  const passes = { engine: passOf(engineUs), reference: passOf(referenceUs) };
  return measureRatio(passes, TRADES, RATIO_MAX, () => nowUs);
}

describe('the guard of the engine’s speed', () => {
  it('compares the fastest pass of each', () => {
    const ratio = measured([[900, 180, 400]], [[500, 300, 100, 350]]);
    expect(ratio).toEqual({ ratio: 1.8, engineUs: 18, referenceUs: 10, pairs: 8, isSlow: false });
  });

  it('takes each slice at its fastest, in whichever pass that is', () => {
    const engine = [
      [90, 900],
      [900, 900, 90],
    ];
    const ratio = measured(engine, [[50], [70, 50]]);
    expect(ratio).toEqual({ ratio: 1.8, engineUs: 18, referenceUs: 10, pairs: 8, isSlow: false });
  });

  it('goes on while other work on the machine has slowed every pass down', () => {
    const busy = new Array<number>(20).fill(450);
    const ratio = measured([[...busy, 190]], [[100]]);
    expect(ratio).toMatchObject({ ratio: 1.9, pairs: 21, isSlow: false });
  });

  it('ends with a failure where the engine is too slow in every pass', () => {
    const ratio = measured([[240]], [[100]]);
    expect(ratio).toMatchObject({ ratio: 2.4, pairs: 80, isSlow: true });
  });

  it('does not compare passes that have not as many slices', () => {
    expect(() => measured([[1], [1]], [[1]])).toThrow('only one of the two has a slice 1');
  });
});
