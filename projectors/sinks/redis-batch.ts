import type { LatestOperation } from '../projector.ts';
import type { ProjectedRecord } from '../sink.ts';

/** A batch's effect on an entity, as far as it is known without the stored values. */
export interface EntityChange {
  readonly entity: string;
  /** The last value of each field that is set unconditionally. */
  readonly fields: Record<string, string>;
  /** By time field: the operations at the batch's greatest time, in the order of the log. */
  readonly later: Map<string, LaterChange>;
}

export interface LaterChange {
  readonly timeUs: number;
  readonly candidates: { readonly id: string; readonly fields: Readonly<Record<string, string>> }[];
}

/**
 * Folds a batch's operations by entity. Applying the fold to the stored values equals applying the operations one by
 * one: an operation before the batch's greatest time would be superseded within the batch in any case.
 */
export function foldOperations(records: readonly ProjectedRecord<LatestOperation>[]): readonly EntityChange[] {
  const changes = new Map<string, EntityChange>();
  for (const { output } of records) {
    for (const operation of output) {
      let change = changes.get(operation.entity);
      if (change === undefined) {
        change = { entity: operation.entity, fields: {}, later: new Map() };
        changes.set(operation.entity, change);
      }
      if (operation.kind === 'set') Object.assign(change.fields, operation.fields);
      else foldLater(change.later, operation);
    }
  }
  return [...changes.values()];
}

function foldLater(
  later: Map<string, LaterChange>,
  operation: Exclude<LatestOperation, { readonly kind: 'set' }>,
): void {
  const { timeField, timeUs } = operation;
  const known = later.get(timeField);
  if (known !== undefined && timeUs < known.timeUs) return;
  const change = known?.timeUs === timeUs ? known : { timeUs, candidates: [] };
  if (operation.kind === 'set-if-later') change.candidates.push({ id: operation.id, fields: operation.fields });
  later.set(timeField, change);
}
