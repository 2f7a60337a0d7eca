import { ROLES, type Role } from './kafka-principals.ts';
import type { KafkaPasswords } from './kafka-access.ts';

/** Where containers get the passwords of a Kafka with passwords from: docker-compose.secure.yml. */
export const KAFKA_PASSWORD_VARIABLES = {
  administrator: 'TAPEPROOF_KAFKA_ADMINISTRATOR_PASSWORD',
  registry: 'TAPEPROOF_KAFKA_REGISTRY_PASSWORD',
} as const;

export function passwordVariableOf(role: Role): string {
  return `TAPEPROOF_KAFKA_${role.toUpperCase()}_PASSWORD`;
}

/** @throws Error that names each variable without a value. */
export function passwordsFrom(environment: Readonly<Record<string, string | undefined>>): KafkaPasswords {
  const { administrator, registry } = KAFKA_PASSWORD_VARIABLES;
  const missing = [administrator, registry, ...ROLES.map(passwordVariableOf)].filter((name) => !environment[name]);
  if (missing.length > 0) throw new Error(`Set ${missing.join(', ')}: docs/security.md has the lines that make them.`);
  const valueOf = (name: string): string => environment[name] ?? '';
  const roles = Object.fromEntries(ROLES.map((role) => [role, valueOf(passwordVariableOf(role))]));
  return {
    ...{ administrator: valueOf(administrator), registry: valueOf(registry) },
    roles: roles as Record<Role, string>,
  };
}
