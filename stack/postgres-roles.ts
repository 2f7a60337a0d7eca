import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { StackSecrets } from './secrets.ts';

export const POSTGRES_DATABASE = 'tapeproof';
/** The cluster's superuser. Only the stack itself connects as it. */
export const POSTGRES_ADMINISTRATOR = 'tapeproof';
/** docs/security.md lists what each may do. The same names are used in migrations/ and deploy/compose/postgres-roles.sql. */
export const POSTGRES_ROLES = {
  migrator: 'tapeproof_migrator',
  projector: 'tapeproof_projector',
  reader: 'tapeproof_reader',
} as const;

/** Who may connect and how; connections that match no line are refused. */
export const HOST_BASED_AUTHENTICATION = `# Written at each start of the stack.
local all all scram-sha-256
host  all all 127.0.0.1/32 scram-sha-256
`;

const ROLE_ATTRIBUTES = 'LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS';
const SCHEMAS_OF_SYSTEM = `nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')`;

/**
 * Creates the roles, sets each one's password, and gives the database to the migrator, with everything that a former
 * superuser created in it. One statement per line; repeating them changes only the salts.
 */
export function roleStatements(secrets: StackSecrets): readonly string[] {
  const { migrator, projector, reader } = POSTGRES_ROLES;
  const passwords = [
    [migrator, secrets.postgresMigrator],
    [projector, secrets.postgresProjector],
    [reader, secrets.postgresReader],
  ] as const;
  return [
    `ALTER ROLE ${POSTGRES_ADMINISTRATOR} PASSWORD '${scramVerifier(secrets.postgresAdministrator)}'`,
    ...passwords.flatMap(([role, password]) => [
      `DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN CREATE ROLE ${role}; END IF; END $$`,
      `ALTER ROLE ${role} ${ROLE_ATTRIBUTES} PASSWORD '${scramVerifier(password)}'`,
    ]),
    `ALTER DATABASE ${POSTGRES_DATABASE} OWNER TO ${migrator}`,
    `REVOKE ALL ON DATABASE ${POSTGRES_DATABASE}, postgres, template1 FROM PUBLIC`,
    `GRANT CONNECT ON DATABASE ${POSTGRES_DATABASE} TO ${projector}, ${reader}`,
    giveEverythingTo(migrator),
  ];
}

function giveEverythingTo(role: string): string {
  const schemas = `SELECT format('ALTER SCHEMA %I OWNER TO ${role}', nspname) AS sql FROM pg_namespace WHERE ${SCHEMAS_OF_SYSTEM}`;
  // A key's index follows its table, and a view is altered like a table.
  const tables = `SELECT format('ALTER TABLE %I.%I OWNER TO ${role}', nspname, relname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind IN ('r', 'v') AND ${SCHEMAS_OF_SYSTEM}`;
  return `DO $$ DECLARE given record; BEGIN FOR given IN ${schemas} UNION ALL ${tables} LOOP EXECUTE given.sql; END LOOP; END $$`;
}

const SCRAM_ITERATIONS = 4_096;
const SCRAM_SALT_BYTES = 16;
const SHA256_BYTES = 32;

/**
 * Postgres's stored form of a password (RFC 5802, RFC 7677): passed in this form, the password reaches no statement and
 * no log.
 */
function scramVerifier(password: string): string {
  const salt = randomBytes(SCRAM_SALT_BYTES);
  const salted = pbkdf2Sync(password, salt, SCRAM_ITERATIONS, SHA256_BYTES, 'sha256');
  const keyOf = (name: string): Buffer => createHmac('sha256', salted).update(name).digest();
  const storedKey = createHash('sha256').update(keyOf('Client Key')).digest('base64');
  const serverKey = keyOf('Server Key').toString('base64');
  return `SCRAM-SHA-256$${SCRAM_ITERATIONS}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
