import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { skillResponse } from '../contract/scores.ts';
import { fakeModels, startServer } from './fixtures/read-models.ts';
import type { StoredGroup, StoredSkill } from './read-models.ts';
import type { DashboardServer } from './server.ts';

const GROUP: StoredGroup = {
  ...{ instrument: 'BTC-USDT@binance', forecast: 'DECISION', horizonMs: 300_000, hitRuleKind: 'MOVE' },
  ...{ leastMove: '2 bp', configHash: 'ab'.repeat(32), engineVersion: '5' },
};
const ROW: StoredSkill = {
  ...{ group: GROUP, n: 640, referenced: 640 },
  blocks: Array.from({ length: 64 }, (_, at) => [10, at % 2 === 0 ? 0.4 : -0.2, 2.5] as const),
};
const PATH = '/api/v1/instruments/BTC-USDT%40binance/skill';

describe('the skill of an instrument', () => {
  let server: DashboardServer;
  const asked: unknown[] = [];
  const get = (path: string) => server.app.inject(path);
  beforeEach(async () => {
    asked.length = 0;
    const skills = (...query: unknown[]) => {
      asked.push(query);
      return Promise.resolve({ rows: [ROW], total: 1 });
    };
    server = await startServer(fakeModels({ history: { skills } }));
  });
  afterEach(() => server.app.close());

  it('has an interval around it', async () => {
    const answer = await get(`${PATH}?configHash=${'ab'.repeat(32)}`);
    expect(answer.statusCode).toBe(200);
    const { instrument, rows } = skillResponse.parse(answer.json());
    expect(instrument).toBe('BTC-USDT@binance');
    expect(rows[0]).toMatchObject({ group: GROUP, n: 640, effectiveN: 640, withheld: [] });
    expect(rows[0]?.skillAgainstReference).toBeCloseTo(0.04, 12);
    expect(rows[0]?.interval?.low).toBeLessThan(0.04);
    expect(asked).toEqual([['BTC-USDT@binance', { configHash: 'ab'.repeat(32) }]]);
  });

  it('is computed once for all viewers, and anew for another question', async () => {
    await Promise.all([get(PATH), get(PATH), get(PATH)]);
    await get(PATH);
    expect(asked).toHaveLength(1);
    await get(`${PATH}?configHash=${'cd'.repeat(32)}`);
    await get('/api/v1/instruments/ETH-USDT%40binance/skill');
    expect(asked).toHaveLength(3);
  });

  it.each(['?configHash=short', '?horizonMs=1', `?configHash=${'zz'.repeat(32)}`])('refuses %s', async (query) => {
    const answer = await get(PATH + query);
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(asked).toEqual([]);
  });
});

describe('the spans of a score', () => {
  it.each(['?hitRuleKind=TOUCH', `?leastMove=${'9'.repeat(61)}`, '?engineVersion=', '?horizonMs=-1', '?rule=MOVE'])(
    'refuse %s',
    async (query) => {
      const server = await startServer();
      const answer = await server.app.inject(`/api/v1/instruments/BTC-USDT%40binance/score-spans${query}`);
      expect(answer.statusCode).toBe(400);
      await server.app.close();
    },
  );
});
