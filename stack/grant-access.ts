/**
 * Gives the principals of a Kafka with passwords what `stack up --secure` gives them: `node stack/grant-access.ts
 * HOST:PORT`, with the passwords of kafka-passwords.ts. A container of docker-compose.secure.yml runs it at each start.
 */
import { grantAccess } from './kafka-access.ts';
import { passwordsFrom } from './kafka-passwords.ts';

const TIMEOUT_MS = 30_000;

const [, host = '', port = ''] = /^(.+):(\d+)$/.exec(process.argv[2] ?? '') ?? [];
try {
  if (host === '') throw new Error('Name the broker: node stack/grant-access.ts HOST:PORT.');
  await grantAccess({ host, port: Number(port) }, passwordsFrom(process.env), TIMEOUT_MS);
} catch (error) {
  process.stderr.write(`tapeproof: Kafka's access rules were not granted: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
