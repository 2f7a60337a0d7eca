import { describe, expect, it } from 'vitest';
import type { GrowthPoint } from './growth.ts';
import { plotsOf } from './plots.ts';

const points = (['instruments', 'session', 'engines'] as const).flatMap((curve) =>
  [1, 2].map((at): GrowthPoint => ({ curve, at, cpuUsPerTrade: 3, residentMib: 200, tradesPerSecond: 100_000 })),
);

describe('the plots of measurements', () => {
  it('are one for each curve that was measured, the same text each time', async () => {
    const plots = await plotsOf(points);
    expect([...plots.keys()]).toEqual(['growth-instruments.svg', 'growth-session.svg', 'growth-engines.svg']);
    expect([...(await plotsOf(points))]).toEqual([...plots]);
    expect([...(await plotsOf(points.slice(0, 2))).keys()]).toEqual(['growth-instruments.svg']);
  });

  it('are legible on any background: nothing black or white, nothing behind them', async () => {
    for (const svg of (await plotsOf(points)).values()) {
      expect(svg).toMatch(/^<svg /);
      expect(svg).not.toMatch(/"(#000|#fff|black|white)/);
      expect(svg).toContain('#7a828e');
    }
  });
});
