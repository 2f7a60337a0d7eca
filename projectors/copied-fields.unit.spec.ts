import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody } from '../contracts/codec.ts';
import { anyEvent } from '../contracts/fixtures/any-event.ts';
import type { RecordName } from '../contracts/generated/events.ts';
import { rowOf } from './field-rows.ts';
import { postgresHistory } from './postgres-history/projector.ts';
import type { ProjectedEvent, Table } from './projector.ts';
import { FieldCopier, fieldCopiersOf } from './sinks/field-copier.ts';
import { BinaryRows } from './sinks/postgres-binary.ts';
import { RowPack } from './sinks/row-pack.ts';

const copiers = fieldCopiersOf(postgresHistory.fieldRows ?? {});

function sourceOf(type: RecordName, body: Buffer): ProjectedEvent {
  const event = decodeBody(type, body);
  const bodyHash = (): Buffer => Buffer.alloc(32, 7);
  return {
    type,
    event,
    plainBody: body,
    bodyHash,
    topic: 'raw.trades',
    partition: 0,
    offset: 0,
    partitions: 1,
  } as never;
}

function finished(rows: ReadonlyMap<Table, BinaryRows>): Record<string, string> {
  return Object.fromEntries([...rows].map(([{ name }, binary]) => [name, binary.finish().toString('hex')]));
}

/** Empty for a table whose rows are not written by COPY. */
function bytesOf(pack: RowPack): string {
  return [...pack.tables()].map((table) => ('copy' in table ? table.copy.toString('hex') : '')).join();
}

describe('FieldCopier', () => {
  it.each([...copiers.keys()])('copies from a %s what its projection writes', (name) => {
    const copier = copiers.get(name);
    let copied = 0;
    fc.assert(
      fc.property(anyEvent(name), (event) => {
        const source = sourceOf(name, encodeBody(name, event as never));
        const tables = copier?.tables ?? [];
        const direct = new Map(tables.map((table) => [table, new BinaryRows(table)]));
        const isCopied = copier?.copy(source, (table) => (direct.get(table) as BinaryRows).output) === true;
        const projected = new Map(tables.map((table) => [table, new BinaryRows(table)]));
        if (isCopied) for (const { table, row } of postgresHistory.project(source)) projected.get(table)?.add(row);
        if (isCopied) copied += 1;
        expect(finished(direct)).toEqual(finished(projected));
      }),
      { numRuns: 1_000 },
    );
    expect(copied).toBeGreaterThan(50);
  });

  const columns = { key: 'text', price: 'numeric' } as const;
  it.each([
    [
      'a field that may be null',
      { ...columns, price: 'numeric' },
      'rangeHigh',
      'numeric cannot be copied from a decimal',
    ],
    ['a field of another type', { ...columns, price: 'bigint' }, 'lastPrice', 'bigint cannot be copied from a decimal'],
    ['a field that is not there', columns, 'price', 'there is no field price'],
  ] as const)('refuses %s', (_, ofColumns, path, sentence) => {
    const table = { name: 't', columns: ofColumns, key: ['key'] };
    const row = rowOf<'IndicatorSnapshot'>(table, { key: 'eventId', price: path as 'lastPrice' });
    expect(() => new FieldCopier('IndicatorSnapshot', [row])).toThrow(sentence);
  });
});

describe('a pack with copiers', () => {
  const bodyOf = (seed: number): Buffer => {
    const [event] = fc.sample(
      anyEvent('Outcome').filter(({ referencePrice }) => referencePrice.isPositive()),
      {
        numRuns: 1,
        seed,
      },
    );
    if (event === undefined) throw new Error('no sample');
    return encodeBody('Outcome', event);
  };

  it('projects a table’s first rows, and copies once they are enough for COPY', () => {
    const pack = new RowPack(copiers);
    const sources = Array.from({ length: 60 }, (_, index) => sourceOf('Outcome', bodyOf(index)));
    const copied = sources.map((source) => {
      const isCopied = pack.copy(source);
      if (!isCopied) pack.add({ offset: 0, output: postgresHistory.project(source) });
      return isCopied;
    });
    expect(copied.slice(0, 20)).not.toContain(true);
    expect(copied).toContain(true);
    expect(pack.records).toBe(60);
    const whole = RowPack.of(sources.map((source) => ({ offset: 0, output: postgresHistory.project(source) })));
    expect(bytesOf(pack) === bytesOf(whole)).toBe(true);
  });
});
