import type { Decimal } from '../contracts/decimal.ts';
import type { EngineActivated, EventTypes, RecordName } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import type { DerivedTopic, TopicName } from '../contracts/topics.ts';

/** An event's position in the log. */
export interface Source {
  readonly topic: TopicName;
  readonly partition: number;
  /** Offset in that topic and partition. */
  readonly offset: number;
  /** Number of partitions of the tape, for rules on placement. */
  readonly partitions: number;
  /** Hash (32 bytes) of the event as written: see contracts/codec.ts, `hashWritten`. */
  readonly bodyHash: () => Buffer;
  /** The event's Avro body where its fields can be found in it (contracts/plain-fields.ts), for a sink that copies them. */
  readonly plainBody?: Buffer;
  /** What the projector asked for by `window`, after its records were read. */
  readonly window?: TapeWindow;
}

/**
 * A range of the tape, in an event's partition, on which a projector's output depends beside the event itself: no less a
 * fact of the log. The runner passes its records one by one, so that a long range need not be in memory.
 */
export interface TapeWindow {
  /** Offsets, `[from, to)`; what the tape no longer has of it is left out. */
  readonly from: number;
  readonly to: number;
  /** SHA-256 (hex) of the configuration that the event names. */
  readonly configHash: string;
  /** @param activation - an activation of that configuration before `to`; undefined where the partition has none. */
  begin(activation: EngineActivated | undefined): void;
  take(offset: number, content: TapeContent): void;
}

/** A check's result for one event: the runner counts it, and reports a divergence as an error. */
export interface CheckResult {
  readonly result: 'agrees' | 'diverges' | 'not_checked';
  readonly eventId: string;
  /** For people: one sentence. */
  readonly sentence: string;
}

/** A projector's input: an event with its type and its position in the log. */
export type ProjectedEvent = {
  readonly [Name in RecordName]: Source & { readonly type: Name; readonly event: EventTypes[Name] };
}[RecordName];

/** The runner's view of a projector; `Output` is the type that its store accepts. */
export interface ProjectorOf<Output> {
  /** In kebab case; names the consumer group `tapeproof.<name>.g<generation>`. */
  readonly name: string;
  /** One sentence for `tapeproof projector list`. */
  readonly summary: string;
  readonly topics: readonly TopicName[];
  /** Record types that are counted as ignored without being decoded. */
  readonly skips?: readonly RecordName[];
  /** For a projector that compares events with the tape: the range needed; undefined for an event that needs none. */
  readonly window?: (source: ProjectedEvent) => TapeWindow | undefined;
  /** For a projector that checks: the result that an output contains. */
  readonly resultOf?: (output: readonly Output[]) => CheckResult | undefined;
  /** Record types whose output consists of their own fields, so that a sink may copy these instead of projecting. */
  readonly fieldRows?: FieldRows;
  /** Depends only on its argument. An empty result means that the event is ignored. */
  readonly project: (source: ProjectedEvent) => readonly Output[];
}

/**
 * A read model in Postgres: a pure mapping from an event to rows.
 *
 * The first row is the record's identity. Where its key is already stored, the record is a duplicate and none of its
 * rows has an effect; where `body_hash` is among its columns and differs from the stored one, it is a conflict.
 */
export interface PostgresProjector extends ProjectorOf<RowInsert> {
  readonly sink: 'postgres';
  /** Prefix of its schemas: generation 3 of `history` is in schema `history_3`. */
  readonly schema: string;
  readonly tables: readonly Table[];
  /**
   * Views over the live generation besides those for each table: name to query, in which `{schema}` is replaced by the
   * schema.
   */
  readonly views?: Readonly<Record<string, string>>;
  /**
   * True where two records that pass the sequence check can never share a key, as with sequenced events: a rebuild then
   * loads without keys and builds them afterwards.
   */
  readonly loadsWithoutKeys: boolean;
}

/** A read model in Redis: a pure mapping from an event to latest-value operations. */
export interface RedisProjector extends ProjectorOf<LatestOperation> {
  readonly sink: 'redis';
  /** Prefix of its keys: generation 3 of `tp` is under `tp:3:`. */
  readonly keyspace: string;
  /** Name of the hash that maps an entity to the partition of its values: `<keyspace>:<generation>:<index>`. */
  readonly index: string;
  /** Fields that the store keeps by comparing two times of an entity. */
  readonly lags?: readonly Lag[];
}

