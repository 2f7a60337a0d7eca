import { canonicalJson } from '../../contracts/canonical-json.ts';
import type { DerivedEvent } from '../../contracts/topics.ts';

/** A field in which two events, or two configurations, differ. Null where one does not have it. */
export interface FieldDifference {
  /** Path, its parts separated by dots; a decision's contributions by strategy. */
  readonly field: string;
  readonly recorded: string | null;
  readonly hypothetical: string | null;
}

/** Compares two values field by field, in the order of the fields' names. */
export function fieldDifferences(recorded: unknown, hypothetical: unknown): readonly FieldDifference[] {
  const [left, right] = [fieldsOf(recorded), fieldsOf(hypothetical)];
  return [...new Set([...left.keys(), ...right.keys()])].sort().flatMap((field) => {
    const [before, after] = [left.get(field) ?? null, right.get(field) ?? null];
    return before === after ? [] : [{ field, recorded: before, hypothetical: after }];
  });
}

/** Fields that name an event, or who derived it, and say nothing about the market. */
const IDENTIFYING: ReadonlySet<string> = new Set(['eventId', 'sequence', 'causes', 'engineVersion', 'configHash']);

/** What explains why two events of one tape record differ: the fields that follow from the market. */
export function contentDifferences(
  recorded: DerivedEvent | undefined,
  hypothetical: DerivedEvent | undefined,
): readonly FieldDifference[] {
  return fieldDifferences(recorded, hypothetical).filter(
    ({ field }) => !IDENTIFYING.has(field.split('.')[0] ?? '') && !field.endsWith('.resultId'),
  );
}

function fieldsOf(value: unknown): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  if (value !== undefined) collect('', JSON.parse(canonicalJson(value)), fields);
  return fields;
}

function collect(path: string, value: unknown, into: Map<string, string>): void {
  if (typeof value !== 'object' || value === null) {
    into.set(path, String(value));
    return;
  }
  for (const [key, child] of Object.entries(value as Record<string, unknown>)) {
    // A strategy that is missing on one side must not shift the others.
    const name = Array.isArray(value) ? (strategyOf(child) ?? key) : key;
    collect(path === '' ? name : `${path}.${name}`, child, into);
  }
}

function strategyOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('strategy' in value)) return undefined;
  return typeof value.strategy === 'string' ? value.strategy : undefined;
}
