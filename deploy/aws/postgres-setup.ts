import { POSTGRES_DATABASE, POSTGRES_ROLES } from '../../stack/postgres-roles.ts';

/** The registry's own database and role, where it keeps its schemas in Postgres. */
export const REGISTRY_DATABASE = 'registry';
export const REGISTRY_ROLE = 'tapeproof_registry';
/** A client of Postgres: psql. */
export const POSTGRES_IMAGE = 'postgres:18.4';

/** The variables that hold the passwords of the roles, for psql. */
export const PASSWORD_VARIABLES: Readonly<Record<string, string>> = {
  [POSTGRES_ROLES.migrator]: 'MIGRATOR_PASSWORD',
  [POSTGRES_ROLES.projector]: 'PROJECTOR_PASSWORD',
  [POSTGRES_ROLES.reader]: 'READER_PASSWORD',
  [REGISTRY_ROLE]: 'REGISTRY_PASSWORD',
};

/**
 * For psql, as the administrator of a managed Postgres, where nobody is a superuser: the roles of docs/security.md, and a
 * database for the registry. It may be run again: passwords are set anew, everything else stays.
 */
export function postgresSetup(): string {
  const { migrator, projector, reader } = POSTGRES_ROLES;
  const roles = Object.entries(PASSWORD_VARIABLES);
  return `${roles
    .map(
      ([role, variable]) => `\\getenv password ${variable}
SELECT 'CREATE ROLE ${role} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') \\gexec
ALTER ROLE ${role} PASSWORD :'password';`,
    )
    .join('\n')}
GRANT ${migrator}, ${REGISTRY_ROLE} TO CURRENT_USER;
SELECT 'CREATE DATABASE ${REGISTRY_DATABASE} OWNER ${REGISTRY_ROLE}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '${REGISTRY_DATABASE}') \\gexec
ALTER DATABASE ${POSTGRES_DATABASE} OWNER TO ${migrator};
REVOKE ALL ON DATABASE ${POSTGRES_DATABASE}, ${REGISTRY_DATABASE} FROM PUBLIC;
GRANT CONNECT ON DATABASE ${POSTGRES_DATABASE} TO ${projector}, ${reader};
`;
}
