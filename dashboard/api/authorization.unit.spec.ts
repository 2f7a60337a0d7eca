import { describe, expect, it } from 'vitest';
import { assertProtected, bearerCheck } from './authorization.ts';

const TOKEN = 'a-token-of-some-length';

describe('an address', () => {
  it.each(['127.0.0.1', '127.8.9.1', 'localhost', '::1'])('%s needs no token', (host) => {
    expect(() => {
      assertProtected(host, undefined);
    }).not.toThrow();
  });

  it.each(['0.0.0.0', '::', '10.1.2.3', '', 'localhost.example', '127.0.0.1.example', '1270.0.0.1', 'board'])(
    '%j needs one',
    (host) => {
      expect(() => {
        assertProtected(host, undefined);
      }).toThrow(expect.objectContaining({ code: 'CONFIGURATION', exitCode: 2 }));
      expect(() => {
        assertProtected(host, TOKEN);
      }).not.toThrow();
    },
  );

  it.each(['', 'short', 'fifteen-letters', 'with a space in its middle', 'né-token-of-some-length'])(
    'does not do with the token %j',
    (token) => {
      expect(() => {
        assertProtected('127.0.0.1', token);
      }).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    },
  );

  it('is refused without repeating the token', () => {
    try {
      assertProtected('127.0.0.1', 'hunter2');
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain('hunter2');
    }
  });
});

describe('a bearer token', () => {
  const check = bearerCheck(TOKEN);
  it('is taken in whatever case the scheme is written', () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      expect(() => {
        check(`${scheme} ${TOKEN}`);
      }).not.toThrow();
    }
  });

  it.each([undefined, '', 'Bearer ', TOKEN, `Bearer  ${TOKEN}`, `Bearer ${TOKEN} `, `Bearer ${TOKEN.slice(1)}`])(
    'is not %j',
    (header) => {
      expect(() => {
        check(header);
      }).toThrow(expect.objectContaining({ kind: 'UNAUTHORIZED' }));
    },
  );
});
