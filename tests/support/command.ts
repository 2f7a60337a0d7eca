import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Connections } from '../../platform/connections.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const ENTRY = join(REPOSITORY, 'bin', 'tapeproof.js');

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What Node made of the sources, kept as bin/tapeproof.js keeps it: half the processor time of a start. */
export const COMPILED = { NODE_COMPILE_CACHE: join(REPOSITORY, '.tapeproof', 'compiled') };

/** The environment that configures services. */
export function environmentOf({
  kafkaBrokers,
  registryUrl,
  postgresUrl,
  postgresMigratorUrl,
  redisUrl,
}: Connections): Record<string, string> {
  return {
    TAPEPROOF_KAFKA_BROKERS: kafkaBrokers.join(','),
    TAPEPROOF_REGISTRY_URL: registryUrl,
    TAPEPROOF_POSTGRES_URL: postgresUrl,
    ...(postgresMigratorUrl !== undefined && { TAPEPROOF_POSTGRES_MIGRATOR_URL: postgresMigratorUrl }),
    TAPEPROOF_REDIS_URL: redisUrl,
  };
}

/** Starts `tapeproof …` as a user would, in a folder. */
export function startCommand(
  words: readonly string[],
  environment: Record<string, string> = {},
  folder = REPOSITORY,
): ChildProcess {
  return spawn('node', [ENTRY, ...words], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs `tapeproof …` to its end. */
export async function runCommand(
  words: readonly string[],
  environment: Record<string, string> = {},
  folder = REPOSITORY,
): Promise<CommandResult> {
  const child = startCommand(words, environment, folder);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [exitCode] = (await once(child, 'close')) as [number];
  return { exitCode, stdout, stderr };
}
