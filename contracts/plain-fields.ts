import { SCHEMAS, type RecordName } from './generated/events.ts';
import type { SchemaJson } from './schema-json.ts';

/** A field's type, as far as it decides how its bytes are read. A list's elements have a {@link FieldTable} of their own. */
export type FieldKind = 'text' | 'bytes' | 'int' | 'long' | 'double' | 'boolean' | 'decimal' | 'symbol' | 'list';

/** A field of a record type, or of the elements of a list. */
export interface PlainField {
  readonly kind: FieldKind;
  /** Its index in `begin` and `end`. */
  readonly slot: number;
  readonly mayBeNull: boolean;
  /** Of an enumeration, in the schema's order. */
  readonly symbols: readonly string[];
  /** Of a list: the fields of its elements. A map's are `key` and `value`; an element that is not a record is `value`. */
  readonly elements: FieldTable | undefined;
}

/** One step of the way through a body: past a value, or past a union's index. */
interface Step {
  readonly kind: FieldKind | 'nullable';
  /** Of the value; of the first value within a union. */
  readonly slot: number;
  /** Of an enumeration: its symbols. Of a union: its slots, and the steps that null leaves out. */
  size: number;
  steps: number;
  readonly elements: FieldTable | undefined;
}

/** A list with more elements is not plain. */
const ELEMENTS_MAX = 64;
const NULL = -1;
const MORE = 0x80;
/** Eight groups of seven bits, the last one below this, are below 2^53. */
const SAFE_LAST_GROUP = 16;
const LONG_GROUPS_MAX = 8;
const INT_GROUPS_MAX = 4;
/** Eleven bytes are below 10^27 units, the bound of a price or size, whatever they are. */
const DECIMAL_BYTES_MAX = 11;
/** Beyond the end of any body, with room for the lengths that are still added. */
const GIVEN_UP = 536_870_912;

/**
 * Where the fields of a body are, without reading them: for one who takes some of them as they are. Bodies that are not
 * plain (numbers beyond 2^53, negative or huge decimals, lists in several blocks or of many elements, broken bytes) are
 * left to avsc, which reads them or reports what is wrong.
 */
export class FieldTable {
  /** By path: `tape.offset`. */
  readonly fields: ReadonlyMap<string, PlainField>;
  /** Slots of one element. */
  readonly stride: number;
  /** By slot: where a value begins; that of text and bytes behind their length. −1 for null. */
  readonly begin: Int32Array;
  /** By slot: where text and bytes end. */
  readonly end: Int32Array;
  /** Elements found, of a list. */
  count = 0;
  readonly #steps: readonly Step[];
  /** The body whose fields are known: a reader and a writer in succession need them. */
  #located: Uint8Array | undefined;

  constructor(schema: SchemaJson, named = new Map<string, SchemaJson>(), elementsMax = 1) {
    const compiler = new Compiler(named);
    compiler.add(schema, '', false);
    this.fields = compiler.fields;
    this.#steps = compiler.steps;
    this.stride = this.fields.size;
    this.begin = new Int32Array(this.stride * elementsMax);
    this.end = new Int32Array(this.stride * elementsMax);
  }

  /** Finds the fields of a body, which are all of the bytes. @returns false where it is not plain. */
  locate(body: Uint8Array): boolean {
    if (this.#located === body) return true;
    const isPlain = this.#walk(body, 0, 0) === body.length;
    this.#located = isPlain ? body : undefined;
    return isPlain;
  }

  /** @param row - the first slot. @returns where the value ends; beyond the bytes' end where they are not plain. */
  #walk(body: Uint8Array, from: number, row: number): number {
    const { begin, end } = this;
    const steps = this.#steps;
    let at = from;
    for (let index = 0; index < steps.length; index += 1) {
      const step = steps[index];
      if (step === undefined) break;
      const slot = row + step.slot;
      if (step.kind === 'nullable') {
        const union = body[at] ?? MORE;
        at = union === 0 || union === 2 ? at + 1 : GIVEN_UP;
        if (union !== 0) continue;
        for (let left = 0; left < step.size; left += 1) begin[slot + left] = NULL;
        index += step.steps;
        continue;
      }
      begin[slot] = at;
      switch (step.kind) {
        case 'text':
        case 'bytes':
        case 'decimal': {
          let length = body[at] ?? MORE;
          if (length < MORE && (length & 1) === 0) {
            at += 1;
            length >>>= 1;
          } else {
            length = countAt(body, at);
            at = countEnd;
          }
          begin[slot] = at;
          if (step.kind === 'decimal' && (length > DECIMAL_BYTES_MAX || (body[at] ?? 0) >= MORE)) at = GIVEN_UP;
          at += length;
          end[slot] = at;
          break;
        }
        case 'double':
          // Infinities and what is not a number have every bit of the exponent set.
          if (((body[at + 7] ?? 0) & 0x7f) === 0x7f && (body[at + 6] ?? 0) >= 0xf0) at = GIVEN_UP;
          at += 8;
          break;
        case 'int':
          at = endOfGroups(body, at, INT_GROUPS_MAX);
          break;
        case 'long':
          at = endOfGroups(body, at, LONG_GROUPS_MAX);
          break;
        case 'boolean':
          at = (body[at] ?? MORE) > 1 ? GIVEN_UP : at + 1;
          break;
        case 'symbol':
          at = countAt(body, at) < step.size ? countEnd : GIVEN_UP;
          break;
        case 'list':
          at = step.elements === undefined ? GIVEN_UP : step.elements.#walkList(body, at);
          break;
      }
    }
    return at;
  }

