import { TAPE_TOPIC, TOPICS } from '../contracts/topics.ts';
import { WRITERS, type Role } from './kafka-principals.ts';

export type Operation =
  'READ' | 'WRITE' | 'CREATE' | 'DELETE' | 'ALTER' | 'ALTER_CONFIGS' | 'DESCRIBE' | 'DESCRIBE_CONFIGS';
export type Resource = 'TOPIC' | 'GROUP' | 'CLUSTER';

export interface Rule {
  /** A refusal outweighs everything that is allowed. */
  readonly permission: 'ALLOW' | 'DENY';
  readonly resource: Resource;
  /** A name that ends with `*` matches all names with that prefix. */
  readonly names: readonly string[];
  readonly operations: readonly Operation[];
}

const ALL_TOPICS = TOPICS.map(({ name }) => name);
const ENGINE_GROUPS = 'tapeproof.engine.*';
const ALL_GROUPS = 'tapeproof.*';

const READS_ALL = allow('TOPIC', ALL_TOPICS, 'READ', 'DESCRIBE', 'DESCRIBE_CONFIGS');
const SEES_GROUPS = allow('GROUP', [ALL_GROUPS], 'DESCRIBE');

/**
 * What each principal may do, beside writing its own topics. Everybody reads; the operator creates and recreates topics
 * (`topics recreate`), and nobody deletes the tape; a group belongs to the engine or to the projectors.
 */
const FURTHER_RULES: Readonly<Record<Role, readonly Rule[]>> = {
  operator: [
    allow('TOPIC', ALL_TOPICS, 'CREATE', 'ALTER_CONFIGS'),
    allow(
      'TOPIC',
      ALL_TOPICS.filter((name) => name !== TAPE_TOPIC),
      'DELETE',
    ),
    SEES_GROUPS,
    allow('CLUSTER', ['kafka-cluster'], 'DESCRIBE', 'DESCRIBE_CONFIGS'),
  ],
  ingest: [],
  engine: [allow('GROUP', [ENGINE_GROUPS], 'READ', 'DESCRIBE')],
  projector: [
    allow('GROUP', [ALL_GROUPS], 'READ', 'DESCRIBE'),
    { ...allow('GROUP', [ENGINE_GROUPS], 'READ'), permission: 'DENY' },
  ],
  checkpoints: [],
  research: [],
  reader: [SEES_GROUPS],
};

export function rulesOf(role: Role): readonly Rule[] {
  const own = ALL_TOPICS.filter((name) => WRITERS[name].includes(role));
  return [READS_ALL, ...(own.length === 0 ? [] : [allow('TOPIC', own, 'WRITE')]), ...FURTHER_RULES[role]];
}

/** The registry keeps its schemas in its own topics. */
export const REGISTRY_RULES: readonly Rule[] = [
  allow(
    'TOPIC',
    ['kafkasql-*', 'registry-*'],
    ...(['READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'] as const),
  ),
  allow('GROUP', ['apicurio-*'], 'READ', 'DESCRIBE'),
];

/** Whether a role may do something with a topic, a group or the cluster. Whatever no rule allows is denied. */
export function isAllowed(role: Role, operation: Operation, resource: Resource, name: string): boolean {
  const matching = rulesOf(role).filter(
    (rule) =>
      rule.resource === resource &&
      rule.operations.includes(operation) &&
      rule.names.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern)),
  );
  return matching.length > 0 && matching.every(({ permission }) => permission === 'ALLOW');
}

function allow(resource: Resource, names: readonly string[], ...operations: readonly Operation[]): Rule {
  return { permission: 'ALLOW', resource, names, operations };
}
