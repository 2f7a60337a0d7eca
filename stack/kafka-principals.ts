/** The principals of processes in the Kafka of a secured stack: docs/security.md lists what each may do. */
export const ROLES = ['operator', 'ingest', 'engine', 'projector', 'reader'] as const;
export type Role = (typeof ROLES)[number];

/** Kafka's super user, for the stack's own administration. */
export const KAFKA_ADMINISTRATOR = 'admin';
/** The registry as a client of Kafka. */
export const REGISTRY_PRINCIPAL = 'tapeproof-registry';

export function principalOf(role: Role): string {
  return `tapeproof-${role}`;
}
