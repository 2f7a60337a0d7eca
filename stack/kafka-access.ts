import {
  AclOperations,
  AclPermissionTypes,
  alterUserScramCredentialsV0 as alterScram,
  Connection,
  createAclsV3 as createAcls,
  ResourcePatternTypes,
  ResourceTypes,
  ScramMechanisms,
} from '@platformatic/kafka';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import {
  ANCHORS_TOPIC,
  DEAD_LETTERS_TOPIC,
  DERIVED_TOPICS,
  STATES_TOPIC,
  TAPE_TOPIC,
  TOPICS,
  type TopicName,
} from '../contracts/topics.ts';
import { KAFKA_ADMINISTRATOR, principalOf, REGISTRY_PRINCIPAL, ROLES, type Role } from './kafka-principals.ts';
import type { SecuredSecrets } from './secrets.ts';

const SCRAM_ITERATIONS = 8_192;
const SCRAM_SALT_BYTES = 32;
const SHA512_BYTES = 64;

type Operation = 'READ' | 'WRITE' | 'CREATE' | 'DESCRIBE' | 'DESCRIBE_CONFIGS' | 'ALTER_CONFIGS' | 'DELETE';
type Resource = 'TOPIC' | 'GROUP' | 'CLUSTER';

interface Rule {
  readonly resource: Resource;
  /** A name that ends with `*` matches all names with that prefix. */
  readonly names: readonly string[];
  readonly operations: readonly Operation[];
}

const ALL_TOPICS = TOPICS.map(({ name }) => name);
const READS_ALL: Rule = { resource: 'TOPIC', names: ALL_TOPICS, operations: ['READ', 'DESCRIBE', 'DESCRIBE_CONFIGS'] };
const SEES_GROUPS: Rule = { resource: 'GROUP', names: ['tapeproof.*'], operations: ['DESCRIBE'] };

function writes(...names: readonly TopicName[]): Rule {
  return { resource: 'TOPIC', names, operations: ['WRITE'] };
}

/**
 * Who may do what: one writer for each topic. The tape belongs to ingestion, and to the operator, who activates and
 * amends; everything derived belongs to the engine; every reader may write dead letters. The operator recreates topics
 * (`topics recreate`), and nobody deletes the tape.
 */
export const RULES: Readonly<Record<Role, readonly Rule[]>> = {
  operator: [
    READS_ALL,
    { resource: 'TOPIC', names: ALL_TOPICS, operations: ['CREATE', 'ALTER_CONFIGS'] },
    { resource: 'TOPIC', names: ALL_TOPICS.filter((name) => name !== TAPE_TOPIC), operations: ['DELETE'] },
    writes(TAPE_TOPIC, DEAD_LETTERS_TOPIC),
    SEES_GROUPS,
    { resource: 'CLUSTER', names: ['kafka-cluster'], operations: ['DESCRIBE', 'DESCRIBE_CONFIGS'] },
  ],
  ingest: [READS_ALL, writes(TAPE_TOPIC, DEAD_LETTERS_TOPIC)],
  engine: [
    READS_ALL,
    writes(...DERIVED_TOPICS, ANCHORS_TOPIC, STATES_TOPIC, DEAD_LETTERS_TOPIC),
    { resource: 'GROUP', names: ['tapeproof.engine*'], operations: ['READ', 'DESCRIBE'] },
  ],
  projector: [
    READS_ALL,
    writes(DEAD_LETTERS_TOPIC),
    { resource: 'GROUP', names: ['tapeproof.*'], operations: ['READ', 'DESCRIBE'] },
  ],
  reader: [READS_ALL, SEES_GROUPS],
};

/** The registry keeps its schemas in its own topics. */
const REGISTRY_RULES: readonly Rule[] = [
  {
    resource: 'TOPIC',
    names: ['kafkasql-*', 'registry-*'],
    operations: ['READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  },
  { resource: 'GROUP', names: ['apicurio-*'], operations: ['READ', 'DESCRIBE'] },
];

/** Gives each principal its password and its rules; repeating it changes only the salts. */
export async function grantAccess(port: number, secured: SecuredSecrets, timeoutMs: number): Promise<void> {
  const connection = new Connection('tapeproof-stack', {
    connectTimeout: timeoutMs,
    requestTimeout: timeoutMs,
    tls: { ca: secured.authority.certificate },
    sasl: { mechanism: 'PLAIN', username: KAFKA_ADMINISTRATOR, password: secured.kafkaAdministrator },
  });
  const passwords = [
    ...ROLES.map((role) => [principalOf(role), secured.kafka[role]] as const),
    [REGISTRY_PRINCIPAL, secured.kafkaRegistry] as const,
  ];
  const rules = [
    ...ROLES.flatMap((role) => RULES[role].flatMap((rule) => entriesOf(principalOf(role), rule))),
    ...REGISTRY_RULES.flatMap((rule) => entriesOf(REGISTRY_PRINCIPAL, rule)),
  ];
  try {
    await connection.connect('127.0.0.1', port);
    const credentials = passwords.map(([name, password]) => scramCredential(name, password));
    await alterScram.api.async(connection, [], credentials);
    await createAcls.api.async(connection, rules);
  } finally {
    await connection.close();
  }
}

function entriesOf(principal: string, { resource, names, operations }: Rule) {
  return names.flatMap((name) =>
    operations.map((operation) => ({
      principal: `User:${principal}`,
      host: '*',
      permissionType: AclPermissionTypes.ALLOW,
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
