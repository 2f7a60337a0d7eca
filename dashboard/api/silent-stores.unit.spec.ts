import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentPostgres, silentRedis, type SilentStore } from '../../tests/support/silent-stores.ts';
import { readHistory, STATEMENT_TIMEOUT_MS, type RunningHistory } from './history.adapter.ts';
import { readLatestStates } from './latest.adapter.ts';
import { ApiProblem } from './problems.ts';

/** More than a rejection needs to pass through all promises, and no time. */
const TURNS = 50;
/** Places for queries, under way or waiting. */
const QUERIES = 64;

/** What became of an answer by now: its problem, or `waits`. */
async function stateOf(answer: Promise<unknown>): Promise<string> {
  let state = 'waits';
  answer.then(
    () => (state = 'answered'),
    (error: unknown) => (state = error instanceof ApiProblem ? `${error.kind}: ${error.message}` : String(error)),
  );
  for (let count = 0; count < TURNS; count += 1) await turn();
  return state;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a Postgres that never answers', () => {
  let store: SilentStore;
  let history: RunningHistory;
  beforeEach(async () => {
    store = await silentPostgres();
    history = readHistory(store.url);
  });
  afterEach(async () => {
    vi.useRealTimers();
    await history.close();
    await store.close();
  });

  it('is given up two seconds after it should have given up the statement itself', async () => {
    const answer = history.newestGaps();
    await store.untilUnanswered(1);
    vi.advanceTimersByTime(STATEMENT_TIMEOUT_MS + 1_999);
    expect(await stateOf(answer)).toBe('waits');
    vi.advanceTimersByTime(1);
    expect(await stateOf(answer)).toMatch(/^STORE_DOWN: Postgres/);
  });

  it('is asked so many questions at a time, and further ones are refused at once', async () => {
    const asked = Array.from({ length: QUERIES }, () => history.newestGaps());
    for (const answer of asked) answer.catch(() => undefined);
    await store.untilUnanswered(1);
    expect(await stateOf(history.newestGaps())).toMatch(/^BUSY: 64 queries are under way/);
    expect(await stateOf(asked.at(-1) ?? Promise.resolve())).toBe('waits');
  });
});

describe('a Redis that never answers', () => {
  it('is given up after two seconds', async () => {
    const store = await silentRedis();
    const latest = readLatestStates(store.url);
    const answer = latest.read();
    await store.untilUnanswered(1);
    vi.advanceTimersByTime(1_999);
    expect(await stateOf(answer)).toBe('waits');
    vi.advanceTimersByTime(1);
    expect(await stateOf(answer)).toMatch(/^STORE_DOWN: Redis/);
    await latest.close();
    await store.close();
  });
});
