import type { ProjectedEvent, Row, RowInsert, Table } from '../projector.ts';
import type { Pack, ProjectedRecord } from '../sink.ts';
import type { FieldCopiers } from './field-copier.ts';
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
  readonly #copiers: FieldCopiers | undefined;

  /** @param copiers - of the record types that need no projection. */
  constructor(copiers?: FieldCopiers) {
    this.#copiers = copiers;
  }

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
      if (packed.binary !== undefined) {
        packed.binary.add(row);
        continue;
      }
      packed.rows.push(row);
      if (packed.rows.length < COPY_ROWS_MIN || table.merge !== undefined) continue;
      packed.binary = new BinaryRows(table);
      for (const waiting of packed.rows) packed.binary.add(waiting);
      packed.rows.length = 0;
    }
  }

  copy(source: ProjectedEvent): boolean {
    const copier = this.#copiers?.get(source.type);
    // The first rows of a table wait until there are enough of them for COPY.
    if (copier === undefined || !copier.tables.every((table) => this.#tables.get(table)?.binary !== undefined)) {
      return false;
    }
    const isCopied = copier.copy(source, (table) => this.#binaryOf(table).output);
    if (isCopied) this.records += 1;
    return isCopied;
  }

  #binaryOf(table: Table): BinaryRows {
    const binary = this.#tables.get(table)?.binary;
    if (binary === undefined) throw new RangeError(`${table.name} has no rows for COPY yet`);
    return binary;
  }

  /** In the order of the tables' first use. The pack accepts nothing afterwards. */
  *tables(): Generator<PackedRows> {
    for (const [table, { rows, binary }] of this.#tables) {
      yield binary === undefined ? { table, rows } : { table, copy: binary.finish() };
    }
  }
}
