import { describe, expect, it } from 'vitest';
import { kafkajsSecurity, kafkaSecurityFrom, logReaderSecurity } from './security.ts';

const PROTOCOL = 'TAPEPROOF_KAFKA_SECURITY_PROTOCOL';
const MECHANISM = 'TAPEPROOF_KAFKA_SASL_MECHANISM';
const NAMED = { TAPEPROOF_KAFKA_USERNAME: 'engine', TAPEPROOF_KAFKA_PASSWORD: 'engine-secret' };

describe('kafkaSecurityFrom', () => {
  it('is plain text where nothing is set', () => {
    const security = kafkaSecurityFrom({});
    expect(kafkajsSecurity(security)).toEqual({ ssl: false });
    expect(logReaderSecurity(security, ['one:9092'])).toEqual({});
  });

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('gives both clients the same %s', (mechanism) => {
    const security = kafkaSecurityFrom({ [PROTOCOL]: 'SASL_SSL', [MECHANISM]: mechanism, ...NAMED });
    const who = { username: 'engine', password: 'engine-secret' };
    expect(kafkajsSecurity(security)).toEqual({ ssl: {}, sasl: { mechanism: mechanism.toLowerCase(), ...who } });
    expect(logReaderSecurity(security, ['one:9092'])).toEqual({
      tls: {},
      tlsServerName: true,
      sasl: { mechanism, ...who },
    });
    expect(logReaderSecurity(security, ['[::1]:9092'])).toMatchObject({ tlsServerName: false });
  });

  it('gives both clients a token that is read when it is asked for', async () => {
    const environment: Record<string, string> = {
      [PROTOCOL]: 'SASL_SSL',
      [MECHANISM]: 'oauthbearer',
      TAPEPROOF_KAFKA_TOKEN: 'first-token',
    };
    const security = kafkaSecurityFrom(environment);
    const { sasl } = kafkajsSecurity(security);
    environment['TAPEPROOF_KAFKA_TOKEN'] = 'second-token';
    if (sasl === undefined || !('oauthBearerProvider' in sasl)) throw new Error('not a token');
    expect(await sasl.oauthBearerProvider()).toEqual({ value: 'second-token' });
    const token = logReaderSecurity(security, []).sasl?.token;
    expect(typeof token === 'function' && (await token())).toBe('second-token');
  });

  it.each([
    ['a protocol that is not one', { [PROTOCOL]: 'TLS' }, PROTOCOL],
    ['a mechanism that is not one', { [PROTOCOL]: 'SASL_SSL', [MECHANISM]: 'GSSAPI' }, MECHANISM],
    ['SASL without a mechanism', { [PROTOCOL]: 'SASL_SSL' }, MECHANISM],
    ['a mechanism without SASL', { [PROTOCOL]: 'SSL', [MECHANISM]: 'PLAIN', ...NAMED }, PROTOCOL],
    ['a mechanism alone', { [MECHANISM]: 'PLAIN', ...NAMED }, PROTOCOL],
    ['no password', { [PROTOCOL]: 'SASL_SSL', [MECHANISM]: 'PLAIN' }, 'TAPEPROOF_KAFKA_PASSWORD_FILE'],
    ['no token', { [PROTOCOL]: 'SASL_SSL', [MECHANISM]: 'OAUTHBEARER' }, 'TAPEPROOF_KAFKA_TOKEN_FILE'],
    [
      'a token’s address without a client',
      { [PROTOCOL]: 'SASL_SSL', [MECHANISM]: 'OAUTHBEARER', TAPEPROOF_KAFKA_TOKEN_URL: 'https://one' },
      'TAPEPROOF_KAFKA_CLIENT_ID',
    ],
  ])('refuses %s', (_, environment, named) => {
    expect(() => kafkaSecurityFrom(environment)).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    expect(() => kafkaSecurityFrom(environment)).toThrow(named);
  });
});
