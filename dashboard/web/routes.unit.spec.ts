import { describe, expect, it } from 'vitest';
import { pathOf, routeOf, type Route } from './routes.ts';

describe('routes', () => {
  it.each<Route>([
    { page: 'live' },
    { page: 'instrument', instrument: 'BTC-USDT@binance' },
    { page: 'instrument', instrument: 'a/b?c#d%e ü@x' },
    { page: 'instrument', instrument: '..' },
    { page: 'scoreboard' },
    { page: 'audit', eventId: 'decision-3-18540-0' },
    { page: 'audit-start' },
    { page: 'pipeline' },
  ])('are read back from their paths: $page', (route) => {
    expect(routeOf(pathOf(route))).toEqual(route);
  });

  it.each(['/instruments', '/nowhere', '/audit/a/b', '/pipeline/x', '/instruments/%E0%A4%A', '/audit/%'])(
    'are not found: %s',
    (path) => {
      expect(routeOf(path)).toEqual({ page: 'not-found' });
    },
  );
});
