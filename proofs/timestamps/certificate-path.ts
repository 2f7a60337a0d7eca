import { X509Certificate } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  anyExtendedKeyUsage,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  id_ce_basicConstraints,
  id_ce_certificatePolicies,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_kp_timeStamping,
  KeyUsage,
  KeyUsageFlags,
  type Extension,
} from '@peculiar/asn1-x509';
import { TapeproofError } from '../../platform/errors.ts';
import { notUsable } from '../tlog/encoding.ts';

/** Certificates of time-stamping authorities: RFC 3161 section 2.3, and paths as in RFC 5280. */

/** From the signer to an authority's root, both included. */
const PATH_CERTIFICATES_MAX = 8;
const ROOTS_MAX = 1_024;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
/** Critical extensions that are verified here, or state no restriction of what is verified here. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_extKeyUsage,
  id_ce_certificatePolicies,
]);

/**
 * The certificates of a PEM file, each an authority that is trusted.
 *
 * @throws TapeproofError NOT_USABLE when it has none, or one that is not a certificate.
 */
export function parseRoots(pem: string): readonly X509Certificate[] {
  const found = pem.match(PEM_CERTIFICATE) ?? [];
  if (found.length === 0) throw notUsable('The file of authorities has no certificate in PEM');
  if (found.length > ROOTS_MAX) throw notUsable(`The file of authorities has more than ${ROOTS_MAX} certificates`);
  return found.map((text, index) => {
    try {
      return new X509Certificate(text);
    } catch (error) {
      throw notUsable(`Certificate ${index + 1} of the file of authorities is damaged`, error);
    }
  });
}

/**
 * Holds a certificate to what RFC 3161 wants of one that signs time stamps: that is its only purpose, and it is valid at
 * the time that it states.
 *
 * @throws TapeproofError CHECK_FAILED
 */
export function assertTimestampSigner(signer: X509Certificate, atMs: number): void {
  const extensions = extensionsOf(signer);
  const usage = extensions.find(({ extnID }) => extnID === id_ce_extKeyUsage);
  const purposes = usage === undefined ? [] : [...AsnConvert.parse(usage.extnValue.buffer, ExtendedKeyUsage)];
  if (usage?.critical !== true || purposes.length !== 1 || purposes[0] !== id_kp_timeStamping) {
    throw refused('was signed with a certificate that is not for time stamps alone (extended key usage)');
  }
  const keyUsage = extensions.find(({ extnID }) => extnID === id_ce_keyUsage);
  if (keyUsage !== undefined) {
    const flags = AsnConvert.parse(keyUsage.extnValue.buffer, KeyUsage).toNumber();
    if ((flags & (KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation)) === 0)
      throw refused('was signed with a certificate that is not for signatures (key usage)');
  }
  assertValidAt(signer, atMs);
}

/**
 * Follows the certificates from the signer to a root that is trusted. Revocation lists are not consulted.
 *
 * @param others - certificates that the time stamp brings along; nothing is believed about them.
 * @param atMs - the time stamp's own time: a path that was valid then stays valid.
 * @throws TapeproofError CHECK_FAILED when there is no such path.
 */
export function assertPath(
  signer: X509Certificate,
  others: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  atMs: number,
): void {
  let certificate = signer;
  for (let depth = 0; depth < PATH_CERTIFICATES_MAX; depth += 1) {
    if (roots.some((root) => root.fingerprint256 === certificate.fingerprint256)) return;
    const issuer = issuerOf(certificate, roots, depth) ?? issuerOf(certificate, others, depth);
    if (issuer === undefined) break;
    assertValidAt(issuer, atMs);
    certificate = issuer;
  }
  throw refused('was signed with a certificate that does not lead to one of the given authorities');
}

/** @param depth - authorities between the issuer and the signer. */
function issuerOf(
  certificate: X509Certificate,
  candidates: readonly X509Certificate[],
  depth: number,
): X509Certificate | undefined {
  return candidates.find(
    (candidate) =>
      candidate.fingerprint256 !== certificate.fingerprint256 &&
      certificate.checkIssued(candidate) &&
      mayIssue(candidate, depth) &&
      isSignedBy(certificate, candidate),
  );
}

function mayIssue(candidate: X509Certificate, depth: number): boolean {
  const extensions = extensionsOf(candidate);
  const constraints = extensions.find(({ extnID }) => extnID === id_ce_basicConstraints);
  if (constraints === undefined || !candidate.ca) return false;
  const { cA, pathLenConstraint } = AsnConvert.parse(constraints.extnValue.buffer, BasicConstraints);
  const usage = extensions.find(({ extnID }) => extnID === id_ce_extKeyUsage);
  const purposes = usage === undefined ? [] : [...AsnConvert.parse(usage.extnValue.buffer, ExtendedKeyUsage)];
  const isForTimestamps =
    usage === undefined || purposes.includes(id_kp_timeStamping) || purposes.includes(anyExtendedKeyUsage);
  return cA && isForTimestamps && (pathLenConstraint === undefined || depth <= pathLenConstraint);
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    // A key of another type.
    return false;
  }
}

function assertValidAt(certificate: X509Certificate, atMs: number): void {
  if (atMs >= certificate.validFromDate.getTime() && atMs <= certificate.validToDate.getTime()) return;
  throw refused('rests on a certificate that was not valid at its time: it had expired, or was not valid yet');
}

/** @throws TapeproofError CHECK_FAILED when a critical one is not understood. */
function extensionsOf(certificate: X509Certificate): readonly Extension[] {
  const extensions = Array.from(AsnConvert.parse(certificate.raw, Certificate).tbsCertificate.extensions ?? []);
  const strange = extensions.find(({ critical, extnID }) => critical && !UNDERSTOOD.has(extnID));
  if (strange === undefined) return extensions;
  throw refused(`rests on a certificate with a critical extension that is not understood here (${strange.extnID})`);
}

/** @param reason - what the time stamp did: "was signed with …". */
export function refused(reason: string, cause?: unknown): TapeproofError {
  return new TapeproofError('CHECK_FAILED', `The time stamp ${reason}.`, cause === undefined ? undefined : { cause });
}
