import 'reflect-metadata';
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, PemConverter } from '@peculiar/x509';
import { SubjectAlternativeNameExtension, X509Certificate, X509CertificateGenerator } from '@peculiar/x509';
import { randomBytes, webcrypto } from 'node:crypto';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 24 * 60 * 60 * 1_000;
const AUTHORITY_DAYS = 3_650;
/** A service gets a new one at each start. */
const SERVICE_DAYS = 365;
/** The clocks of machines differ. */
const BACKDATE_MS = 60 * 60 * 1_000;

/** A certificate and its private key, both in PEM. */
export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

export interface Wish {
  readonly name: string;
  /** The host names or addresses by which it is reached. */
  readonly hosts: readonly { readonly type: 'ip' | 'dns'; readonly value: string }[];
  readonly notAfter?: Date;
}

const LOOPBACK: Wish['hosts'] = [
  { type: 'ip', value: '127.0.0.1' },
  { type: 'dns', value: 'localhost' },
];

/** A separate certificate authority, which signs certificates for the services of one stack. */
export async function createAuthority(name: string): Promise<Certified> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${name}`,
    ...validity(AUTHORITY_DAYS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await privateKeyPem(keys.privateKey) };
}

/** A certificate signed by the authority, for a server or a client; by default for a service on the loopback. */
export async function signCertificate(
  authority: Certified,
  { name, hosts = LOOPBACK, notAfter }: Partial<Wish> & Pick<Wish, 'name'>,
): Promise<Certified> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    PemConverter.decodeFirst(authority.key),
    ALGORITHM,
    false,
    ['sign'],
  );
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=${name}`,
    issuer: new X509Certificate(authority.certificate).subject,
    ...validity(SERVICE_DAYS, notAfter),
    signingAlgorithm: ALGORITHM,
    signingKey,
    publicKey: keys.publicKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new SubjectAlternativeNameExtension([...hosts]),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await privateKeyPem(keys.privateKey) };
}

function validity(days: number, notAfter = new Date(Date.now() + days * DAY_MS)): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Math.min(Date.now(), notAfter.getTime()) - BACKDATE_MS), notAfter };
}

/** Positive, as the standard requires: the first bit is 0. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString('hex');
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}
