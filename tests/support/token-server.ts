import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { signCertificate, type Certified } from '../../stack/certificates.ts';

const KEY_ID = 'test';
export const ISSUER = 'https://tokens.example';
export const AUDIENCE = 'kafka';

/** An OAuth 2.0 server on the loopback that issues signed tokens for client credentials. */
export interface TokenServer {
  readonly url: string;
  /** The keys with which its tokens are verified: a JSON Web Key Set. */
  readonly keySet: object;
  /** Every token issued over HTTP so far. */
  readonly issued: readonly string[];
  /** Every token signed so far. */
  readonly signed: readonly string[];
  /** What it answers from now on; undefined: a token. */
  answer: { readonly status: number; readonly body: string } | undefined;
  lifetimeSeconds: number;
  /** A token that it did not issue over HTTP. */
  sign(claims?: Readonly<Record<string, unknown>>): string;
  close(): void;
}

/** @param client the id and secret that it accepts. */
export async function startTokenServer(
  authority: Certified,
  client: { id: string; secret: string },
): Promise<TokenServer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { certificate: cert, key } = await signCertificate(authority, { name: 'tokens' });
  const encoded = [client.id, client.secret].map(encodeURIComponent).join(':');
  const expected = `Basic ${Buffer.from(encoded).toString('base64')}`;
  const issued: string[] = [];
  const signed: string[] = [];
  const server = createServer({ cert, key }, (request, response) => {
    request.resume();
    const known = request.headers.authorization === expected;
    response.statusCode = tokens.answer?.status ?? (known ? 200 : 401);
    if (tokens.answer !== undefined || !known) {
      response.end(tokens.answer?.body ?? '{"error":"invalid_client"}');
      return;
    }
    const token = tokens.sign();
    issued.push(token);
    response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: tokens.lifetimeSeconds }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const tokens: TokenServer = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    keySet: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'ES256', use: 'sig' }] },
    issued,
    signed,
    answer: undefined,
    lifetimeSeconds: 3_600,
    sign(claims = {}) {
      const nowSeconds = Math.floor(Date.now() / 1_000);
      const standard = { iss: ISSUER, aud: AUDIENCE, sub: client.id, iat: nowSeconds, jti: `${signed.length}` };
      const token = signToken(privateKey, { ...standard, exp: nowSeconds + tokens.lifetimeSeconds, ...claims });
      signed.push(token);
      return token;
    },
    close: () => server.close(),
  };
  return tokens;
}

/** A JSON Web Token (RFC 7519), signed with ES256. */
function signToken(key: KeyObject, claims: object): string {
  const content = [{ alg: 'ES256', typ: 'JWT', kid: KEY_ID }, claims]
    .map((part) => base64url(JSON.stringify(part)))
    .join('.');
  const signature = createSign('sha256').update(content).sign({ key, dsaEncoding: 'ieee-p1363' });
  return `${content}.${signature.toString('base64url')}`;
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
