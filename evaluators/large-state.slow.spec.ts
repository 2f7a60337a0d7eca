import { constants } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { STATE_CHUNK_BYTES } from './anchor.ts';
import { pageOriginsOf, StatePart, toPagedState, type PagesByHash } from './state-pages.ts';

const ITEM_CHARACTERS = 256 * 1_024;
const PARTS = Math.ceil(constants.MAX_STRING_LENGTH / ITEM_CHARACTERS) + 20;

describe('a state longer than the longest string', () => {
  it('is written in pieces, and an anchor after it writes only what changed', () => {
    const parts = Array.from(
      { length: PARTS },
      (_, index) => new StatePart(() => [String(index).padEnd(ITEM_CHARACTERS, '.')]),
    );
    const first = toPagedState({ parts }, 10, new Map());
    const pages: PagesByHash = new Map(first.fresh.map((page) => [page.hash, page]));
    const bytes = first.fresh.reduce((sum, page) => sum + page.bytes.length, 0);
    expect(bytes).toBeGreaterThan(constants.MAX_STRING_LENGTH);
    for (const page of first.fresh) expect(page.bytes.length).toBeLessThan(STATE_CHUNK_BYTES);
    expect(first.head.length).toBeLessThan(STATE_CHUNK_BYTES);
    parts[7] = new StatePart(() => ['changed']);
    const second = toPagedState({ parts }, 20, pageOriginsOf(first.head, pages));
    expect(second.fresh.map((page) => page.bytes.toString())).toEqual(['["changed"]']);
  });
});
