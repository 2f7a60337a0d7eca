import { hash, X509Certificate } from 'node:crypto';
import { CertificateChoices, SignedData } from '@peculiar/asn1-cms';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import { TimeStampToken } from '@peculiar/asn1-tsp';
import { Certificate } from '@peculiar/asn1-x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TapeproofError } from '../../platform/errors.ts';
import {
  asked,
  hasOpenssl,
  LocalTsa,
  serveTsa,
  statementOf,
  type Answer,
  type TsaServer,
} from '../../tests/support/local-tsa.ts';
import { authorityAt, nameOf, stampedBy } from './authority.adapter.ts';
import { parseRoots } from './certificate-path.ts';
import { answerOf, digestOf, tokenIn, verifyToken } from './token.ts';

const TEXT = 'tapeproof.local/tape/raw.trades/0\n250\nTnV0IGEgcm9vdCBvZiAzMiBieXRlcywgYnV0IHRleHQ=\n';
const DIGEST = digestOf(TEXT);
/** After the certificates are made, and near enough for the clocks to agree. */
const NOW = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 60_000);
const DEADLINE_MS = 500;

/** Needs `openssl`, which every Linux and macOS has; without it the tests are skipped, and the report says so. */
describe.skipIf(!hasOpenssl)('time stamps (RFC 3161)', () => {
  let tsa: LocalTsa;
  let server: TsaServer;
  let roots: readonly X509Certificate[];
  const reply =
    (signer: string, chain?: string, section?: string): Answer =>
    (query) =>
      tsa.reply(query, signer, chain, section);
  const forged =
    (change: (query: ReturnType<typeof asked>) => Buffer, signer = 'signer', chain?: string): Answer =>
    (query) =>
      answerOf(tsa.forge(change(asked(query)), signer, chain === undefined ? {} : { chain }));
  const faithful = ({ digest, nonce }: ReturnType<typeof asked>) => statementOf(digest, NOW, nonce);
  const stamp = (
    answer: Answer,
    options: { roots?: readonly X509Certificate[] | undefined; nowMs?: number } = { roots },
  ) => {
    server.answer = answer;
    return stampedBy(authorityAt(server.url, options.roots), TEXT, {
      nowMs: () => options.nowMs ?? Date.now(),
      deadlineMs: 60_000,
    });
  };

  beforeAll(async () => {
    tsa = new LocalTsa();
    tsa.root('root');
    tsa.root('other-root');
    tsa.issue('signer', { key: 'rsa' });
    server = await serveTsa(() => undefined);
    roots = parseRoots(tsa.pem('root'));
  });
  afterAll(async () => {
    await server.close();
    tsa.remove();
  });

  it('are asked for with a nonce, and believed when all is right', async () => {
    const beforeMs = Date.now() - 1_000;
    const stamped = await stamp(reply('signer'));
    expect(stamped).toMatchObject({ isTrusted: true, signer: 'CN=signer' });
    expect(stamped.timeUs).toBeGreaterThanOrEqual(beforeMs * 1_000);
    const [request] = server.requests;
    expect(request?.contentType).toBe('application/timestamp-query');
    expect(asked(request!.query)).toMatchObject({ digest: hash('sha256', TEXT, 'buffer'), certReq: true });
    await stamp(reply('signer'));
    const nonces = server.requests.map(({ query }) => asked(query).nonce.toString('hex'));
    expect(new Set(nonces).size).toBe(server.requests.length);
    expect(tsa.verify(answerOf(stamped.token), DIGEST.toString('hex'))).toContain('Verification: OK');
    expect(tsa.verify(answerOf(stamped.token), hash('sha256', 'other'))).toContain('Verification: FAILED');
    expect(await stamp(forged(faithful))).toMatchObject({ isTrusted: true, timeUs: NOW.getTime() * 1_000 });
    expect(await stamp(reply('signer'), {})).toMatchObject({ isTrusted: false });
  });

  it('may be signed with elliptic curves, and lead to the root over other authorities', async () => {
    tsa.issue('intermediate', { extensions: 'authority' });
    tsa.issue('far', { issuer: 'intermediate' });
    expect(await stamp(reply('far', 'intermediate'))).toMatchObject({ isTrusted: true });
    await expect(stamp(reply('far'))).rejects.toThrow('does not lead to one of the given authorities');
  });

  it.each<[string, string, () => Answer]>([
    ['a rejection', 'The request is rejected (status 2', () => reply('signer', undefined, 'refusing')],
    [
      'another hash',
      'is about something else',
      () => forged(({ nonce }) => statementOf(digestOf('other'), NOW, nonce)),
    ],
    [
      'another nonce',
      'answers another request',
      () => forged(({ digest }) => statementOf(digest, NOW, Buffer.from('1234567890'))),
    ],
    ['no nonce', 'answers another request', () => forged(({ digest }) => statementOf(digest, NOW))],
    [
      'a time before its certificate',
      'was not valid at its time',
      () => forged(({ digest, nonce }) => statementOf(digest, new Date('2020-01-01T00:00:00Z'), nonce)),
    ],
    ['garbage', 'is not a time stamp: it is truncated', () => () => Buffer.from('<html>Welcome!</html>')],
    ['an empty answer', 'is not a time stamp: it is truncated', () => () => Buffer.alloc(0)],
    ['a long answer', 'has more than 65536 bytes', () => () => Buffer.alloc(100_000)],
    [
      'a page that is not found',
      'HTTP status 404',
      () => (_, response) => {
        response.writeHead(404).end();
        return undefined;
      },
    ],
  ])('are refused: %s', async (_, reason, answer) => {
    const failure = await stamp(answer()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TapeproofError);
    expect((failure as TapeproofError).message).toContain(reason);
    expect((failure as TapeproofError).code).not.toBe('UNREACHABLE');
  });

  it.each<[string, string, string, string?]>([
    ['web', 'not for time stamps alone', 'web'],
    ['without', 'not for time stamps alone', 'signer-without'],
    ['both', 'not for time stamps alone', 'signer-of-both'],
    ['not-critical', 'not for time stamps alone', 'signer-not-critical'],
    ['key-only', 'not for signatures', 'key-only'],
    ['strange', 'critical extension that is not understood here (1.2.3.4.5)', 'strange'],
    ['of-other', 'does not lead to one of the given authorities', 'signer', 'other-root'],
    ['of-signer', 'does not lead to one of the given authorities', 'signer', 'signer'],
    ['of-web', 'does not lead to one of the given authorities', 'signer', 'web-authority'],
  ])('are refused with the certificate %s', async (name, reason, extensions, issuer = 'root') => {
    if (issuer === 'web-authority') tsa.issue(issuer, { extensions: issuer });
    tsa.issue(name, { extensions, issuer });
    await expect(stamp(forged(faithful, name, issuer))).rejects.toThrow(reason);
  });

  it('are refused with a certificate that has expired, or whose authority has', async () => {
    tsa.issue('expired', { from: '20200101000000Z', to: '20200201000000Z' });
    await expect(stamp(reply('expired'))).rejects.toThrow('was not valid at its time');
    await expect(stamp(reply('expired'), {})).rejects.toThrow('was not valid at its time');
    tsa.issue('old-authority', { extensions: 'authority', from: '20200101000000Z', to: '20200201000000Z' });
    tsa.issue('of-old', { issuer: 'old-authority' });
    await expect(stamp(reply('of-old', 'old-authority'))).rejects.toThrow('was not valid at its time');
    const then = statementOf(DIGEST, new Date('2020-01-15T00:00:00Z'));
    const longAgo = parseRoots(tsa.pem('expired'));
    expect(verifyToken(tsa.forge(then, 'expired'), { digest: DIGEST, roots: longAgo })).toMatchObject({
      isTrusted: true,
    });
  });

  it("are refused when the authority only has the root's name", async () => {
    const impostor = new LocalTsa();
    try {
      impostor.root('root');
      impostor.issue('signer');
      await expect(stamp((query) => impostor.reply(query, 'signer'))).rejects.toThrow('does not lead to one');
    } finally {
      impostor.remove();
    }
  });

  it('are refused over more authorities than one of them allows', async () => {
    tsa.issue('last', { extensions: 'last-authority' });
    tsa.issue('beneath', { extensions: 'authority', issuer: 'last' });
    tsa.issue('of-last', { issuer: 'last' });
    tsa.issue('of-beneath', { issuer: 'beneath' });
    expect(await stamp(forged(faithful, 'of-last', 'last'))).toMatchObject({ isTrusted: true });
    const both = parseRoots(tsa.pem('root') + tsa.pem('beneath'));
    expect(await stamp(forged(faithful, 'of-beneath', 'beneath'), { roots: both })).toMatchObject({ isTrusted: true });
    const token = withCertificates(tsa.forge(statementOf(DIGEST, NOW), 'of-beneath'), [
      'of-beneath',
      'beneath',
      'last',
    ]);
    expect(() => verifyToken(token, { digest: DIGEST, roots })).toThrow('does not lead to one');
  });

  it('are refused unless they name the very certificate that signed', () => {
    const statement = statementOf(DIGEST, NOW);
    expect(() => verifyToken(tsa.forge(statement, 'signer', { ess: false }), { digest: DIGEST })).toThrow(
      'names another certificate',
    );
    // The same key, issuer and serial number: only the hash differs.
    const token = tsa.forge(statement, 'signer');
    const own = AsnConvert.parse(new X509Certificate(tsa.pem('signer')).raw, Certificate);
    own.tbsCertificate.validity.notAfter.utcTime = new Date('2040-01-01T00:00:00Z');
    delete own.tbsCertificateRaw;
    expect(() =>
      verifyToken(
        changed(token, (signed) => {
          setCertificates(signed, [own]);
        }),
        { digest: DIGEST },
      ),
    ).toThrow('names another certificate');
    const none = changed(token, (signed) => {
      setCertificates(signed, []);
    });
    expect(() => verifyToken(none, { digest: DIGEST })).toThrow('does not have the certificate');
  });

  it('are refused when they were changed after signing', async () => {
    const { token } = await stamp(forged(faithful));
    const earlier = statementOf(DIGEST, new Date(NOW.getTime() - 3_600_000));
    const moved = changed(token, ({ encapContentInfo }) => {
      encapContentInfo.eContent!.single = new OctetString(earlier);
    });
    expect(() => verifyToken(moved, { digest: DIGEST })).toThrow('has a signature over another statement');
    const other = AsnConvert.parse(AsnConvert.parse(tsa.forge(earlier, 'signer'), TimeStampToken).content, SignedData);
    const unsigned = changed(token, (signed) => {
      signed.encapContentInfo = other.encapContentInfo;
      signed.signerInfos[0]!.signedAttrs = other.signerInfos[0]!.signedAttrs!;
    });
    expect(() => verifyToken(unsigned, { digest: DIGEST })).toThrow('has a wrong signature');
  });

  it('are refused as a whole where any byte differs or is missing', async () => {
    const { token, timeUs } = await stamp(reply('signer'));
    const answer = answerOf(token);
    const failureOf = (work: () => unknown): unknown => {
      try {
        return work();
      } catch (error) {
        return error;
      }
    };
    for (let length = 0; length < answer.length; length += 7) {
      expect(failureOf(() => tokenIn(answer.subarray(0, length)))).toBeInstanceOf(TapeproofError);
    }
    let refusals = 0;
    for (let index = 0; index < token.length; index += 11) {
      const bytes = Buffer.from(token);
      bytes[index]! ^= 1 << (index % 8);
      const result = failureOf(() => verifyToken(bytes, { digest: DIGEST, roots }));
      // Outside what is signed are only version numbers and lists of algorithms.
      if (result instanceof Error) refusals += 1;
      else expect(result).toEqual({ timeUs, signer: 'CN=signer', isTrusted: true });
      if (result instanceof Error) expect(result).toBeInstanceOf(TapeproofError);
    }
    expect(refusals).toBeGreaterThan(token.length / 11 - 20);
  });

  it('are refused when the clocks differ', async () => {
    const failure = stamp(reply('signer'), { nowMs: Date.now() + 400_000 });
    await expect(failure).rejects.toThrow(/differs from the clock of this machine by (399|400|401) s/);
  });

  it.each<[string, Answer]>([
    ['silent', () => undefined],
    [
      'slow',
      (_, response) => {
        const drip = setInterval(() => response.write('0'), 20);
        response.on('close', () => {
          clearInterval(drip);
        });
        return undefined;
      },
    ],
    [
      'out of order',
      (_, response) => {
        response.writeHead(503).end();
        return undefined;
      },
    ],
  ])('are given up by a deadline when the authority is %s', async (_, answer) => {
    server.answer = answer;
    const url = server.url.replace('//', '//user:secret-word@');
    const asking = stampedBy(authorityAt(`${url}?key=secret-word`), TEXT, { nowMs: Date.now, deadlineMs: DEADLINE_MS });
    const failure = (await asking.catch((error: unknown) => error)) as TapeproofError;
    expect(failure).toMatchObject({ code: 'UNREACHABLE' });
    expect(failure.message).not.toContain('secret');
  });

  it('are not asked for at what is not an address, nor believed with what are not authorities', () => {
    expect(() => authorityAt('ftp://user:word@host/')).toThrow(/not a valid URL: give http/);
    expect(() => authorityAt('secret')).toThrow(/^The address of the time-stamping authority is not a valid URL/);
    expect(nameOf(authorityAt('https://user:word@tsa.example/key?token=1'))).toBe('https://tsa.example');
    expect(() => parseRoots('nothing')).toThrow('has no certificate');
    expect(() => parseRoots(tsa.pem('root').replace(/[A-Za-z]{30}/, ''))).toThrow('Certificate 1 of the file');
  });

  function withCertificates(token: Buffer, names: readonly string[]): Buffer {
    const all = names.map((name) => AsnConvert.parse(new X509Certificate(tsa.pem(name)).raw, Certificate));
    return changed(token, (signed) => {
      setCertificates(signed, all);
    });
  }
});

function changed(token: Buffer, change: (signed: SignedData) => void): Buffer {
  const whole = AsnConvert.parse(token, TimeStampToken);
  const signed = AsnConvert.parse(whole.content, SignedData);
  change(signed);
  whole.content = AsnConvert.serialize(signed);
  return Buffer.from(AsnConvert.serialize(whole));
}

function setCertificates({ certificates }: SignedData, all: readonly Certificate[]): void {
  certificates!.length = 0;
  for (const certificate of all) certificates!.push(new CertificateChoices({ certificate }));
}
