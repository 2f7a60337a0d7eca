import { join } from 'node:path';
import { principalOf, type Role } from './kafka-principals.ts';
import { writePrivateFile } from './private-file.ts';
import type { SecuredSecrets } from './secrets.ts';

/** The user that the registry of a secured stack admits. */
export const REGISTRY_USER = 'tapeproof';

/** The certificate by which clients of a secured stack verify its services. It is not secret. */
export function authorityFile(stackFolder: string): string {
  return join(stackFolder, 'ca.pem');
}

export interface ServiceCertificate {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Key and certificate in one file, as Kafka requires. */
  readonly bothFile: string;
}

/** A new certificate for a service on the loopback, as files in its folder. */
export async function certify(
  { authority }: SecuredSecrets,
  name: string,
  folder: string,
): Promise<ServiceCertificate> {
  const { signCertificate } = await import('./certificates.ts');
  const { certificate, key } = await signCertificate(authority, { name: `tapeproof-${name}` });
  const files = {
    caFile: join(folder, 'ca.pem'),
    certificateFile: join(folder, 'certificate.pem'),
    keyFile: join(folder, 'key.pem'),
    bothFile: join(folder, 'key-and-certificate.pem'),
  };
  await writePrivateFile(files.caFile, authority.certificate);
  await writePrivateFile(files.certificateFile, certificate);
  await writePrivateFile(files.keyFile, key);
  await writePrivateFile(files.bothFile, `${key}${certificate}\n`);
  return files;
}

/** The TAPEPROOF_… variables, besides the addresses, with which a process in a role connects to a secured stack. */
export function roleSettings(
  stackFolder: string,
  { kafka }: SecuredSecrets,
  role: Role,
): Readonly<Record<string, string>> {
  const caFile = authorityFile(stackFolder);
  return {
    TAPEPROOF_KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
    TAPEPROOF_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    TAPEPROOF_KAFKA_USERNAME: principalOf(role),
    TAPEPROOF_KAFKA_PASSWORD: kafka[role],
    TAPEPROOF_KAFKA_CA_FILE: caFile,
    TAPEPROOF_REGISTRY_CA_FILE: caFile,
    TAPEPROOF_POSTGRES_SSLMODE: 'verify-full',
    TAPEPROOF_POSTGRES_CA_FILE: caFile,
    TAPEPROOF_REDIS_CA_FILE: caFile,
  };
}
