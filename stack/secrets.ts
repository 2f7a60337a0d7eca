import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writePrivateJson } from './private-file.ts';

const SECRET_BYTES = 32;

const StackSecrets = z.object({
  /** The superuser of Postgres, for the stack's own administration. */
  postgresAdministrator: z.string().min(1),
  postgresMigrator: z.string().min(1),
  postgresProjector: z.string().min(1),
  postgresReader: z.string().min(1),
  /** Redis' user `default`, who may do everything. */
  redisAdministrator: z.string().min(1),
  redisApplication: z.string().min(1),
});
/** The passwords of one stack: random, in a file of its folder that only its owner reads, and nowhere else. */
export type StackSecrets = Readonly<z.infer<typeof StackSecrets>>;

/** The stack's passwords, or undefined where none were made yet or their file is gone. */
export function readSecrets(stackFolder: string): StackSecrets | undefined {
  return readJson(secretsFile(stackFolder), StackSecrets);
}

/** The stack's passwords, made where there are none. */
export async function ensureSecrets(stackFolder: string): Promise<StackSecrets> {
  const known = readSecrets(stackFolder);
  if (known !== undefined) return known;
  const secrets: StackSecrets = {
    postgresAdministrator: randomSecret(),
    postgresMigrator: randomSecret(),
    postgresProjector: randomSecret(),
    postgresReader: randomSecret(),
    redisAdministrator: randomSecret(),
    redisApplication: randomSecret(),
  };
  await writePrivateJson(secretsFile(stackFolder), secrets);
  return secrets;
}

export async function removeSecrets(stackFolder: string): Promise<void> {
  await rm(secretsFile(stackFolder), { force: true });
}

function secretsFile(stackFolder: string): string {
  return join(stackFolder, 'secrets.json');
}

/** Letters, digits, `-` and `_`: the same in a URL, in SQL and in a line of Redis' protocol. */
function randomSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}
