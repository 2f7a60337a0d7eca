import {
  AclOperations,
  AclPermissionTypes,
  alterUserScramCredentialsV0 as alterScram,
  Connection,
  createAclsV3 as createAcls,
  deleteAclsV3 as deleteAcls,
  describeAclsV3 as describeAcls,
  ResourcePatternTypes,
  ResourceTypes,
  ScramMechanisms,
  type Acl,
} from '@platformatic/kafka';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { KAFKA_ADMINISTRATOR, principalOf, REGISTRY_PRINCIPAL, ROLES, type Role } from './kafka-principals.ts';
import { REGISTRY_RULES, rulesOf, type Rule } from './kafka-rules.ts';

const SCRAM_ITERATIONS = 8_192;
const SCRAM_SALT_BYTES = 32;
const SHA512_BYTES = 64;

/** A broker that knows the administrator's password. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  /** The certificate authority that it is verified by, in PEM; absent where it uses no TLS. */
  readonly authority?: string;
}

export interface KafkaPasswords {
  readonly administrator: string;
  readonly roles: Readonly<Record<Role, string>>;
  readonly registry: string;
}

/**
 * Gives each principal its password and exactly its rules: those that an earlier version or somebody else granted are
 * taken away. Repeating it changes only the salts.
 */
export async function grantAccess(broker: BrokerAddress, given: KafkaPasswords, timeoutMs: number): Promise<void> {
  const connection = new Connection('tapeproof-stack', {
    connectTimeout: timeoutMs,
    requestTimeout: timeoutMs,
    ...(broker.authority === undefined ? {} : { tls: { ca: broker.authority } }),
    sasl: { mechanism: 'PLAIN', username: KAFKA_ADMINISTRATOR, password: given.administrator },
  });
  const passwords = [
    ...ROLES.map((role) => [principalOf(role), given.roles[role]] as const),
    [REGISTRY_PRINCIPAL, given.registry] as const,
  ];
  const rules = [
    ...ROLES.flatMap((role) => rulesOf(role).flatMap((rule) => entriesOf(principalOf(role), rule))),
    ...REGISTRY_RULES.flatMap((rule) => entriesOf(REGISTRY_PRINCIPAL, rule)),
  ];
  try {
    await connection.connect(broker.host, broker.port);
    const credentials = passwords.map(([name, password]) => scramCredential(name, password));
    await alterScram.api.async(connection, [], credentials);
    await createAcls.api.async(connection, rules);
    const wanted = new Set(rules.map(keyOf));
    const stale = (await grantedRules(connection)).filter((rule) => !wanted.has(keyOf(rule)));
    if (stale.length > 0) await deleteAcls.api.async(connection, stale);
  } finally {
    await connection.close();
  }
}

async function grantedRules(connection: Connection): Promise<Acl[]> {
  const { resources } = await describeAcls.api.async(connection, {
    resourceType: ResourceTypes.ANY,
    resourceName: null,
    resourcePatternType: ResourcePatternTypes.ANY,
    principal: null,
    host: null,
    operation: AclOperations.ANY,
    permissionType: AclPermissionTypes.ANY,
  });
  return resources.flatMap(({ acls, resourceType, resourceName, resourcePatternType }) =>
    acls.map((acl) => ({ ...acl, resourceType, resourceName, resourcePatternType })),
  );
}

function keyOf(rule: Acl): string {
  const { principal, host, permissionType, operation, resourceType, resourceName, resourcePatternType } = rule;
  return JSON.stringify([principal, host, permissionType, operation, resourceType, resourceName, resourcePatternType]);
}

function entriesOf(principal: string, { permission, resource, names, operations }: Rule): Acl[] {
  return names.flatMap((name) =>
    operations.map((operation) => ({
      principal: `User:${principal}`,
      host: '*',
      permissionType: AclPermissionTypes[permission],
      operation: AclOperations[operation],
      resourceType: ResourceTypes[resource],
      resourceName: name.replace(/\*$/, ''),
      resourcePatternType: name.endsWith('*') ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
    })),
  );
}

/** Sent salted and hashed (RFC 5802), so that no password is in a request or a log of the broker. */
function scramCredential(name: string, password: string) {
  const salt = randomBytes(SCRAM_SALT_BYTES);
  return {
    name,
    mechanism: ScramMechanisms.SCRAM_SHA_512,
    iterations: SCRAM_ITERATIONS,
    salt,
    saltedPassword: pbkdf2Sync(password, salt, SCRAM_ITERATIONS, SHA512_BYTES, 'sha512'),
  };
}
