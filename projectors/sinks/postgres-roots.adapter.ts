import type { DerivedTopic } from '../../contracts/topics.ts';
import type { Client } from '../../platform/postgres.ts';
import type { EarlierChecks, NamedRoot, RootCheck } from '../engine-roots.ts';
import type { PostgresProjector, Table } from '../projector.ts';
import type { HeldOutput, RootStore } from '../sink.ts';
import { schemaOf } from './postgres-schema.ts';

/** Events whose hashes are read at a time. */
const READ_EVENTS = 10_000;

const CHECK_COLUMNS = `topic, partition, anchor_hash, anchor_log_offset, anchor_tape_offset, first_sequence, from_sequence,
  next_sequence, anchor_root, result, stored_root, frontier, difference`;

interface CheckRow {
  readonly topic: DerivedTopic;
  readonly partition: number;
  readonly anchor_hash: string;
  readonly anchor_log_offset: string;
  readonly anchor_tape_offset: string;
  readonly first_sequence: string;
  readonly from_sequence: string;
  readonly next_sequence: string;
  readonly anchor_root: string;
  readonly result: RootCheck['result'];
  readonly stored_root: string | null;
  readonly frontier: readonly string[];
  readonly difference: string | null;
}

/** Runs a query in the store, and turns its failures into the sink's. */
export type Within = <Result>(work: (client: Client) => Promise<Result>) => Promise<Result>;

/** Undefined for a projector that has no output whole. */
export function createRootStore(
  within: Within,
  projector: PostgresProjector,
  generation: number,
): RootStore | undefined {
  const schema = schemaOf(projector, generation);
  const tables = new Map<DerivedTopic, Table>();
  for (const table of projector.tables) if (table.output !== undefined) tables.set(table.output, table);
  if (tables.size === 0) return undefined;
  return {
    outputs: [...tables.keys()],
    nextAnchor: (topic, partition) => within((client) => nextAnchor(client, schema, topic, partition)),
    checkOf: (topic, partition, anchorHash) =>
      within((client) => checkOf(client, schema, topic, partition, anchorHash)),
    earlier: (named) => within((client) => earlierChecks(client, schema, named)),
    async *hashes(topic, partition, from, to) {
      const name = tables.get(topic)?.name;
      if (name === undefined) throw new RangeError(`${projector.name} does not have ${topic}`);
      for (let first = from; first < to; first += READ_EVENTS) {
        const range = [partition, first, Math.min(to, first + READ_EVENTS)];
        const { rows } = await within((client) => hashRows(client, `${schema}.${name}`, range));
        yield rows.map(({ sequence, hash }) => ({ sequence: Number(sequence), hash }));
      }
    },
    keep: (check) => within((client) => keepCheck(client, schema, check)),
    held: () => within((client) => heldIn(client, schema)),
  };
}

/** By the index of sequences, also where the server has no statistics of the table yet. @param range - partition, from, to */
async function hashRows(client: Client, table: string, range: readonly number[]) {
  await client.query('BEGIN; SET LOCAL enable_seqscan = off');
  const found = await client.query<{ sequence: string; hash: Buffer }>(
    `SELECT sequence, body_hash AS hash FROM ${table}
      WHERE tape_partition = $1 AND sequence >= $2 AND sequence < $3 ORDER BY sequence`,
    [...range],
  );
  await client.query('COMMIT');
  return found;
}

/** An anchor whose events did not exist is compared again. */
async function nextAnchor(client: Client, schema: string, topic: DerivedTopic, partition: number): Promise<number> {
  const { rows } = await client.query<{ next: string | null }>(
    `SELECT coalesce(min(anchor_log_offset) FILTER (WHERE result = 'awaits'), max(anchor_log_offset) + 1, 0) AS next
       FROM ${schema}.root_checks WHERE topic = $1 AND partition = $2`,
    [topic, partition],
  );
  return Number(rows[0]?.next);
}

async function checkOf(
  client: Client,
  schema: string,
  topic: DerivedTopic,
  partition: number,
  anchorHash: string,
): Promise<RootCheck | undefined> {
  const { rows } = await client.query<CheckRow>(
    `SELECT ${CHECK_COLUMNS} FROM ${schema}.root_checks WHERE topic = $1 AND partition = $2 AND anchor_hash = $3`,
    [topic, partition, anchorHash],
  );
  return rows[0] === undefined ? undefined : checkFrom(rows[0]);
}