  #walkList(body: Uint8Array, from: number): number {
    const count = countAt(body, from);
    let at = countEnd;
    this.count = count;
    if (count > ELEMENTS_MAX) return GIVEN_UP;
    for (let index = 0; index < count; index += 1) at = this.#walk(body, at, index * this.stride);
    if (count === 0) return at;
    return body[at] === 0 ? at + 1 : GIVEN_UP;
  }
}

const tables = new Map<RecordName, FieldTable>();

/** The fields of a record type in this build's schema. One table for all users: use it before the next body is located. */
export function fieldTableOf(name: RecordName): FieldTable {
  let table = tables.get(name);
  if (table === undefined) tables.set(name, (table = new FieldTable(JSON.parse(SCHEMAS[name]) as SchemaJson)));
  return table;
}

/** A number that {@link FieldTable.locate} found plain: zigzag, seven bits a byte, the lowest first. */
export function longAt(body: Uint8Array, at: number): number {
  let byte = body[at] ?? 0;
  if (byte < MORE) return (byte >>> 1) ^ -(byte & 1);
  let value = byte - MORE;
  let scale = 1;
  for (let next = at + 1; byte >= MORE; next += 1) {
    byte = body[next] ?? 0;
    scale *= MORE;
    value += (byte & (MORE - 1)) * scale;
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function endOfGroups(body: Uint8Array, from: number, groupsMax: number): number {
  let at = from;
  while ((body[at] ?? 0) >= MORE) at += 1;
  const groups = at + 1 - from;
  if (groups > groupsMax) return GIVEN_UP;
  if (groups === LONG_GROUPS_MAX && (body[at] ?? 0) >= SAFE_LAST_GROUP) return GIVEN_UP;
  return at + 1;
}

/** The position behind the count that was read last. */
let countEnd = 0;

/** A number of elements or bytes, or an enumeration's index: not negative, and below 2^20. */
function countAt(body: Uint8Array, at: number): number {
  const first = body[at] ?? MORE;
  const second = first < MORE ? 0 : (body[at + 1] ?? MORE);
  const third = second < MORE ? 0 : (body[at + 2] ?? MORE);
  countEnd = at + (first < MORE ? 1 : second < MORE ? 2 : 3);
  if (third >= MORE || (first & 1) === 1) {
    countEnd = GIVEN_UP;
    return 0;
  }
  return ((first & 0x7f) | ((second & 0x7f) << 7) | (third << 14)) >>> 1;
}

/** Makes the steps through a schema, and gives each field its slot. */
class Compiler {
  readonly fields = new Map<string, PlainField>();
  readonly steps: Step[] = [];
  readonly #named: Map<string, SchemaJson>;

  constructor(named: Map<string, SchemaJson>) {
    this.#named = named;
  }

  add(schema: SchemaJson, path: string, mayBeNull: boolean): void {
    const known = typeof schema === 'string' ? this.#named.get(schema) : undefined;
    if (known !== undefined) this.add(known, path, mayBeNull);
    else if (typeof schema === 'string') this.#leaf(kindOf(schema, path), path, mayBeNull);
    else if ('length' in schema) this.#nullable(schema, path);
    else {
      if (schema.name !== undefined) this.#named.set(schema.name, schema);
      if (schema.logicalType === 'decimal') this.#leaf('decimal', path, mayBeNull);
      else if (schema.type === 'enum') this.#leaf('symbol', path, mayBeNull, schema.symbols);
      else if (schema.type === 'array') this.#list(schema.items ?? 'null', path, mayBeNull);
      else if (schema.type === 'map') {
        const fields = [
          { name: 'key', type: 'string' },
          { name: 'value', type: schema.values ?? 'null' },
        ];
        this.#list({ type: 'record', fields }, path, mayBeNull);
      } else if (schema.type === 'record') {
        const prefix = path === '' ? '' : `${path}.`;
        for (const { name, type } of schema.fields ?? []) this.add(type, prefix + name, mayBeNull);
      } else this.add(schema.type, path, mayBeNull);
    }
  }

  /** A union of null, first, and another type. */
  #nullable([first, second]: readonly SchemaJson[], path: string): void {
    if (first !== 'null' || second === undefined) throw new RangeError(`${path} is not null or one other type`);
    const slot = this.fields.size;
    const step: Step = { kind: 'nullable', slot, size: 0, steps: 0, elements: undefined };
    const before = this.steps.push(step);
    this.add(second, path, true);
    step.size = this.fields.size - slot;
    step.steps = this.steps.length - before;
  }

  #list(items: SchemaJson, path: string, mayBeNull: boolean): void {
    const found = typeof items === 'string' ? (this.#named.get(items) ?? items) : items;
    const isRecord = typeof found === 'object' && 'type' in found && found.type === 'record';
    const element = isRecord ? found : { type: 'record', fields: [{ name: 'value', type: found }] };
    this.#leaf('list', path, mayBeNull, [], new FieldTable(element, this.#named, ELEMENTS_MAX));
  }

  #leaf(kind: FieldKind, path: string, mayBeNull: boolean, symbols: readonly string[] = [], elements?: FieldTable) {
    const slot = this.fields.size;
    this.fields.set(path, { kind, slot, mayBeNull, symbols, elements });
    this.steps.push({ kind, slot, size: symbols.length, steps: 0, elements });
  }
}

const KINDS: Readonly<Record<string, FieldKind>> = {
  string: 'text',
  bytes: 'bytes',
  int: 'int',
  long: 'long',
  double: 'double',
  boolean: 'boolean',
};

function kindOf(type: string, path: string): FieldKind {
  const kind = KINDS[type];
  if (kind === undefined) throw new RangeError(`${path} has type ${type}`);
  return kind;
}
