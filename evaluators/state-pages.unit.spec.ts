import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../contracts/codec.ts';
import { StatePage } from '../contracts/state-page.ts';
import { fromPagedState, pageOriginsOf, StatePart, toPagedState, type PageOrigins } from './state-pages.ts';

const page = (text: string) => StatePage.of(Buffer.from(text));
const NONE: PageOrigins = new Map();

/** The state with the content of each part in its place. */
function whole(value: unknown): unknown {
  if (value instanceof StatePart) return whole(value.content());
  if (Array.isArray(value)) return value.map(whole);
  if (typeof value !== 'object' || value === null || value instanceof StatePage) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, whole(member)]));
}

describe('a state in pages', () => {
  it('is restored from its head and its pages, wherever their places are', () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, 0, 1.5, 'text'),
        fc.nat({ max: 9 }).map((number) => page(`page ${number}`)),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.array(tie('value'), { maxLength: 4 }).map((content) => new StatePart(() => content)),
        fc.dictionary(fc.constantFrom('a', 'b', 'page'), tie('value'), { noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(value, (content) => {
        const { head, fresh, origins } = toPagedState({ content }, 7, NONE);
        const byHash = new Map(fresh.map((each) => [each.hash, each]));
        expect(fromPagedState(head, byHash)).toEqual({ content: whole(content) });
        expect(fresh.length).toBe(byHash.size);
        expect(pageOriginsOf(head, byHash)).toEqual(origins);
        expect(new Set(origins.keys())).toEqual(new Set(byHash.keys()));
        expect(new Set(origins.values()).size).toBeLessThan(2);
      }),
    );
  });

  it('writes a page once, and names where', () => {
    const first = toPagedState({ z: [page('a'), page('b')], a: page('c') }, 10, NONE);
    expect(first.fresh.map(({ bytes }) => bytes.toString())).toEqual(['c', 'a', 'b']);
    const second = toPagedState({ z: [page('a'), page('d'), page('d')] }, 20, first.origins);
    expect(second.fresh).toEqual([page('d')]);
    expect(JSON.parse(second.head.toString())).toEqual({
      z: [
        { page: sha256Hex('a'), writtenAt: 10 },
        { page: sha256Hex('d'), writtenAt: 20 },
        { page: sha256Hex('d'), writtenAt: 20 },
      ],
    });
    // A page that was dropped is written again: only the previous anchor counts.
    expect(toPagedState({ z: [page('c')] }, 30, second.origins).fresh).toEqual([page('c')]);
  });

  it('continues from the head alone as from the anchor itself', () => {
    const { head, origins } = toPagedState({ pages: [page('a')] }, 10, NONE);
    const next = { pages: [page('a'), page('b')] };
    expect(toPagedState(next, 20, pageOriginsOf(head, new Map()))).toEqual(toPagedState(next, 20, origins));
  });

  it('writes a part that did not change once, and does not make its content again', () => {
    const inner = page('inner');
    let made = 0;
    const quiet = new StatePart(() => {
      made += 1;
      return { inner };
    });
    const first = toPagedState({ parts: [quiet, new StatePart(() => ({ n: 1 }))] }, 10, NONE);
    const second = toPagedState({ parts: [quiet, new StatePart(() => ({ n: 2 }))] }, 20, first.origins);
    expect(made).toBe(1);
    expect(first.fresh).toHaveLength(3);
    expect(second.fresh.map(({ bytes }) => bytes.toString())).toEqual(['{"n":2}']);
    expect(second.origins.get(inner.hash)).toBe(10);
    // After a restart there are new parts: the same bytes.
    const again = { parts: [new StatePart(() => ({ inner })), new StatePart(() => ({ n: 2 }))] };
    const pages = new Map([...first.fresh, ...second.fresh].map((each) => [each.hash, each]));
    expect(toPagedState(again, 20, pageOriginsOf(first.head, pages))).toEqual(second);
    // A part that an anchor left out is written anew, with what it names.
    const third = toPagedState({ parts: [] }, 30, second.origins);
    const fourth = toPagedState({ parts: [quiet] }, 40, third.origins);
    expect(fourth.fresh).toHaveLength(2);
    expect([...fourth.origins.values()]).toEqual([40, 40]);
  });

  it('needs every page', () => {
    const { head } = toPagedState({ pages: [page('a')] }, 10, NONE);
    expect(() => fromPagedState(head, new Map())).toThrow('is missing');
  });
});