export type Projector = PostgresProjector | RedisProjector;

// Postgres: tables and rows.

export type ColumnType =
  'text' | 'integer' | 'bigint' | 'numeric' | 'double precision' | 'timestamptz' | 'bytea' | 'jsonb' | 'text[]';
/** A Postgres type; NOT NULL unless it says ` null`. */
export type Column = ColumnType | `${ColumnType} null`;
/** `timestamptz` is a number of microseconds since 1970; `jsonb`, and `numeric` as stored, are text. */
export type Value = string | number | Decimal | Buffer | null | readonly string[];
export type Row = Readonly<Record<string, Value>>;

type ValueOf<C> = C extends `${infer T} null`
  ? ValueOf<T> | null
  : C extends 'integer' | 'bigint' | 'double precision' | 'timestamptz'
    ? number
    : C extends 'numeric'
      ? Decimal | string
      : C extends 'bytea'
        ? Buffer
        : C extends 'text[]'
          ? readonly string[]
          : string;

export interface Table {
  /** Name of the table, and of the stable view `tapeproof.<name>`. */
  readonly name: string;
  readonly columns: Readonly<Record<string, Column>>;
  readonly key: readonly string[];
  readonly indexes?: readonly (readonly string[])[];
  /**
   * The output of which it has a row for each event, with columns `tape_partition`, `sequence` and `body_hash`: its rows
   * are held to the roots in the engine's anchors.
   */
  readonly output?: DerivedTopic;
  /** The only topic that its rows come from, where `output` does not say so: see `Shadow.loaded`. */
  readonly topic?: TopicName;
  /**
   * For a table whose rows are updated: merges the stored row with the next one. The result must not depend on their
   * order. Without it a row is written once.
   */
  readonly merge?: (stored: Row, next: Row) => Row;
}

export type RowOf<T extends Table> = { readonly [C in keyof T['columns']]: ValueOf<T['columns'][C]> };

export interface RowInsert {
  readonly table: Table;
  readonly row: Row;
}

/** A row of a table, checked against its columns. */
export function into<const T extends Table>(table: T, row: RowOf<T>): RowInsert {
  return { table, row };
}

// Rows that are fields of an event: see field-rows.ts.

/** One row of a table from an event, or one for each element of a list. */
export interface FieldRow {
  readonly table: Table;
  /** In the table's order. */
  readonly columns: readonly FieldColumn[];
  /** The list with an element for each row. */
  readonly each: string | undefined;
}

export interface FieldColumn {
  readonly name: string;
  readonly from: 'bodyHash()' | 'ordinal()' | readonly PathStep[];
}

export interface PathStep {
  readonly name: string;
  /** Of a list: the element that is taken; `each` is the row's own. */
  readonly element: number | 'each' | undefined;
}

/** By record type: its rows in order, the first of them its identity. */
export type FieldRows = Readonly<Partial<Record<RecordName, readonly FieldRow[]>>>;

// Redis: latest values.

/** Text by field name. */
export type Fields = Readonly<Record<string, string>>;

/**
 * A field that shows whether one time of an entity is far behind another: '1' while `aheadField` is more than
 * `moreThanUs` after `behindField`, else '0'; absent until both exist. It depends on the two alone, so neither the
 * order of changes nor their batches matter.
 */
export interface Lag {
  readonly field: string;
  readonly aheadField: string;
  readonly behindField: string;
  readonly moreThanUs: number;
}

export type LatestOperation =
  /** Sets fields of an entity: the last value in log order stays. */
  | { readonly kind: 'set'; readonly entity: string; readonly fields: Fields }
  /** Sets `timeField` = `timeUs` unless the stored time is later. Not for the time field of a `set-if-later`. */
  | { readonly kind: 'advance'; readonly entity: string; readonly timeField: string; readonly timeUs: number }
  /**
   * Sets fields of an entity together with `timeField` = `timeUs` unless the stored time is later. On a tie the later
   * one in the log stays, except that an `id` already seen at that time is a duplicate without effect.
   */
  | {
      readonly kind: 'set-if-later';
      readonly entity: string;
      readonly timeField: string;
      readonly timeUs: number;
      /** One word without white space. */
      readonly id: string;
      readonly fields: Fields;
    };
