import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../contracts/codec.ts';
import { StatePage } from '../contracts/state-page.ts';
import { fromPagedState, pageOriginsOf, toPagedState, type PageOrigins } from './state-pages.ts';

const page = (text: string) => StatePage.of(Buffer.from(text));
const NONE: PageOrigins = new Map();

describe('a state in pages', () => {
  it('is restored from its head and its pages, wherever their places are', () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, 0, 1.5, 'text'),
        fc.nat({ max: 9 }).map((number) => page(`page ${number}`)),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'page'), tie('value'), { noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(value, (content) => {
        const { head, fresh, origins } = toPagedState({ content }, 7, NONE);
        const byHash = new Map(fresh.map((each) => [each.hash, each]));
        expect(fromPagedState(head, byHash)).toEqual({ content });
        expect(fresh.length).toBe(byHash.size);
        expect(pageOriginsOf(head)).toEqual(origins);
        expect([...origins]).toEqual(fresh.map(({ hash }) => [hash, 7]));
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
    expect(toPagedState(next, 20, pageOriginsOf(head))).toEqual(toPagedState(next, 20, origins));
  });

  it('needs every page', () => {
    const { head } = toPagedState({ pages: [page('a')] }, 10, NONE);
    expect(() => fromPagedState(head, new Map())).toThrow('is missing');
  });
});
