import { hash, verify, X509Certificate, type KeyObject } from 'node:crypto';
import {
  Attribute,
  id_contentType,
  id_messageDigest,
  id_signedData,
  IssuerAndSerialNumber,
  SignedData,
  type SignerInfo,
} from '@peculiar/asn1-cms';
import { AsnArray, AsnConvert, AsnProp, AsnPropTypes, AsnType, AsnTypeTypes, OctetString } from '@peculiar/asn1-schema';
import {
  id_ct_tstInfo,
  MessageImprint,
  PKIStatus,
  PKIStatusInfo,
  TimeStampReq,
  TimeStampReqVersion,
  TimeStampResp,
  TimeStampToken,
  TSTInfo,
} from '@peculiar/asn1-tsp';
import { AlgorithmIdentifier, Certificate } from '@peculiar/asn1-x509';
import { TapeproofError } from '../../platform/errors.ts';
import { notUsable, quoted } from '../tlog/encoding.ts';
import { assertPath, assertTimestampSigner, refused } from './certificate-path.ts';

/** Time stamps as in RFC 3161: requests, answers, and what must hold before a token is believed. */

const US_PER_MS = 1_000;
const SHA_1 = '1.3.14.3.2.26';
const SHA_256 = '2.16.840.1.101.3.4.2.1';
const HASHES: Readonly<Record<string, string>> = {
  [SHA_256]: 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
/** Only names a certificate whose key has verified the signature; RFC 2634 knows no other. */
const CERTIFICATE_HASHES: Readonly<Record<string, string>> = { ...HASHES, [SHA_1]: 'sha1' };
/** RSASSA-PKCS1-v1_5 with the digest of the signer's information. */
const RSA = '1.2.840.113549.1.1.1';
/** Signatures by Node's name of the hash; null where the algorithm has its own. */
const SIGNATURES: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
};
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';
/** id-ct-TSTInfo in DER. */
const STATEMENT_TYPE = Buffer.from('060b2a864886f70d0109100104', 'hex');

/** What is signed: the attributes under the tag of a set, in the order in which they are sent (RFC 5652, 5.4). */
class SignedAttributes extends AsnArray<Attribute> {}
AsnType({ type: AsnTypeTypes.Set, itemType: Attribute })(SignedAttributes);

/** ESSCertID and ESSCertIDv2 of RFC 5035: no package has them. */
class EssCertificateId {
  hashAlgorithm?: AlgorithmIdentifier;
  certHash = new OctetString();
  issuerSerial?: ArrayBuffer;
}
AsnProp({ type: AlgorithmIdentifier, optional: true })(EssCertificateId.prototype, 'hashAlgorithm');
AsnProp({ type: OctetString })(EssCertificateId.prototype, 'certHash');
AsnProp({ type: AsnPropTypes.Any, optional: true })(EssCertificateId.prototype, 'issuerSerial');

/** SigningCertificate and SigningCertificateV2 of RFC 5035: which certificate signed. */
class SigningCertificate {
  certs: EssCertificateId[] = [];
  policies?: ArrayBuffer;
}
AsnProp({ type: EssCertificateId, repeated: 'sequence' })(SigningCertificate.prototype, 'certs');
AsnProp({ type: AsnPropTypes.Any, optional: true })(SigningCertificate.prototype, 'policies');

/** What a token must be about. */
export interface ExpectedTimestamp {
  /** SHA-256 of what is stamped, 32 bytes. */
  readonly digest: Buffer;
  /** Of the request, where the token answers one. */
  readonly nonce?: Buffer;
  /** Authorities that are trusted; without them the signer's certificate leads nowhere. */
  readonly roots?: readonly X509Certificate[] | undefined;
}

/** What a token that was verified states. */
export interface VerifiedTimestamp {
  /** By the authority's clock, microseconds since 1970. */
  readonly timeUs: number;
  /** Subject of the certificate that signed. */
  readonly signer: string;
  /** True when the certificate leads to one of the roots. */
  readonly isTrusted: boolean;
}

/** What is stamped: the SHA-256 of the text that the log and its witnesses sign, 32 bytes. */
export function digestOf(noteText: string): Buffer {
  return hash('sha256', noteText, 'buffer');
}

/**
 * A request for a time stamp, DER, which asks for the certificate with it.
 *
 * @param nonce - its first byte is from 0x01 to 0x7f: a positive number in its shortest form.
 */
