import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { redact } from '../security/redaction.ts';
import { tokenByAwsRole } from './msk-token.ts';
import { kafkajsSecurity, kafkaSecurityFrom } from './security.ts';

const REGION = { TAPEPROOF_KAFKA_AWS_REGION: 'eu-central-1' };
const OAUTH = { TAPEPROOF_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', TAPEPROOF_KAFKA_SASL_MECHANISM: 'OAUTHBEARER' };

describe('with credentials in the environment', () => {
  beforeEach(() => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY');
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('signs a request to connect to Kafka in that region, offline', async () => {
    const token = await tokenByAwsRole(REGION)?.();
    const request = new URL(Buffer.from(token ?? '', 'base64url').toString());
    expect(request.host).toBe('kafka.eu-central-1.amazonaws.com');
    expect(request.searchParams.get('Action')).toBe('kafka-cluster:Connect');
    expect(request.searchParams.get('X-Amz-Credential')).toMatch(/^AKIDEXAMPLE\/\d{8}\/eu-central-1\/kafka-cluster\//);
    expect(request.searchParams.get('X-Amz-Expires')).toBe('900');
    expect(request.searchParams.get('X-Amz-Signature')).toMatch(/^[0-9a-f]{64}$/);
    expect(redact(`the token is ${token ?? ''}`)).toBe('the token is [secret]');
  });

  it('is one of the sources of OAUTHBEARER', () => {
    const { sasl } = kafkajsSecurity(kafkaSecurityFrom({ ...OAUTH, ...REGION }));
    expect(sasl).toMatchObject({ mechanism: 'oauthbearer' });
    expect(() => kafkaSecurityFrom({ ...OAUTH, ...REGION, TAPEPROOF_KAFKA_TOKEN: 'another-token' })).toThrow(
      'one source of tokens',
    );
  });
});

describe('a token', () => {
  it('is kept until a third of its time is left, and asked for once at a time', async () => {
    let signatures = 0;
    let lifetimeMs = 900_000;
    const ask = tokenByAwsRole(REGION, () => {
      signatures += 1;
      return Promise.resolve({ token: `token-number-${signatures}`, expiryTime: Date.now() + lifetimeMs });
    });
    expect(await Promise.all([ask?.(), ask?.()])).toEqual(['token-number-1', 'token-number-1']);
    expect(await ask?.()).toBe('token-number-1');
    expect(redact('token-number-1')).toBe('[secret]');
    lifetimeMs = 299_000;
    const short = tokenByAwsRole(REGION, () => {
      signatures += 1;
      return Promise.resolve({ token: `token-number-${signatures}`, expiryTime: Date.now() + lifetimeMs });
    });
    expect([await short?.(), await short?.()]).toEqual(['token-number-2', 'token-number-3']);
    // What was replaced makes no room for itself.
    expect(redact('token-number-2 token-number-3')).toBe('token-number-2 [secret]');
  });

  it('that cannot be signed is an outage, in a sentence without a cause', async () => {
    const ask = tokenByAwsRole(REGION, () => Promise.reject(new Error('Could not load credentials.')));
    const error = await ask?.().catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({ code: 'UNREACHABLE' });
    expect((error as Error).cause).toBeUndefined();
    expect(String(error)).toContain('(Could not load credentials): give its task or service account a role.');
  });
});

it.each(['Frankfurt', 'eu-central', 'eu-central-1a', '-1'])('refuses the region %s', (region) => {
  expect(() => tokenByAwsRole({ TAPEPROOF_KAFKA_AWS_REGION: region })).toThrow(
    expect.objectContaining({ code: 'CONFIGURATION' }),
  );
});

it('is absent where nothing names a region', () => {
  expect(tokenByAwsRole({})).toBeUndefined();
});
