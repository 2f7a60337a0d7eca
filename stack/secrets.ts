import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ROLES } from './kafka-principals.ts';
import { readJson, writePrivateJson } from './private-file.ts';

const SECRET_BYTES = 32;

/** What a stack has more where it is secured. */
const SecuredSecrets = z.object({
  /** The certificate authority that signs for its services, in PEM. */
  authority: z.object({ certificate: z.string().min(1), key: z.string().min(1) }),
  kafkaAdministrator: z.string().min(1),
  /** By role. */
  kafka: z.record(z.enum(ROLES), z.string().min(1)),
  /** The registry's own towards Kafka. */
  kafkaRegistry: z.string().min(1),
  /** Of the user that the registry lets in. */
  registry: z.string().min(1),
});
export type SecuredSecrets = Readonly<z.infer<typeof SecuredSecrets>>;

const StackSecrets = z.object({
  /** The superuser of Postgres, for the stack's own administration. */
  postgresAdministrator: z.string().min(1),
  postgresMigrator: z.string().min(1),
  postgresProjector: z.string().min(1),
  postgresReader: z.string().min(1),
  /** Redis' user `default`, who may do everything. */
  redisAdministrator: z.string().min(1),
  redisApplication: z.string().min(1),
  /** Absent: the stack speaks plain text. Once there, it stays secured until it is reset. */
  secured: SecuredSecrets.exactOptional(),
});
/** The passwords of one stack: random, in a file of its folder that only its owner reads, and nowhere else. */
export type StackSecrets = Readonly<z.infer<typeof StackSecrets>>;

/** The stack's passwords, or undefined where none were made yet or their file is gone. */
export function readSecrets(stackFolder: string): StackSecrets | undefined {
  return readJson(secretsFile(stackFolder), StackSecrets);
}

/** The stack's passwords, made where there are none; with what a secured stack has more where that is asked for. */
export async function ensureSecrets(stackFolder: string, secure = false): Promise<StackSecrets> {
  const known = readSecrets(stackFolder);
  if (known !== undefined && (!secure || known.secured !== undefined)) return known;
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
  // Loaded where it is needed: a stack in plain text has no use for it.
  const { createAuthority } = await import('./certificates.ts');
  return {
    authority: await createAuthority('Tapeproof local stack'),
    kafkaAdministrator: randomSecret(),
    kafka: Object.fromEntries(ROLES.map((role) => [role, randomSecret()])) as SecuredSecrets['kafka'],
    kafkaRegistry: randomSecret(),
    registry: randomSecret(),
  };
}

export async function removeSecrets(stackFolder: string): Promise<void> {
  await rm(secretsFile(stackFolder), { force: true });
}

function secretsFile(stackFolder: string): string {
  return join(stackFolder, 'secrets.json');
}

/** Letters, digits, `-` and `_`: the same in a URL, in SQL, in Java's properties and in a line of Redis' protocol. */
function randomSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}