async function earlierChecks(client: Client, schema: string, named: NamedRoot): Promise<EarlierChecks> {
  const { topic, partition, firstSequence, nextSequence, anchor } = named;
  const { rows: bases } = await client.query<CheckRow>(
    `SELECT ${CHECK_COLUMNS} FROM ${schema}.root_checks
      WHERE topic = $1 AND partition = $2 AND first_sequence = $3 AND next_sequence <= $4 AND stored_root IS NOT NULL
      ORDER BY next_sequence DESC LIMIT 1`,
    [topic, partition, firstSequence, nextSequence],
  );
  const { rows: ends } = await client.query(
    `SELECT FROM ${schema}.root_checks
      WHERE topic = $1 AND partition = $2 AND next_sequence = $3 AND stored_root IS NOT NULL LIMIT 1`,
    [topic, partition, firstSequence],
  );
  const previous = anchor.previousHash;
  return {
    base: bases[0] === undefined ? undefined : checkFrom(bases[0]),
    predecessor: previous === null ? undefined : await checkOf(client, schema, topic, partition, previous),
    endsAtBeginning: ends.length > 0,
  };
}

async function keepCheck(client: Client, schema: string, check: RootCheck): Promise<void> {
  const { topic, partition, anchor, firstSequence, fromSequence, nextSequence, root, result } = check;
  await client.query(
    `INSERT INTO ${schema}.root_checks (${CHECK_COLUMNS})
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     ON CONFLICT (topic, partition, anchor_hash) DO UPDATE
       SET anchor_log_offset = excluded.anchor_log_offset, from_sequence = excluded.from_sequence,
           result = excluded.result, stored_root = excluded.stored_root, frontier = excluded.frontier,
           difference = excluded.difference`,
    [
      ...[
        topic,
        partition,
        anchor.hash,
        anchor.logOffset,
        anchor.tapeOffset,
        firstSequence,
        fromSequence,
        nextSequence,
      ],
      ...[root, result, check.storedRoot ?? null, check.frontier, check.difference ?? null],
    ],
  );
}

function checkFrom(row: CheckRow): RootCheck {
  return {
    topic: row.topic,
    partition: row.partition,
    firstSequence: Number(row.first_sequence),
    fromSequence: Number(row.from_sequence),
    nextSequence: Number(row.next_sequence),
    root: row.anchor_root,
    anchor: {
      hash: row.anchor_hash,
      logOffset: Number(row.anchor_log_offset),
      tapeOffset: Number(row.anchor_tape_offset),
    },
    result: row.result,
    storedRoot: row.stored_root ?? undefined,
    frontier: row.frontier,
    difference: row.difference ?? undefined,
  };
}

/** Of one output's rows: what all comparisons found. */
const HELD = `topic, partition, coalesce(max(next_sequence) FILTER (WHERE result = 'agrees'), 0) AS held_to,
  count(*) FILTER (WHERE result = 'agrees') AS agreeing,
  count(*) FILTER (WHERE result = 'differs') AS differing,
  count(*) FILTER (WHERE result = 'awaits') AS awaited,
  (array_agg(difference ORDER BY result = 'awaits', next_sequence) FILTER (WHERE result <> 'agrees'))[1] AS difference`;

type HeldRow = Readonly<Record<'topic' | 'partition' | 'held_to' | 'agreeing' | 'differing' | 'awaited', string>> & {
  readonly difference: string | null;
};

async function heldIn(client: Client, schema: string): Promise<readonly HeldOutput[]> {
  const { rows } = await client.query<HeldRow>(
    `SELECT ${HELD} FROM ${schema}.root_checks GROUP BY topic, partition ORDER BY topic, partition`,
  );
  return rows.map(heldFrom);
}

/** By projector, of the live generations; for every role that may read. */
export async function heldByProjector(client: Client): Promise<Readonly<Record<string, readonly HeldOutput[]>>> {
  const { rows: present } = await client.query<{ present: boolean }>(
    `SELECT to_regclass('tapeproof.root_checks') IS NOT NULL AS present`,
  );
  if (present[0]?.present !== true) return {};
  const { rows } = await client.query<HeldRow & { readonly projector: string }>(
    `SELECT projector, ${HELD} FROM tapeproof.root_checks
      GROUP BY projector, topic, partition ORDER BY projector, topic, partition`,
  );
  const byProjector: Record<string, HeldOutput[]> = {};
  for (const row of rows) (byProjector[row.projector] ??= []).push(heldFrom(row));
  return byProjector;
}

function heldFrom(row: HeldRow): HeldOutput {
  return {
    topic: row.topic,
    partition: Number(row.partition),
    heldTo: Number(row.held_to),
    agreeing: Number(row.agreeing),
    differing: Number(row.differing),
    awaited: Number(row.awaited),
    difference: row.difference,
  };
}
