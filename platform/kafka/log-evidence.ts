import type { Kafka } from 'kafkajs';
import { bodyOf, readerFor, schemaIdOf } from '../../contracts/codec.ts';
import { FORMER_TAPE_SCHEMAS } from '../../contracts/former-schemas.ts';
import { SCHEMAS } from '../../contracts/generated/events.ts';
import { isInstrument } from '../../contracts/instrument-name.ts';
import { partitionOf } from '../../contracts/partitioner.ts';
import { ANCHORS_TOPIC, TAPE_TOPIC, TOPICS, type TopicDefinition, type TopicName } from '../../contracts/topics.ts';
import { TapeproofError } from '../errors.ts';
import type { LogReader } from './log-reader.ts';
import type { LogRecord } from './log-record.ts';
import { labelOf, type TapeLabel } from './tape-label.ts';
import { existingTopics } from './topics.ts';

/** Records inspected at each end of a partition. */
export const SAMPLE_RECORDS = 100;
/** Bodies kept for each id: a damaged one proves nothing. */
const BODIES_KEPT = 5;
/** An id on fewer records than this may be poison: nothing is concluded from it. */
const RECORDS_MIN = 8;
/** Nor from an id on less than this share of its topic's records. */
const SHARE_MIN = 0.1;

/** One topic's use of a schema id. */
export interface UsedId {
  readonly topic: TopicName;
  readonly id: number;
  /** Among the records inspected. */
  readonly records: number;
  /** Some bodies that a schema of that topic, of this build or an earlier one, reads to the last byte. */
  readonly readable: readonly Buffer[];
  /** Whether too many records have it for all of them to be poison. */
  readonly isCommon: boolean;
}

/** What the log itself shows of its schema ids and partitions. */
export interface LogEvidence {
  /** From the tape's activations or its anchors; undefined for a log of an earlier build. */
  readonly label: TapeLabel | undefined;
  readonly used: readonly UsedId[];
  /** The number of partitions that the tape was activated with; undefined where neither label nor keys show it. */
  readonly partitions: number | undefined;
  /** Records inspected. */
  readonly records: number;
}

/**
 * Inspects both ends of each partition, which costs the same however long the log is.
 *
 * @param partitions the tape's partitions according to the broker.
 * @param topics topics to inspect besides the tape and the anchors; they must exist.
 * @throws TapeproofError UNREACHABLE
 */
export async function readLogEvidence(
  reader: Pick<LogReader, 'startOffset' | 'endOffset' | 'read'>,
  partitions: number,
  topics: readonly TopicName[] = [TAPE_TOPIC, ANCHORS_TOPIC],
): Promise<LogEvidence> {
  const samples = await Promise.all(
    TOPICS.filter(({ name }) => topics.includes(name)).map((definition) => sampleOf(reader, definition, partitions)),
  );
  const ofTape = samples.find(({ topic }) => topic === TAPE_TOPIC);
  // The tape's own label takes precedence over the anchors', which another tape may have left.
  const label = ofTape?.label ?? samples.find(({ topic }) => topic === ANCHORS_TOPIC)?.label;
  return {
    label,
    used: samples.flatMap((sample) => usedIn(sample)),
    partitions: label?.partitions ?? partitionsByKeys(ofTape?.places ?? [], partitions),
    records: samples.reduce((sum, { records }) => sum + records, 0),
  };
}

/** Partitions that the tape was activated with, as far as the log shows it. @throws TapeproofError UNREACHABLE */
export async function partitionsActivated(
  kafka: Kafka,
  reader: Pick<LogReader, 'startOffset' | 'endOffset' | 'read'>,
): Promise<number | undefined> {
  const existing = await existingTopics(kafka);
  const count = existing.get(TAPE_TOPIC);
  if (count === undefined) return undefined;
  const topics = ([TAPE_TOPIC, ANCHORS_TOPIC] as const).filter((name) => existing.has(name));
  return (await readLogEvidence(reader, count, topics)).partitions;
}

interface Use {
  records: number;
  readonly bodies: Buffer[];
}

