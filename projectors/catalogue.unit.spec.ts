import { expect, it } from 'vitest';
import { projectorNamed } from './main.ts';

it('answers an unknown name with the known ones, and nothing else', () => {
  expect(() => projectorNamed('postgres')).toThrow(
    /^"postgres" is not a known projector: use one of redis-latest, postgres-history, candles, scores, oracle-check\.$/,
  );
});
