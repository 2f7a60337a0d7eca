import { describe, expect, it } from 'vitest';
import { postgresConnection } from './postgres-tls.ts';

const tlsOf = (query: string, environment = {}) =>
  postgresConnection(`postgres://db.example/x${query}`, environment).ssl;

describe('postgresConnection', () => {
  it('verifies as much as the mode says, and never less', () => {
    expect(tlsOf('')).toBe(false);
    expect(tlsOf('?sslmode=disable')).toBe(false);
    expect(tlsOf('?sslmode=verify-full')).toEqual({ servername: 'db.example' });
    expect(tlsOf('?ssl=true')).toEqual({ servername: 'db.example' });
    for (const mode of ['verify-ca', 'require']) {
      expect(tlsOf(`?sslmode=${mode}`)).toEqual({
        servername: 'db.example',
        checkServerIdentity: expect.any(Function) as unknown,
      });
    }
    expect(tlsOf('?sslmode=no-verify')).toMatchObject({ rejectUnauthorized: false });
    expect(tlsOf('', { TAPEPROOF_POSTGRES_SSLMODE: 'verify-full' })).toEqual({ servername: 'db.example' });
  });

  it.each(['prefer', 'allow', 'verify'])('refuses sslmode=%s', (mode) => {
    expect(() => tlsOf(`?sslmode=${mode}`)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
  });

  it('leaves none of it to the library, which interprets it differently', () => {
    const url = 'postgres://u:p@db.example/x?sslmode=require&application_name=a';
    expect(postgresConnection(url, {}).connectionString).toBe('postgres://u:p@db.example/x?application_name=a');
  });
});
