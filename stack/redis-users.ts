import { createHash } from 'node:crypto';
import type { StackSecrets } from './secrets.ts';

/** The user that the application connects as. */
export const REDIS_APPLICATION = 'tapeproof';

/**
 * Reads and writes keys, runs scripts by their text, and queries memory use and eviction policy (INFO). Everything
 * else is denied, including CONFIG, MODULE, DEBUG, SAVE, BGSAVE, SHUTDOWN, REPLICAOF, FLUSHALL, KEYS, ACL. The same
 * rules are in docker-compose.yml.
 */
export const REDIS_APPLICATION_RULES =
  'resetkeys ~* resetchannels -@all +@read +@write +@connection -@dangerous -function +eval +evalsha +info';

/**
 * Redis' users, one per line, in the format of its `aclfile`. Redis keeps only a SHA-256 of each password, and so does
 * the file.
 */
export function redisUsers(secrets: StackSecrets): string {
  return [
    `user default reset on #${sha256(secrets.redisAdministrator)} ~* &* +@all`,
    `user ${REDIS_APPLICATION} reset on #${sha256(secrets.redisApplication)} ${REDIS_APPLICATION_RULES}`,
    '',
  ].join('\n');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
