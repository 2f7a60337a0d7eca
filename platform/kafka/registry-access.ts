import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { Agent } from 'node:https';
import { TapeproofError } from '../errors.ts';
import { requestHttp, type HttpAnswer } from '../security/http.ts';
import { secretSetting, settings } from '../security/settings.ts';
import { serverNameOf, tlsFrom, tlsRefusal, type TlsOptions } from '../security/tls.ts';

/** One request to the schema registry, which may be sent twice; authenticated by the URL or TAPEPROOF_REGISTRY_TOKEN. */
export function askRegistry(url: string, method: string, deadlineMs: number, content?: object): Promise<HttpAnswer> {
  const token = tokenFor(url);
  return requestHttp(url, {
    method,
    headers: {
      accept: 'application/json',
      'content-type': 'application/vnd.schemaregistry.v1+json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(content === undefined ? {} : { body: JSON.stringify(content) }),
    deadlineMs,
    tls: registryTls(url) ?? {},
    keepsConnection: true,
  });
}

type ClientOptions = ConstructorParameters<typeof SchemaRegistry>[0];

/** The same for the registry's client library, which takes address, user and certificates separately. */
export function clientAccess(url: string): ClientOptions {
  const address = new URL(url);
  const { username, password } = address;
  address.username = '';
  address.password = '';
  const tls = registryTls(url);
  const token = tokenFor(url);
  const bearer = () => ({
    prepareRequest: async (next: () => Promise<{ enhance(extras: object): unknown }>) =>
      (await next()).enhance({ headers: { authorization: `Bearer ${tokenFor(url) ?? ''}` } }),
  });
  return {
    host: address.href.replace(/\/+$/, ''),
    ...(username === '' && password === ''
      ? {}
      : { auth: { username: decodeURIComponent(username), password: decodeURIComponent(password) } }),
    ...(tls === undefined ? {} : { agent: new Agent(tls) }),
    ...(token === undefined ? {} : { middlewares: [bearer] as unknown as NonNullable<ClientOptions['middlewares']> }),
  };
}

/** @throws TapeproofError CONFIGURATION where certificates are set for a connection in plain text. */
function registryTls(url: string): TlsOptions | undefined {
  const { protocol, hostname } = new URL(url);
  const tls = tlsFrom(settings(), 'REGISTRY');
  if (protocol === 'https:') return { ...serverNameOf(hostname), ...tls };
  if (tls === undefined) return undefined;
  throw new TapeproofError(
    'CONFIGURATION',
    'A certificate is set for the schema registry and TAPEPROOF_REGISTRY_URL begins with http://: begin it with https://.',
  );
}

/** Read again each time: renewing the token replaces its file. */
function tokenFor(url: string): string | undefined {
  const token = secretSetting(settings(), 'TAPEPROOF_REGISTRY_TOKEN');
  if (token === undefined || new URL(url).username === '') return token;
  throw new TapeproofError(
    'CONFIGURATION',
    'The schema registry has a user name and TAPEPROOF_REGISTRY_TOKEN is set too: give one of them.',
  );
}

/** Why a reachable registry does not serve this process, by its answer's status or the connection's error. */
export function registryRefusal(url: string, answer: unknown): TapeproofError | undefined {
  const place = `The schema registry at ${new URL(url).host}`;
  const tls = tlsRefusal(answer, 'REGISTRY');
  if (tls !== undefined) return new TapeproofError('UNREACHABLE', `${place} ${tls}`, { cause: answer });
  if (answer === 401) {
    return new TapeproofError(
      'UNREACHABLE',
      `${place} does not accept the credentials of this process (it answered 401): check TAPEPROOF_REGISTRY_USERNAME and TAPEPROOF_REGISTRY_PASSWORD, or TAPEPROOF_REGISTRY_TOKEN.`,
    );
  }
  if (answer === 403) {
    return new TapeproofError(
      'UNREACHABLE',
      `${place} does not authorise this process (it answered 403): give its user the right to read and register schemas.`,
    );
  }
  return undefined;
}
