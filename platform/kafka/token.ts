import { TapeproofError } from '../errors.ts';
import { keepSecret } from '../security/redaction.ts';
import { requestHttp } from '../security/http.ts';
import { fileSetting, secretSetting, setting, type Environment } from '../security/settings.ts';

const TOKEN_DEADLINE_MS = 10_000;
/** A token is renewed when this little of its lifetime is left. */
const RENEW_BEFORE_MS = 30_000;

/**
 * Tokens by OAuth 2.0's client credentials (RFC 6749, 4.4), each cached for its lifetime; undefined where
 * TAPEPROOF_KAFKA_TOKEN_URL is not set.
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
  let token = '';
  let renewAtMs = 0;
  return async () => {
    if (Date.now() < renewAtMs) return token;
    const { status, text } = await requestHttp(url, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
      deadlineMs: TOKEN_DEADLINE_MS,
      tls: ca === undefined ? {} : { ca },
    });
    if (status !== 200) {
      throw new TapeproofError(
        'UNREACHABLE',
        `The server at TAPEPROOF_KAFKA_TOKEN_URL gives no token (it answered ${status}): check TAPEPROOF_KAFKA_CLIENT_ID and its secret.`,
      );
    }
    const answer = JSON.parse(text) as { readonly access_token?: unknown; readonly expires_in?: unknown };
    if (typeof answer.access_token !== 'string') throw new Error('the token server answers without a token');
    token = answer.access_token;
    keepSecret(token);
    renewAtMs = Date.now() + Number(answer.expires_in ?? 0) * 1_000 - RENEW_BEFORE_MS;
    return token;
  };
}
