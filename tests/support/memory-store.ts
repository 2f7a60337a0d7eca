import { canonicalJson } from '../../contracts/canonical-json.ts';
import type { Lag, LatestOperation, Row, RowInsert } from '../../projectors/projector.ts';
import {
  BEGINNING,
  type Application,
  type Counts,
  type SinkBatch,
  type Position,
  type ProjectedRecord,
  type Sink,
} from '../../projectors/sink.ts';
import { keyText, toText } from '../../projectors/sinks/postgres-text.ts';

/** A store in memory behind the projectors' own port, and the plainest implementation of a store's duties. */
export interface MemoryStore<Output> extends Sink<Output> {
  /** All values as one text. */
  values(): string;
  /** Sum over all partitions. */
  counts(): Counts;
  wipe(): void;
}

const NOTHING: Counts = { read: 0, applied: 0, duplicate: 0, conflict: 0, dead: 0, ignored: 0 };

type Verdict = 'applied' | 'duplicate' | 'conflict';

interface Values<Output> {
  write(record: ProjectedRecord<Output>): Verdict;
  compare(record: ProjectedRecord<Output>): Verdict;
  text(): string;
}

function createMemoryStore<Output>(empty: () => Values<Output>): MemoryStore<Output> {
  let values = empty();
  let counts = NOTHING;
  const positions = new Map<string, Position>();
  const positionOf = (topic: string, partition: number): Position =>
    positions.get(`${topic} ${partition}`) ?? BEGINNING;
  return {
    generation: 1,
    position: (topic, partition) => Promise.resolve(positionOf(topic, partition)),
    apply(delivery: SinkBatch<Output>): Promise<Application> {
      const { topic, partition, from, to, admitted, repeated, dead, ignored } = delivery;
      const position = positionOf(topic, partition);
      if (position.nextOffset !== from.nextOffset || position.nextSequence !== from.nextSequence) {
        return Promise.resolve({ kind: 'moved', position });
      }
      const verdicts = [
        ...admitted.map((record) => values.write(record)),
        ...repeated.map((record) => values.compare(record)),
      ];
      const number = (wanted: Verdict): number => verdicts.filter((verdict) => verdict === wanted).length;
      const added: Counts = {
        read: verdicts.length + dead + ignored,
        applied: number('applied'),
        duplicate: number('duplicate'),
        conflict: number('conflict'),
        dead,
        ignored,
      };
      counts = sum(counts, added);
      positions.set(`${topic} ${partition}`, to);
      return Promise.resolve({ kind: 'applied', counts: added });
    },
    values: () => values.text(),
    counts: () => counts,
    wipe() {
      values = empty();
      counts = NOTHING;
      positions.clear();
    },
  };
}

function sum(left: Counts, right: Counts): Counts {
  return {
    read: left.read + right.read,
    applied: left.applied + right.applied,
    duplicate: left.duplicate + right.duplicate,
    conflict: left.conflict + right.conflict,
    dead: left.dead + right.dead,
    ignored: left.ignored + right.ignored,
  };
}

/** Tables as maps from key to row. */
export function createMemoryTables(): MemoryStore<RowInsert> {
  return createMemoryStore(() => {
    const tables = new Map<string, Map<string, Row>>();
    const rowsOf = (name: string): Map<string, Row> => {
      const rows = tables.get(name) ?? new Map<string, Row>();
      tables.set(name, rows);
      return rows;
    };
    const compare = ({ output }: ProjectedRecord<RowInsert>): Verdict => {
      const { table, row } = output[0] ?? missingIdentity();
      const stored = rowsOf(table.name).get(keyText(table, row));
      const hash = row['body_hash'];
      if (hash === undefined) return 'duplicate';
      return stored !== undefined && (stored['body_hash'] as Buffer).equals(hash as Buffer) ? 'duplicate' : 'conflict';
    };
    return {
      compare,
      write(record) {
        const identity = record.output[0] ?? missingIdentity();
        if (rowsOf(identity.table.name).has(keyText(identity.table, identity.row))) return compare(record);
        for (const { table, row } of record.output) {
          const key = keyText(table, row);
          const stored = rowsOf(table.name).get(key);
          if (stored === undefined) rowsOf(table.name).set(key, row);
          else if (table.merge !== undefined) rowsOf(table.name).set(key, table.merge(stored, row));
        }
        return 'applied';
      },
      text: () =>
        [...tables]
          .sort(byKey)
          .flatMap(([name, rows]) => [name, ...[...rows.values()].map(textOf).sort()])
          .join('\n'),
    };
  });
}

function byKey([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}

function textOf(row: Row): string {
  return Object.values(row)
    .map((value) => toText('text', value))
    .join('\t');
}

function missingIdentity(): never {
  throw new RangeError('a projected record has an identity row');
}

/** Fields by entity, set one operation at a time. */
export function createMemoryLatest(lags: readonly Lag[] = []): MemoryStore<LatestOperation> {
  return createMemoryStore(() => {
    const entities = new Map<string, Record<string, string>>();
    const seen = new Map<string, Set<string>>();
    return {
      compare: () => 'duplicate',
      write({ output }) {
        for (const operation of output) {
          const fields = entities.get(operation.entity) ?? {};
          entities.set(operation.entity, fields);
          if (operation.kind === 'set') {
            Object.assign(fields, operation.fields);
            continue;
          }
          const { timeField, timeUs } = operation;
          const stored = fields[timeField] === undefined ? -1 : Number(fields[timeField]);
          if (timeUs < stored) continue;
          fields[timeField] = String(timeUs);
          const key = `${operation.entity} ${timeField}`;
          const ids = timeUs > stored ? new Set<string>() : (seen.get(key) ?? new Set());
          seen.set(key, ids);
          if (operation.kind === 'set-if-later') {
            if (!ids.has(operation.id)) Object.assign(fields, operation.fields);
            ids.add(operation.id);
          }
          for (const { field, aheadField, behindField, moreThanUs } of lags) {
            const [ahead, behind] = [fields[aheadField], fields[behindField]];
            if (ahead !== undefined && behind !== undefined) {
              fields[field] = Number(ahead) - Number(behind) > moreThanUs ? '1' : '0';
            }
          }
        }
        return 'applied';
      },
      text: () => canonicalJson([...entities].sort(byKey)),
    };
  });
}
