import { TapeproofError } from '../errors.ts';
import { keepSecret } from '../security/redaction.ts';
import { requestHttp, type HttpAnswer } from '../security/http.ts';
import { fileSetting, secretSetting, setting, type Environment } from '../security/settings.ts';
import { tlsRefusal } from '../security/tls.ts';

const TOKEN_DEADLINE_MS = 10_000;
/** A token is renewed when this little of its lifetime is left. */
const RENEW_BEFORE_MS = 30_000;

/**
 * Tokens by OAuth 2.0's client credentials (RFC 6749, 4.4), each cached until shortly before it expires; undefined where
 * TAPEPROOF_KAFKA_TOKEN_URL is not set. The function rejects with TapeproofError UNREACHABLE when there is no token.
 *
 * @throws TapeproofError CONFIGURATION when the client's id or secret is missing, or the address is not valid.
 */
export function tokenByClientCredentials(environment: Environment): (() => Promise<string>) | undefined {
  const url = setting(environment, 'TAPEPROOF_KAFKA_TOKEN_URL');
  if (url === undefined) return undefined;
  const id = setting(environment, 'TAPEPROOF_KAFKA_CLIENT_ID');
  const secret = secretSetting(environment, 'TAPEPROOF_KAFKA_CLIENT_SECRET');
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol) || id === undefined || secret === undefined) {
    throw new TapeproofError(
      'CONFIGURATION',
      'TAPEPROOF_KAFKA_TOKEN_URL needs an address that begins with https://, TAPEPROOF_KAFKA_CLIENT_ID, and TAPEPROOF_KAFKA_CLIENT_SECRET or TAPEPROOF_KAFKA_CLIENT_SECRET_FILE.',
    );
  }
  const scope = setting(environment, 'TAPEPROOF_KAFKA_TOKEN_SCOPE');
  const ca = fileSetting(environment, 'TAPEPROOF_KAFKA_TOKEN_CA_FILE');
  const body = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) });
  const basic = Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64');
  keepSecret(basic);
  const ask = () =>
    requestHttp(url, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
      deadlineMs: TOKEN_DEADLINE_MS,
      tls: ca === undefined ? {} : { ca },
    });
  let token: IssuedToken | undefined;
  let asking: Promise<IssuedToken> | undefined;
  return async () => {
    if (token !== undefined && Date.now() < token.expiresAtMs - RENEW_BEFORE_MS) return token.value;
    asking ??= issuedBy(ask).finally(() => {
      asking = undefined;
    });
    try {
      token = await asking;
    } catch (error) {
      // What is left of its lifetime may outlast the outage of its issuer.
      if (token === undefined || Date.now() >= token.expiresAtMs) throw error;
    }
    return token.value;
  };
}

interface IssuedToken {
  readonly value: string;
  readonly expiresAtMs: number;
}

/** @throws TapeproofError UNREACHABLE, without a cause: kafkajs would report that in its place. */
async function issuedBy(ask: () => Promise<HttpAnswer>): Promise<IssuedToken> {
  const askedAtMs = Date.now();
  const { status, text } = await ask().catch((error: unknown) => {
    throw noToken(
      tlsRefusal(error, 'KAFKA_TOKEN') ?? `does not answer (${(error as Error).message}): check the address.`,
    );
  });
  if (status !== 200) {
    throw noToken(
      `gives no token (it answered ${status}): check TAPEPROOF_KAFKA_CLIENT_ID, its secret and TAPEPROOF_KAFKA_TOKEN_SCOPE.`,
    );
  }
  const { access_token: value, expires_in: lifetimeSeconds } = objectIn(text);
  if (typeof value !== 'string' || value === '') {
    throw noToken('answers without a token: check that the address is that of a token endpoint.');
  }
  keepSecret(value);
  // Some servers write the number as a string.
  const lifetimeMs = (Number(lifetimeSeconds) || 0) * 1_000;
  return { value, expiresAtMs: askedAtMs + lifetimeMs };
}

function noToken(rest: string): TapeproofError {
  return new TapeproofError('UNREACHABLE', `The server at TAPEPROOF_KAFKA_TOKEN_URL ${rest}`);
}

/** The members of a JSON object; none where the text is something else. */
function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
