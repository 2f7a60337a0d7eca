import type { Command } from 'commander';
import type { Role } from '../stack/kafka-principals.ts';

/** The role of a command on a secured local stack; commands not listed are readers. */
const ROLE_OF_COMMAND: Readonly<Record<string, Role>> = {
  demo: 'operator',
  'ingest file': 'ingest',
  'ingest live': 'ingest',
  'ingest context': 'ingest',
  'ingest sectors': 'ingest',
  'engine run': 'engine',
  'projector run': 'projector',
  'projector rebuild': 'projector',
  'topics apply': 'operator',
  'topics recreate': 'operator',
  'contracts register': 'operator',
  migrate: 'operator',
  activate: 'operator',
  'dead-letters retry': 'operator',
  'checkpoints run': 'checkpoints',
  'checkpoints now': 'checkpoints',
  'tape cancel': 'operator',
  'tape correct': 'operator',
  'tape release': 'operator',
  'tape revoke-file': 'operator',
  backtest: 'research',
  'what-if': 'research',
};

let current: Role = 'reader';

/** Call it before the first connection. */
export function actAs(role: Role): void {
  current = role;
}

/** The role of this process. */
export function currentRole(): Role {
  return current;
}

export function roleOf(command: Command): Role {
  const parent = command.parent?.parent ? `${command.parent.name()} ` : '';
  return ROLE_OF_COMMAND[`${parent}${command.name()}`] ?? 'reader';
}
