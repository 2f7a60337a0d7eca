import type { TopicName } from '../contracts/topics.ts';

/** The principals of processes in the Kafka of a secured stack: docs/security.md lists what each may do. */
export const ROLES = ['operator', 'ingest', 'engine', 'projector', 'checkpoints', 'research', 'reader'] as const;
export type Role = (typeof ROLES)[number];

/** Who writes each topic: the access rules, the table of docs/security.md and the tests follow from it. */
export const WRITERS: Readonly<Record<TopicName, readonly Role[]>> = {
  'raw.trades': ['ingest', 'operator'],
  'indicator.snapshots': ['engine'],
  'strategy.results': ['engine'],
  'probability.decisions': ['engine'],
  'decision.outcomes': ['engine'],
  'engine.anchors': ['engine'],
  'engine.states': ['engine'],
  'dead.letters': ['ingest', 'operator', 'engine', 'projector'],
  'engine.checkpoints': ['checkpoints'],
  'research.trials': ['research'],
};

/** Kafka's super user, for the stack's own administration. */
export const KAFKA_ADMINISTRATOR = 'admin';
/** The registry as a client of Kafka. */
export const REGISTRY_PRINCIPAL = 'tapeproof-registry';

export function principalOf(role: Role): string {
  return `tapeproof-${role}`;
}
