import { describe, expect, it } from 'vitest';
import { keepSecret, redact } from './redaction.ts';

const SECRET = 'Tr0ub4dor "&" 3/+é';

describe('redact', () => {
  keepSecret(SECRET);

  it.each([
    ['as it is', SECRET],
    ['in JSON', JSON.stringify({ password: SECRET })],
    ['in a URL', `postgres://user:${encodeURIComponent(SECRET)}@host/db`],
    ['in base64', Buffer.from(SECRET).toString('base64')],
    ['behind a user name in base64', Buffer.from(`user:${SECRET}`).toString('base64')],
    ['between other bytes in base64', Buffer.from(`ab\0${SECRET}\0cde`).toString('base64')],
    ['shifted by one byte, in base64url', Buffer.from(`x${SECRET}`).toString('base64url')],
  ])('takes a secret out %s', (_, text) => {
    const redacted = redact(`before ${text} after`);
    expect(redacted).toContain('[secret]');
    expect(redacted).not.toContain('ub4dor');
    expect(redacted).toMatch(/^before .* after$/);
  });

  it('leaves everyday words: what is short, and a password that is the user name', () => {
    keepSecret('redis');
    keepSecret('tapeproof', 'tapeproof');
    expect(redact('tapeproof waits for redis')).toBe('tapeproof waits for redis');
  });
});
