import type { ClientConfig } from 'pg';
import { TapeproofError } from './errors.ts';
import { setting, settings, type Environment } from './security/settings.ts';
import { serverNameOf, tlsFrom, type TlsOptions } from './security/tls.ts';

const MODES = ['disable', 'no-verify', 'require', 'verify-ca', 'verify-full'] as const;
type Mode = (typeof MODES)[number];

/** libpq's names for files in a URL, and the corresponding variables. */
const FILES = {
  sslrootcert: 'TAPEPROOF_POSTGRES_CA_FILE',
  sslcert: 'TAPEPROOF_POSTGRES_CERTIFICATE_FILE',
  sslkey: 'TAPEPROOF_POSTGRES_KEY_FILE',
} as const;

/**
 * Address and TLS of a connection, by the URL's `sslmode` and its siblings, else by TAPEPROOF_POSTGRES_SSLMODE and the
 * variables of the certificates. Never weaker than its name says: `require` verifies who signed the server's certificate,
 * where libpq takes any; `prefer` and `allow`, which fall back to plain text in silence, are refused.
 *
 * @throws TapeproofError CONFIGURATION
 */
export function postgresConnection(
  url: string,
  environment: Environment = settings(),
): Pick<ClientConfig, 'connectionString' | 'ssl'> {
  const address = new URL(url);
  const files = takeParameters(address, Object.keys(FILES) as (keyof typeof FILES)[]);
  const { sslmode, ssl } = takeParameters(address, ['sslmode', 'ssl', 'uselibpqcompat']);
  const named: Record<string, string | undefined> = { ...environment };
  for (const [parameter, file] of Object.entries(files)) named[FILES[parameter as keyof typeof FILES]] = file;
  const tls = tlsFrom(named, 'POSTGRES');
  const mode = modeOf(
    sslmode ?? (ssl === 'true' ? 'verify-full' : ssl) ?? setting(environment, 'TAPEPROOF_POSTGRES_SSLMODE'),
    tls !== undefined,
  );
  return { connectionString: address.href, ssl: mode === 'disable' ? false : verification(mode, address, tls ?? {}) };
}

/** Removes them from the URL: the client library would interpret them differently. */
function takeParameters<Name extends string>(address: URL, names: readonly Name[]): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = address.searchParams.get(name);
    if (value !== null && value !== '') found[name] = value;
    address.searchParams.delete(name);
  }
  return found;
}

function modeOf(text: string | undefined, hasCertificates: boolean): Mode {
  if (text === undefined) return hasCertificates ? 'verify-full' : 'disable';
  const mode = MODES.find((candidate) => candidate === text);
  if (mode === undefined) {
    throw new TapeproofError(
      'CONFIGURATION',
      `The sslmode of Postgres is not one of ${MODES.join(', ')} (prefer and allow would fall back to plain text in silence): give one of these.`,
    );
  }
  if (mode === 'disable' && hasCertificates) {
    throw new TapeproofError(
      'CONFIGURATION',
      'A certificate is set for Postgres and its sslmode is disable: set verify-full, or take the certificate away.',
    );
  }
  return mode;
}

function verification(mode: Exclude<Mode, 'disable'>, { hostname }: URL, tls: TlsOptions): TlsOptions {
  const options = { ...serverNameOf(hostname), ...tls };
  if (mode === 'verify-full') return options;
  if (mode === 'no-verify') return { ...options, rejectUnauthorized: false };
  return { ...options, checkServerIdentity: () => undefined };
}
