import { expect, it } from 'vitest';
import { concealedTelemetry, concealing } from './concealed.ts';
import type { LiveEvent } from './telemetry.ts';

const conceal = concealing({ key: 'c4n4ry', secret: 'c4n4ry-s3cr3t' });

it('a venue that repeats what it was sent does not spread it', () => {
  expect(conceal('no c4n4ry-s3cr3t, c4n4ry-s3cr3t of c4n4ry')).toBe('no [concealed], [concealed] of [concealed]');
});

it('its words in events neither', () => {
  const events: LiveEvent[] = [];
  const telemetry = concealedTelemetry((event) => void events.push(event), conceal);
  telemetry({ kind: 'disconnected', connection: 1, reason: 'CLOSED', detail: 'closed with 1008 c4n4ry-s3cr3t' });
  telemetry({ kind: 'notice', notice: 'SUBSCRIPTION_REFUSED', detail: 'c4n4ry is wrong' });
  telemetry({ kind: 'forgotten', instrument: 'AAPL@alpaca' });
  expect(JSON.stringify(events)).not.toContain('c4n4ry');
  expect(events).toHaveLength(3);
});

it('without an account, or with an empty key, a text is unchanged', () => {
  expect(concealing(undefined)('as it is')).toBe('as it is');
  expect(concealing({ key: '', secret: 'x' })('as it is')).toBe('as it is');
});
