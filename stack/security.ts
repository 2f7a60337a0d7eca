import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What a secured stack is made of: a certificate authority and passwords, each in a file of its own that only its owner
 * reads. Once there, the stack stays secured until it is reset.
 */
export interface StackSecurity {
  readonly folder: string;
  readonly caFile: string;
  password(name: PasswordName): string;
}

/** Whom a process is towards Kafka: docs/security-kafka.md says what each may do. */
export const ROLES = ['operator', 'ingest', 'engine', 'projector', 'reader'] as const;
export type Role = (typeof ROLES)[number];

/** Kafka's super user, for the stack's own administration; and the registry as a client of Kafka. */
export const ADMINISTRATOR = 'admin';
export const REGISTRY_PRINCIPAL = 'tapeproof-registry';
/** Whom the registry lets in. */
export const REGISTRY_USER = 'tapeproof';

const PASSWORD_NAMES = [...ROLES, 'admin', 'registry-in-kafka', 'registry'] as const;
type PasswordName = (typeof PASSWORD_NAMES)[number];

const PASSWORD_BYTES = 32;
const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;

export function principalOf(role: Role): string {
  return `tapeproof-${role}`;
}

/** A stack's security, or undefined where it was not brought up secured. */
export function readSecurity(stackFolder: string): StackSecurity | undefined {
  const folder = join(stackFolder, 'security');
  const caFile = join(folder, 'ca.pem');
  // Written last.
  if (!existsSync(caFile)) return undefined;
  return { folder, caFile, password: (name) => readFileSync(passwordFile(folder, name), 'utf8').trimEnd() };
}

/** A stack's security, made where there is none. */
export async function ensureSecurity(stackFolder: string): Promise<StackSecurity> {
  const folder = join(stackFolder, 'security');
  if (readSecurity(stackFolder) === undefined) {
    // Loaded where it is needed: a stack in plain text has no use for it.
    const { createAuthority } = await import('./certificates.ts');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
    for (const name of PASSWORD_NAMES) {
      await writePrivate(passwordFile(folder, name), `${randomBytes(PASSWORD_BYTES).toString('base64url')}\n`);
    }
    const authority = await createAuthority('Tapeproof local stack');
    await writePrivate(authorityKeyFile(folder), authority.key);
    await writePrivate(join(folder, 'ca.pem'), authority.certificate);
  }
  const made = readSecurity(stackFolder);
  if (made === undefined) throw new Error(`no security in ${folder}`);
  return made;
}

export async function removeSecurity(stackFolder: string): Promise<void> {
  await rm(join(stackFolder, 'security'), { recursive: true, force: true });
}

export interface ServiceCertificate {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Key and certificate in one, as Kafka wants them. */
  readonly bothFile: string;
}

/** A new certificate for a service of the loopback, as files of its own folder. */
export async function certify(security: StackSecurity, name: string, folder: string): Promise<ServiceCertificate> {
  const { signCertificate } = await import('./certificates.ts');
  const authority = {
    certificate: readFileSync(security.caFile, 'utf8'),
    key: readFileSync(authorityKeyFile(security.folder), 'utf8'),
  };
  const { certificate, key } = await signCertificate(authority, { name: `tapeproof-${name}` });
  const files = {
    caFile: join(folder, 'ca.pem'),
    certificateFile: join(folder, 'certificate.pem'),
    keyFile: join(folder, 'key.pem'),
    bothFile: join(folder, 'key-and-certificate.pem'),
  };
  await writePrivate(files.caFile, authority.certificate);
  await writePrivate(files.certificateFile, certificate);
  await writePrivate(files.keyFile, key);
  await writePrivate(files.bothFile, `${key}${certificate}\n`);
  return files;
}

/** The TAPEPROOF_… variables with which a process of a role speaks to a secured stack: names of files, and no secret. */
export function roleSettings({ folder, caFile }: StackSecurity, role: Role): Readonly<Record<string, string>> {
  return {
    TAPEPROOF_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
    TAPEPROOF_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    TAPEPROOF_KAFKA_USERNAME: principalOf(role),
    TAPEPROOF_KAFKA_PASSWORD_FILE: passwordFile(folder, role),
    TAPEPROOF_KAFKA_CA_FILE: caFile,
    TAPEPROOF_REGISTRY_USERNAME: REGISTRY_USER,
    TAPEPROOF_REGISTRY_PASSWORD_FILE: passwordFile(folder, 'registry'),
    TAPEPROOF_REGISTRY_CA_FILE: caFile,
    TAPEPROOF_POSTGRES_SSLMODE: 'verify-full',
    TAPEPROOF_POSTGRES_CA_FILE: caFile,
    TAPEPROOF_REDIS_CA_FILE: caFile,
  };
}

/** A file that its owner alone reads and writes, from its first byte on. */
export async function writePrivate(file: string, content: string): Promise<void> {
  await rm(file, { force: true });
  await writeFile(file, content, { mode: OWNER_ONLY_FILE, flag: 'wx' });
}

function passwordFile(folder: string, name: PasswordName): string {
  return join(folder, `${name}.password`);
}

function authorityKeyFile(folder: string): string {
  return join(folder, 'ca-key.pem');
}
