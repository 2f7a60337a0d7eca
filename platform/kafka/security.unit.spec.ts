import { describe, expect, it } from 'vitest';
import { kafkajsSecurity, kafkaSecurityFrom, platformaticSecurity } from './security.ts';

const PROTOCOL = 'TAPEPROOF_KAFKA_SECURITY_PROTOCOL';
const MECHANISM = 'TAPEPROOF_KAFKA_SASL_MECHANISM';
const NAMED = { TAPEPROOF_KAFKA_USERNAME: 'engine', TAPEPROOF_KAFKA_PASSWORD: 'engine-secret' };

/** The messages by which kafkajs authenticates, before a broker that gives the same answer to each. */
async function sentBy(sasl: ReturnType<typeof kafkajsSecurity>['sasl'], answer: string): Promise<string[]> {
  if (sasl === undefined || !('authenticationProvider' in sasl)) throw new Error('not a token');
  const sent: string[] = [];
  const settings = { host: 'one', port: 9092, logger: undefined as never };
  const authenticator = sasl.authenticationProvider({
    ...settings,
    async saslAuthenticate({ request, response }) {
      // The length comes first.
      sent.push((await request.encode()).subarray(4).toString());
      const raw = Buffer.concat([Buffer.alloc(4), Buffer.from(answer)]);
      return response?.parse(await response.decode(raw));
    },
  });
  await authenticator.authenticate();
  return sent;
}

describe('kafkaSecurityFrom', () => {
  it('is plain text where nothing is set', () => {
    const security = kafkaSecurityFrom({});
    expect(kafkajsSecurity(security)).toEqual({ ssl: false });
    expect(platformaticSecurity(security, ['one:9092'])).toEqual({});
  });

  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('gives both clients the same %s', (mechanism) => {
    const security = kafkaSecurityFrom({ [PROTOCOL]: 'SASL_SSL', [MECHANISM]: mechanism, ...NAMED });
    const who = { username: 'engine', password: 'engine-secret' };
    expect(kafkajsSecurity(security)).toEqual({ ssl: {}, sasl: { mechanism: mechanism.toLowerCase(), ...who } });
    expect(platformaticSecurity(security, ['one:9092'])).toEqual({
      tls: {},
      tlsServerName: true,
      sasl: { mechanism, ...who },
    });
    expect(platformaticSecurity(security, ['[::1]:9092'])).toMatchObject({ tlsServerName: false });
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
    expect(await sentBy(sasl, '')).toEqual(['n,,\x01auth=Bearer second-token\x01\x01']);
    const token = platformaticSecurity(security, []).sasl?.token;
    expect(typeof token === 'function' && (await token())).toBe('second-token');
  });

  it('takes a broker’s answer to a refused token for a refusal, in both clients', async () => {
    const security = kafkaSecurityFrom({
      ...{ [PROTOCOL]: 'SASL_SSL', [MECHANISM]: 'OAUTHBEARER', TAPEPROOF_KAFKA_TOKEN: 'first-token' },
    });
    const answer = '{"status":"invalid_token"}';
    await expect(sentBy(kafkajsSecurity(security).sasl, answer)).rejects.toThrow('authentication failed');
    const validate = platformaticSecurity(security, []).sasl?.authBytesValidator;
    const errors = [answer, ''].map((text) => {
      let refused: unknown;
      validate?.(Buffer.from(text), (error) => (refused = error));
      return refused;
    });
    expect(errors).toEqual([expect.any(Error), null]);
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
