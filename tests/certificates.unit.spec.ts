import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createRegistry, registryProbe } from '../platform/kafka/registry.ts';
import { tokenByClientCredentials } from '../platform/kafka/token.ts';
import { useSettings } from '../platform/security/settings.ts';
import { createAuthority, signCertificate, type Certified } from '../stack/certificates.ts';

/** A server with good certificates and every kind of bad ones, in place of a schema registry. */
const folder = mkdtempSync(join(tmpdir(), 'tapeproof-certificates-'));
const ID = 'secret-token-of-nobody';
let authority: Certified;
const servers: Server[] = [];

beforeAll(async () => {
  authority = await createAuthority('Test authority');
  writeFileSync(join(folder, 'ca.pem'), authority.certificate);
});

afterEach(() => {
  useSettings(process.env);
  for (const server of servers.splice(0)) server.close();
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** @returns the server's address, with a host that its certificate names unless another is given. */
async function serve(certified: Certified, more: object = {}): Promise<string> {
  const { certificate: cert, key } = certified;
  const server = createServer({ cert, key, ...more }, (request, response) => {
    const { authorization } = request.headers;
    const known = [`Basic ${Buffer.from('user:p@ss/word').toString('base64')}`, `Bearer ${ID}`, undefined];
    response.statusCode = known.includes(authorization) ? 200 : 401;
    response.end(JSON.stringify({ access_token: `${ID}-fresh`, expires_in: 3600, authorization }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const trusting = { TAPEPROOF_REGISTRY_CA_FILE: join(folder, 'ca.pem') };

describe('a registry over TLS', () => {
  it('is accepted if its certificate is signed by the trusted authority', async () => {
    useSettings(trusting);
    const url = await serve(await signCertificate(authority, { name: 'registry' }));
    await registryProbe(url).check();
    await registryProbe(url.replace('https://', 'https://user:p%40ss%2Fword@')).check();
  });

  it('gets a bearer token, whose refusal is one sentence', async () => {
    const url = await serve(await signCertificate(authority, { name: 'registry' }));
    useSettings({ ...trusting, TAPEPROOF_REGISTRY_TOKEN: ID });
    await registryProbe(url).check();
    useSettings({ ...trusting, TAPEPROOF_REGISTRY_TOKEN: 'another-token' });
    await expect(createRegistry(url).check()).rejects.toThrow(
      /does not accept the credentials of this process \(it answered 401\)/,
    );
  });

  it.each([
    ['an unknown authority', {}, 'set TAPEPROOF_REGISTRY_CA_FILE'],
    [
      'another host name',
      { hosts: [{ type: 'dns', value: 'elsewhere.example' }] },
      'certificate for another host name',
    ],
    ['a certificate that has expired', { notAfter: new Date(Date.now() - 60_000) }, 'certificate that has expired'],
  ] as const)('refuses %s', async (what, wish, sentence) => {
    useSettings(what === 'an unknown authority' ? {} : trusting);
    const url = await serve(await signCertificate(authority, { name: 'registry', ...wish }));
    await expect(createRegistry(url).check()).rejects.toMatchObject({
      code: 'UNREACHABLE',
      message: expect.stringContaining(sentence) as string,
    });
  });

  it('gets the certificate of this process if it requires one', async () => {
    const server = await signCertificate(authority, { name: 'registry' });
    const url = await serve(server, { ca: authority.certificate, requestCert: true, rejectUnauthorized: true });
    useSettings(trusting);
    await expect(registryProbe(url).check()).rejects.toThrow();
    const { certificate, key } = await signCertificate(authority, { name: 'engine' });
    writeFileSync(join(folder, 'engine.pem'), certificate);
    writeFileSync(join(folder, 'engine-key.pem'), key);
    useSettings({
      ...trusting,
      TAPEPROOF_REGISTRY_CERTIFICATE_FILE: join(folder, 'engine.pem'),
      TAPEPROOF_REGISTRY_KEY_FILE: join(folder, 'engine-key.pem'),
    });
    await registryProbe(url).check();
  });
});

describe('tokenByClientCredentials', () => {
  it('requests a token from the endpoint and keeps it for its lifetime', async () => {
    const url = await serve(await signCertificate(authority, { name: 'tokens' }));
    const token = tokenByClientCredentials({
      TAPEPROOF_KAFKA_TOKEN_URL: url,
      TAPEPROOF_KAFKA_TOKEN_CA_FILE: join(folder, 'ca.pem'),
      TAPEPROOF_KAFKA_CLIENT_ID: 'user',
      // Percent-encoded in the header, as RFC 6749 requires: this secret has nothing to encode.
      TAPEPROOF_KAFKA_CLIENT_SECRET: 'unknown-secret',
    });
    await expect(token?.()).rejects.toThrow(/gives no token \(it answered 401\)/);
  });
});