interface Sample {
  readonly topic: TopicName;
  records: number;
  label: TapeLabel | undefined;
  readonly uses: Map<number, Use>;
  /** Instruments by key, and the partitions where they were found. */
  readonly places: { readonly instrument: string; readonly partition: number }[];
}

async function sampleOf(
  reader: Pick<LogReader, 'startOffset' | 'endOffset' | 'read'>,
  { name: topic, records: names }: TopicDefinition,
  partitions: number,
): Promise<Sample> {
  const sample: Sample = { topic, records: 0, label: undefined, uses: new Map(), places: [] };
  const readers = [
    ...names.map((name) => readerFor(name, SCHEMAS[name])),
    ...(topic === TAPE_TOPIC ? FORMER_TAPE_SCHEMAS.map(({ name, schema }) => readerFor(name, schema)) : []),
  ];
  const isReadable = (body: Buffer): boolean => readers.some((read) => reads(read, body));
  for (let partition = 0; partition < partitions; partition += 1) {
    try {
      for await (const record of endsOf(reader, topic, partition)) note(sample, record, isReadable);
    } catch (error) {
      // A topic with fewer partitions than the tape: `topics check` names it.
      if (!(error instanceof TapeproofError && error.code === 'NOT_FOUND')) throw error;
    }
  }
  return sample;
}

/** The first and the last records of a partition. */
async function* endsOf(
  reader: Pick<LogReader, 'startOffset' | 'endOffset' | 'read'>,
  topic: TopicName,
  partition: number,
): AsyncGenerator<LogRecord> {
  const start = await reader.startOffset(topic, partition);
  const end = await reader.endOffset(topic, partition);
  const head = Math.min(end, start + SAMPLE_RECORDS);
  const tail = Math.max(head, end - SAMPLE_RECORDS);
  for (const [from, to] of [[start, head] as const, [tail, end] as const]) {
    if (from >= to) continue;
    for await (const records of reader.read({ topic, partition, from, to })) yield* records;
  }
}

function note(sample: Sample, { partition, key, value, headers }: LogRecord, isReadable: (body: Buffer) => boolean) {
  sample.records += 1;
  const label = labelOf(headers);
  if (label !== undefined) sample.label = joined(sample.label, label);
  const instrument = key?.toString('utf8');
  if (instrument !== undefined && isInstrument(instrument)) sample.places.push({ instrument, partition });
  const id = schemaIdOf(value);
  if (id === undefined || value === null) return;
  let use = sample.uses.get(id);
  if (use === undefined) sample.uses.set(id, (use = { records: 0, bodies: [] }));
  use.records += 1;
  const body = bodyOf(value);
  // A copy: it would keep a whole fetch in memory.
  if (use.bodies.length < BODIES_KEPT && isReadable(body)) use.bodies.push(Buffer.from(body));
}

/** Ids keep their meaning for ever: of two contradicting labels the first is right. */
function joined(first: TapeLabel | undefined, { partitions, schemas }: TapeLabel): TapeLabel {
  return first === undefined
    ? { partitions, schemas }
    : { partitions: first.partitions, schemas: new Map([...schemas, ...first.schemas]) };
}

function usedIn({ topic, uses }: Sample): UsedId[] {
  const all = [...uses.values()].reduce((sum, { records }) => sum + records, 0);
  return [...uses].map(([id, { records, bodies }]) => ({
    topic,
    id,
    records,
    readable: bodies,
    isCommon: records >= RECORDS_MIN && records >= all * SHARE_MIN,
  }));
}

/**
 * For a tape without a label: the number of partitions that fits where the instruments were found, if the broker's
 * does not. Of several that fit, the greatest.
 */
function partitionsByKeys(places: Sample['places'], actual: number): number | undefined {
  const agrees = (count: number): boolean =>
    places.every(({ instrument, partition }) => partitionOf(instrument, count) === partition);
  if (places.length === 0 || agrees(actual)) return undefined;
  for (let count = actual - 1; count > 0; count -= 1) if (agrees(count)) return count;
  return undefined;
}

/** Whether a schema reads a body to its last byte. */
export function reads(read: (body: Buffer) => unknown, body: Buffer): boolean {
  try {
    read(body);
    return true;
  } catch {
    return false;
  }
}