export function timestampRequest(digest: Buffer, nonce: Buffer): Buffer {
  const imprint = new MessageImprint({
    hashAlgorithm: new AlgorithmIdentifier({ algorithm: SHA_256, parameters: null }),
    hashedMessage: new OctetString(digest),
  });
  const request = new TimeStampReq({
    ...{ version: TimeStampReqVersion.v1, messageImprint: imprint, certReq: true },
    nonce: new Uint8Array(nonce).buffer,
  });
  return Buffer.from(AsnConvert.serialize(request));
}

/**
 * The token in an authority's answer, DER; not verified yet.
 *
 * @throws TapeproofError CHECK_FAILED when the authority rejects the request; NOT_USABLE when it is not an answer.
 */
export function tokenIn(answer: Buffer): Buffer {
  const { status, timeStampToken } = parsedAnswer(answer);
  if (status.status !== PKIStatus.granted && status.status !== PKIStatus.grantedWithMods) {
    const text = Array.from(status.statusString ?? []).join(' ');
    throw new TapeproofError(
      'CHECK_FAILED',
      `The request is rejected (status ${status.status}${text === '' ? '' : `, ${quoted(text)}`}).`,
    );
  }
  if (timeStampToken === undefined) throw notUsable('The answer says that it is granted, and has no time stamp');
  return Buffer.from(AsnConvert.serialize(timeStampToken));
}

function parsedAnswer(answer: Buffer): TimeStampResp {
  try {
    return AsnConvert.parse(answer, TimeStampResp);
  } catch (error) {
    throw notUsable('The answer is not a time stamp: it is truncated or of another format', error);
  }
}

/** A token as an answer that grants it, DER: what tools keep as a file `.tsr`. */
export function answerOf(token: Buffer): Buffer {
  const timeStampToken = AsnConvert.parse(token, TimeStampToken);
  const status = new PKIStatusInfo({ status: PKIStatus.granted });
  return Buffer.from(AsnConvert.serialize(new TimeStampResp({ status, timeStampToken })));
}

/**
 * Verifies a token: what it is about, who signed it, with which certificate, and, where roots are given, that the
 * certificate leads to one of them.
 *
 * @throws TapeproofError NOT_USABLE when it is not a token; CHECK_FAILED when it must not be believed.
 */
export function verifyToken(token: Buffer, expected: ExpectedTimestamp): VerifiedTimestamp {
  try {
    return verified(token, expected);
  } catch (error) {
    if (error instanceof TapeproofError) throw error;
    // Parsers of ASN.1 throw whatever they like.
    throw notUsable('The time stamp is damaged: it is truncated or of another format', error);
  }
}

function verified(token: Buffer, { digest, nonce, roots }: ExpectedTimestamp): VerifiedTimestamp {
  const { contentType, content } = AsnConvert.parse(token, TimeStampToken);
  if (contentType !== id_signedData) throw notUsable('The time stamp is not signed data');
  const signed = AsnConvert.parse(content, SignedData);
  const { eContentType, eContent } = signed.encapContentInfo;
  if (eContentType !== id_ct_tstInfo || eContent?.single === undefined)
    throw notUsable('The time stamp has no statement of a time');
  const statement = Buffer.from(eContent.single.buffer);
  const info = AsnConvert.parse(statement, TSTInfo);
  assertAbout(info, digest, nonce);
  const [signerInfo, ...more] = signed.signerInfos;
  if (signerInfo === undefined || more.length > 0)
    throw notUsable('The time stamp does not have exactly one signature');
  const certificates = certificatesOf(signed);
  const signer = signerAmong(certificates, signerInfo);
  assertSigned(signerInfo, statement, signer);
  const atMs = info.genTime.getTime();
  if (!Number.isSafeInteger(atMs) || atMs <= 0) throw notUsable('The time stamp has no valid time');
  assertTimestampSigner(signer, atMs);
  if (roots !== undefined) assertPath(signer, certificates, roots, atMs);
  return { timeUs: atMs * US_PER_MS, signer: oneLine(signer.subject), isTrusted: roots !== undefined };
}

function assertAbout({ version, messageImprint, nonce }: TSTInfo, digest: Buffer, asked: Buffer | undefined): void {
  // A number, whatever its type says.
  if ((version as number) !== 1) throw notUsable('The time stamp is of a version that is not known here');
  const { hashAlgorithm, hashedMessage } = messageImprint;
  if (hashAlgorithm.algorithm !== SHA_256 || !digest.equals(Buffer.from(hashedMessage.buffer)))
    throw refused('is about something else: its hash is not that of the checkpoint');
  if (asked !== undefined && (nonce === undefined || !asked.equals(Buffer.from(nonce))))
    throw refused('answers another request: its nonce is not the one that was sent');
}

