import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ROLES, type Role } from './kafka-principals.ts';
import { readJson, writePrivateJson } from './private-file.ts';

const SECRET_BYTES = 32;

/** The additional secrets of a secured stack. */
const SecuredSecrets = z.object({
  /** The certificate authority that signs for its services, in PEM. */
  authority: z.object({ certificate: z.string().min(1), key: z.string().min(1) }),
  kafkaAdministrator: z.string().min(1),
  /** By role. */
  kafka: z.partialRecord(z.enum(ROLES), z.string().min(1)).transform(withAllRoles),
  /** The registry's own password for Kafka. */
  kafkaRegistry: z.string().min(1),
  /** Password of the user that the registry admits. */
  registry: z.string().min(1),
});
export type SecuredSecrets = Readonly<z.infer<typeof SecuredSecrets>>;

const StackSecrets = z.object({
  /** The superuser of Postgres, for the stack's own administration. */
  postgresAdministrator: z.string().min(1),
  postgresMigrator: z.string().min(1),
  postgresProjector: z.string().min(1),
  postgresReader: z.string().min(1),
  /** Password of Redis' user `default`, who may do everything. */
  redisAdministrator: z.string().min(1),
  redisApplication: z.string().min(1),
  /** Absent: the stack uses plain text. Once present, the stack stays secured until it is reset. */
  secured: SecuredSecrets.exactOptional(),
});
/** The passwords of one stack: random, kept only in a file in its folder that only its owner may read. */
export type StackSecrets = Readonly<z.infer<typeof StackSecrets>>;

/** The stack's passwords, or undefined where none were created yet or their file is gone. */
export function readSecrets(stackFolder: string): StackSecrets | undefined {
  return readJson(secretsFile(stackFolder), StackSecrets);
}

/** The stack's passwords, created where there are none; with those of a secured stack if requested. */
export async function ensureSecrets(stackFolder: string, secure = false): Promise<StackSecrets> {
  const known = readSecrets(stackFolder);
  if (known !== undefined && (!secure || known.secured !== undefined)) {
    // Kept from now on: an earlier version knew fewer roles.
    if (known.secured !== undefined) await writePrivateJson(secretsFile(stackFolder), known);
    return known;
  }
  const plain = known ?? {
    postgresAdministrator: randomSecret(),
    postgresMigrator: randomSecret(),
    postgresProjector: randomSecret(),
    postgresReader: randomSecret(),
    redisAdministrator: randomSecret(),
    redisApplication: randomSecret(),
  };
  const secrets = secure ? { ...plain, secured: await makeSecured() } : plain;
  await writePrivateJson(secretsFile(stackFolder), secrets);
  return secrets;
}

async function makeSecured(): Promise<SecuredSecrets> {
  // Loaded on demand: a plain-text stack has no use for it.
  const { createAuthority } = await import('./certificates.ts');
  return {
    authority: await createAuthority('Tapeproof local stack'),
    kafkaAdministrator: randomSecret(),
    kafka: withAllRoles({}),
    kafkaRegistry: randomSecret(),
    registry: randomSecret(),
  };
}

/** Roles without a password get a random one. */
function withAllRoles(known: Partial<Record<Role, string>>): Record<Role, string> {
  return Object.fromEntries(ROLES.map((role) => [role, known[role] ?? randomSecret()])) as Record<Role, string>;
}

export async function removeSecrets(stackFolder: string): Promise<void> {
  await rm(secretsFile(stackFolder), { force: true });
}

export function secretsFile(stackFolder: string): string {
  return join(stackFolder, 'secrets.json');
}

/** Letters, digits, `-` and `_`: they need no escaping in a URL, SQL, Java properties or Redis' protocol. */
function randomSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}
