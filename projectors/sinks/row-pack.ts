import type { Row, RowInsert, Table } from '../projector.ts';
import type { Pack, ProjectedRecord } from '../sink.ts';
import { BinaryRows } from './postgres-binary.ts';

/** Below this number of rows a statement with arrays is quicker than COPY's extra round trip. */
const COPY_ROWS_MIN = 20;

/** Rows of one table, and the best form for writing them. */
export type PackedRows =
  { readonly table: Table; readonly rows: readonly Row[] } | { readonly table: Table; readonly copy: Buffer };

/** Rows of records whose keys are new: as bytes for COPY, except for a table that has few rows or merges them. */
export class RowPack implements Pack<RowInsert> {
  records = 0;
  readonly #tables = new Map<Table, { rows: Row[]; binary: BinaryRows | undefined }>();

  static of(records: readonly ProjectedRecord<RowInsert>[]): RowPack {
    const pack = new RowPack();
    for (const record of records) pack.add(record);
    return pack;
  }

  add({ output }: ProjectedRecord<RowInsert>): void {
    this.records += 1;
    for (const { table, row } of output) {
      let packed = this.#tables.get(table);
      if (packed === undefined) this.#tables.set(table, (packed = { rows: [], binary: undefined }));
      packed.rows.push(row);
      if (packed.rows.length < COPY_ROWS_MIN || table.merge !== undefined) continue;
      packed.binary ??= new BinaryRows(table);
      for (const waiting of packed.rows) packed.binary.add(waiting);
      packed.rows.length = 0;
    }
  }

  /** In the order of the tables' first use. The pack accepts nothing afterwards. */
  *tables(): Generator<PackedRows> {
    for (const [table, { rows, binary }] of this.#tables) {
      for (const row of binary === undefined ? [] : rows) binary?.add(row);
      yield binary === undefined ? { table, rows } : { table, copy: binary.finish() };
    }
  }
}
