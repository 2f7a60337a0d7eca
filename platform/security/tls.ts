import { isIP } from 'node:net';
import { createSecureContext, type ConnectionOptions } from 'node:tls';
import { causesOf } from '../causes.ts';
import { TapeproofError } from '../errors.ts';
import { fileSetting, secretSetting, type Environment } from './settings.ts';
import type { ServiceKey } from './variables.ts';

/** The authorities that a client trusts and its own certificate, in the form of Node's TLS options. */
export type TlsOptions = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized' | 'checkServerIdentity'
>;

/**
 * Reads TAPEPROOF_<service>_CA_FILE, _CERTIFICATE_FILE, _KEY_FILE and _KEY_PASSWORD; undefined where none is set. The
 * server's certificate is verified, its host name included.
 *
 * @throws TapeproofError CONFIGURATION when a file cannot be read or has the wrong content.
 */
export function tlsFrom(environment: Environment, service: ServiceKey): TlsOptions | undefined {
  const name = `TAPEPROOF_${service}` as const;
  const ca = fileSetting(environment, `${name}_CA_FILE`);
  const cert = fileSetting(environment, `${name}_CERTIFICATE_FILE`);
  const key = fileSetting(environment, `${name}_KEY_FILE`);
  const passphrase = secretSetting(environment, `${name}_KEY_PASSWORD`);
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  if ((cert === undefined) !== (key === undefined)) {
    throw new TapeproofError(
      'CONFIGURATION',
      `${name}_CERTIFICATE_FILE and ${name}_KEY_FILE belong together: set both or neither.`,
    );
  }
  if (ca !== undefined) assertPem({ ca }, `${name}_CA_FILE`, 'certificates');
  const own = cert === undefined || key === undefined ? {} : { cert, key, ...(passphrase && { passphrase }) };
  if (cert !== undefined) assertPem(own, `${name}_CERTIFICATE_FILE and ${name}_KEY_FILE`, 'a certificate and its key');
  return { ...(ca === undefined ? {} : { ca }), ...own };
}

/** Node ignores an authority's file without certificates, and reports a wrong key only when connecting. */
function assertPem(options: TlsOptions, variables: string, what: string): void {
  try {
    if (options.ca !== undefined && !String(options.ca).includes('-----BEGIN ')) throw new Error('not PEM');
    createSecureContext(options);
  } catch {
    throw new TapeproofError(
      'CONFIGURATION',
      `${variables} cannot be used: give ${what} in PEM format${options.key === undefined ? '' : ', with the password of the key if it has one'}.`,
    );
  }
}

/** A server's name for SNI, which an address cannot be. */
export function serverNameOf(host: string): { readonly servername?: string } {
  return isIP(host.replace(/^\[(.*)\]$/, '$1')) === 0 ? { servername: host } : {};
}

const UNKNOWN_AUTHORITY =
  /SELF_SIGNED_CERT|UNABLE_TO_(VERIFY_LEAF|GET_ISSUER)|CERT_UNTRUSTED|INVALID_CA|self-signed certificate|unable to (verify the first|get( local)? issuer) certificate/;
const OTHER_NAME = /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate's altnames/;
const EXPIRED = /CERT_HAS_EXPIRED|certificate has expired/;
const NOT_YET_VALID = /CERT_NOT_YET_VALID|certificate is not yet valid/;
const CLIENT_CERTIFICATE =
  /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|HANDSHAKE_FAILURE)|alert (certificate required|bad certificate|unknown ca|certificate unknown)/i;
const NOT_TLS =
  /ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL)|wrong version number|packet length too long|before secure TLS connection was established|does not support SSL|verify the broker supports TLS/;

/**
 * Why TLS failed and what to do, as the second half of a sentence; undefined for any other failure. The server that
 * issues Kafka's tokens gets no certificate of ours.
 */
export function tlsRefusal(error: unknown, service: ServiceKey | 'KAFKA_TOKEN'): string | undefined {
  const texts = textsOf(error);
  const says = (pattern: RegExp): boolean => texts.some((text) => pattern.test(text));
  if (says(UNKNOWN_AUTHORITY)) {
    return `shows a certificate of an authority that is not trusted here: set TAPEPROOF_${service}_CA_FILE to the certificate of the authority that signed it.`;
  }
  if (says(OTHER_NAME)) {
    return 'shows a certificate for another host name: connect by a name in its certificate.';
  }
  if (says(EXPIRED)) return 'shows a certificate that has expired: renew it at the server.';
  if (says(NOT_YET_VALID)) return 'shows a certificate that is not valid yet: check the clocks of both machines.';
  if (says(CLIENT_CERTIFICATE) && service !== 'KAFKA_TOKEN') {
    return `does not accept the certificate of this client: set TAPEPROOF_${service}_CERTIFICATE_FILE and TAPEPROOF_${service}_KEY_FILE to one that it trusts and that has not expired.`;
  }
  if (says(NOT_TLS)) return 'does not speak TLS at this address: check its port, or connect without TLS.';
  return undefined;
}

/** Codes and messages of an error and its causes. */
function textsOf(error: unknown): readonly string[] {
  return causesOf(error).flatMap((cause) => {
    const { code } = cause as { readonly code?: unknown };
    return typeof code === 'string' ? [code, cause.message] : [cause.message];
  });
}