function certificatesOf({ certificates }: SignedData): readonly X509Certificate[] {
  return Array.from(certificates ?? []).flatMap(({ certificate }) => {
    if (certificate === undefined) return [];
    try {
      return [new X509Certificate(Buffer.from(AsnConvert.serialize(certificate)))];
    } catch (error) {
      throw notUsable('The time stamp has a damaged certificate', error);
    }
  });
}

/** The certificate that the signature names, by issuer and serial number or by key, and by its hash. */
function signerAmong(certificates: readonly X509Certificate[], { sid, signedAttrs }: SignerInfo): X509Certificate {
  const named = certificates.find((certificate) => {
    const { tbsCertificate } = AsnConvert.parse(certificate.raw, Certificate);
    if (sid.issuerAndSerialNumber === undefined) return isNamedByHash(certificate, signedAttrs);
    const { issuer, serialNumber } = tbsCertificate;
    const own = new IssuerAndSerialNumber({ issuer, serialNumber });
    return sameDer(own, sid.issuerAndSerialNumber);
  });
  if (named === undefined) throw refused('does not have the certificate that signed it');
  if (!isNamedByHash(named, signedAttrs)) throw refused('names another certificate than the one that signed it');
  return named;
}

function sameDer(left: object, right: object): boolean {
  return Buffer.from(AsnConvert.serialize(left)).equals(Buffer.from(AsnConvert.serialize(right)));
}

function isNamedByHash(certificate: X509Certificate, attributes: readonly Attribute[] | undefined): boolean {
  const second = valueOf(attributes, SIGNING_CERTIFICATE_V2);
  const value = second ?? valueOf(attributes, SIGNING_CERTIFICATE);
  if (value === undefined) return false;
  const [id] = AsnConvert.parse(value, SigningCertificate).certs;
  if (id === undefined) return false;
  const algorithm = CERTIFICATE_HASHES[id.hashAlgorithm?.algorithm ?? (second === undefined ? SHA_1 : SHA_256)];
  return algorithm !== undefined && hash(algorithm, certificate.raw, 'buffer').equals(Buffer.from(id.certHash.buffer));
}

function assertSigned(signerInfo: SignerInfo, statement: Buffer, { publicKey }: X509Certificate): void {
  const { signedAttrs, digestAlgorithm, signatureAlgorithm, signature } = signerInfo;
  const digestName = HASHES[digestAlgorithm.algorithm];
  const name = signatureAlgorithm.algorithm;
  const signatureHash = name === RSA ? digestName : SIGNATURES[name];
  if (digestName === undefined || signatureHash === undefined)
    throw refused(`is signed in a way that is not known here (${name} with ${digestAlgorithm.algorithm})`);
  const type = valueOf(signedAttrs, id_contentType);
  const digest = valueOf(signedAttrs, id_messageDigest);
  if (type === undefined || digest === undefined || signedAttrs === undefined)
    throw refused('has a signature that does not name what it signs');
  const isOfStatement =
    STATEMENT_TYPE.equals(Buffer.from(type)) &&
    hash(digestName, statement, 'buffer').equals(Buffer.from(AsnConvert.parse(digest, OctetString).buffer));
  if (!isOfStatement) throw refused('has a signature over another statement');
  const attributes = Buffer.from(AsnConvert.serialize(new SignedAttributes(signedAttrs)));
  if (!isSignature(signatureHash, attributes, publicKey, Buffer.from(signature.buffer)))
    throw refused('has a wrong signature: it was changed after signing, or somebody else signed it');
}

function isSignature(name: string | null, data: Buffer, key: KeyObject, signature: Buffer): boolean {
  try {
    return verify(name, data, key, signature);
  } catch {
    // A key of another type.
    return false;
  }
}

/** The value of an attribute; undefined unless there is exactly one. */
function valueOf(attributes: readonly Attribute[] | undefined, type: string): ArrayBuffer | undefined {
  const values = (attributes ?? []).filter(({ attrType }) => attrType === type).flatMap(({ attrValues }) => attrValues);
  return values.length === 1 ? values[0] : undefined;
}

function oneLine(subject: string): string {
  return subject.split('\n').join(', ');
}
