import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryLatest } from '../../tests/support/memory-store.ts';
import type { LatestOperation } from '../projector.ts';
import { BEGINNING, type Position, type ProjectedRecord } from '../sink.ts';
import { foldOperations } from './redis-batch.ts';

const LAGS = [{ field: 'behind', aheadField: 'u', behindField: 't', moreThanUs: 1 }];

const operation: fc.Arbitrary<LatestOperation> = fc.oneof(
  fc
    .tuple(fc.constantFrom('A', 'B'), fc.nat({ max: 5 }))
    .map(([entity, timeUs]) => ({ kind: 'advance' as const, entity, timeField: 'u', timeUs })),
  fc
    .tuple(fc.constantFrom('A', 'B'), fc.constantFrom('x', 'y'), fc.nat({ max: 9 }))
    .map(([entity, field, value]) => ({ kind: 'set' as const, entity, fields: { [field]: String(value) } })),
  fc
    .tuple(fc.constantFrom('A', 'B'), fc.nat({ max: 3 }), fc.nat({ max: 3 }), fc.nat({ max: 9 }))
    .map(([entity, timeUs, id, price]) => ({
      kind: 'set-if-later' as const,
      entity,
      timeField: 't',
      timeUs,
      id: String(id),
      fields: { price: String(price), id: String(id) },
    })),
);

async function apply(batches: readonly (readonly LatestOperation[])[]): Promise<string> {
  const store = createMemoryLatest(LAGS);
  let from: Position = BEGINNING;
  for (const batch of batches) {
    const to = { nextOffset: from.nextOffset + 1, nextSequence: 0 };
    const admitted = [{ offset: from.nextOffset, output: batch }];
    await store.apply({ topic: 'raw.trades', partition: 0, from, to, admitted, repeated: [], dead: 0, ignored: 0 });
    from = to;
  }
  return store.values();
}

/** The effect of the store's script on a fold, as operations. */
function operationsOf(records: readonly ProjectedRecord<LatestOperation>[]): LatestOperation[] {
  return foldOperations(records).flatMap(({ entity, fields, later }) => [
    ...(Object.keys(fields).length === 0 ? [] : [{ kind: 'set' as const, entity, fields }]),
    ...[...later].flatMap(([timeField, { timeUs, candidates }]) => [
      ...(candidates.length === 0 ? [{ kind: 'advance' as const, entity, timeField, timeUs }] : []),
      ...candidates.map(({ id, fields: values }) => ({
        kind: 'set-if-later' as const,
        ...{ entity, timeField, timeUs, id, fields: values },
      })),
    ]),
  ]);
}

describe('foldOperations', () => {
  it('equals applying the operations one by one, whatever is stored', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation), fc.array(operation), async (stored, batch) => {
        const folded = operationsOf(batch.map((one, offset) => ({ offset, output: [one] })));
        expect(await apply([stored, folded])).toBe(await apply([stored, batch]));
      }),
    );
  });
});
