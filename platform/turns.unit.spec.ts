import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

describe('turns', () => {
  it('are taken one after the other, in order, and a failure ends only its own', async () => {
    const turns = new Turns(60_000);
    const seen: string[] = [];
    const work = (name: string, fails = false) =>
      turns.take(async () => {
        seen.push(`${name} begins`);
        await Promise.resolve();
        seen.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      });
    const all = await Promise.allSettled([work('first', true), work('second'), work('third')]);
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(seen).toEqual(['first', 'second', 'third'].flatMap((name) => [`${name} begins`, `${name} ends`]));
  });

  it('begin beside one that takes too long', async () => {
    const turns = new Turns(5);
    const endless = Promise.withResolvers<string>();
    const first = turns.take(() => endless.promise);
    expect(await turns.take(() => Promise.resolve('second'))).toBe('second');
    endless.resolve('first');
    expect(await first).toBe('first');
  });
});
