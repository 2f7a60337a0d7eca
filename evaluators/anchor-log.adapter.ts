import { bodyOf, sha256Hex } from '../contracts/codec.ts';
import type { EngineAnchor, EngineState } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { ANCHORS_TOPIC, DERIVED_TOPICS, STATES_TOPIC, TAPE_TOPIC, type DerivedTopic } from '../contracts/topics.ts';
import { eventIn, framedIn } from '../platform/kafka/framed-record.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { OutgoingRecord } from '../platform/kafka/outgoing-record.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import type { TapeDecoder } from '../platform/kafka/tape-decoder.ts';
import { recordHashOf } from './anchor.ts';
import type { AnchorRecord } from './anchor.ts';

/** Manifests read at once while searching backward from the end. */
const BACKWARD_STEP_RECORDS = 64;
/** Further records after a hint that are searched for a head's chunks or an anchor's pages. */
export const FOREIGN_STATE_RECORDS_MAX = 256;
const PAGES_HINT = 'pages-log-offset';
const STATE_HINT = 'state-log-offset';
const OUTPUT_HINT = 'output-log-offset.';

/** Where to look first; a hint that is wrong costs time and nothing else. */
export interface AnchorHints {
  /** Log offset of the first page that the anchor wrote, or else of the next record. */
  readonly pages: number | undefined;
  /** Log offset of the first chunk of the state's head. */
  readonly state: number | undefined;
  /** Per output, a lower bound of the log offset of its next event. */
  readonly outputs: Readonly<Partial<Record<DerivedTopic, number>>>;
}

/** A manifest as stored in `engine.anchors`. */
export interface StoredAnchor {
  readonly manifest: EngineAnchor;
  readonly hash: Buffer;
  /** Of the manifest, in `engine.anchors`. */
  readonly logOffset: number;
  readonly hints: AnchorHints;
  /** Kafka's timestamp of the manifest, which is the tape record's. */
  readonly timestampMs: number;
  /** By the writer's clock, milliseconds since 1970; 0 when none is given. */
  readonly writtenAtMs: number;
}

/** The means of reading the logs. */
export interface LogAccess {
  readonly reader: LogReader;
  readonly registry: Registry;
  readonly decode: TapeDecoder;
}

/**
 * Whether the pages and chunks that an anchor wrote are in the log, at the places that it names as stored; those of
 * earlier anchors are not searched for.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function holdsStates(
  { reader }: LogAccess,
  stored: StoredAnchor,
  derived: AnchorRecord,
): Promise<boolean> {
  const { pages, state } = stored.hints;
  if (pages === undefined || state === undefined) return false;
  const { partition } = derived.manifest.tape;
  const range = {
    ...{ topic: STATES_TOPIC, partition },
    from: Math.max(pages, await reader.startOffset(STATES_TOPIC, partition)),
    to: Math.min(
      Math.max(state, pages) + derived.chunks.length + FOREIGN_STATE_RECORDS_MAX,
      await reader.endOffset(STATES_TOPIC, partition),
    ),
  };
  const wanted = new Set([...derived.pages, ...derived.chunks].map(({ body }) => sha256Hex(body)));
  if (range.from >= range.to) return false;
  for await (const records of reader.read(range)) {
    for (const { value } of records) if (value !== null) wanted.delete(sha256Hex(bodyOf(value)));
    if (wanted.size === 0) return true;
  }
  return false;
}

/** The pages and chunks to send, and then the manifest: an anchor with a manifest is complete. */
export function anchorRecords(
  anchor: AnchorRecord,
  timestampUs: number,
  hints: AnchorHints,
): { readonly states: OutgoingRecord[]; readonly manifest: OutgoingRecord } {
  const { partition, offset } = anchor.manifest.tape;
  const headers: Record<string, string> = {};
  if (hints.pages !== undefined) headers[PAGES_HINT] = String(hints.pages);
  if (hints.state !== undefined) headers[STATE_HINT] = String(hints.state);
  for (const topic of DERIVED_TOPICS) {
    const hint = hints.outputs[topic];
    if (hint !== undefined) headers[`${OUTPUT_HINT}${topic}`] = String(hint);
  }
  return {
    states: [...anchor.pages, ...anchor.chunks].map(({ state, body }) => ({
      topic: STATES_TOPIC,
      partition,
      key: state.pageHash === null ? `${partition}:${offset}:${state.chunk}` : pageKey(partition, state.pageHash),
      type: 'EngineState',
      body,
      timestampUs,
    })),
    manifest: {
      topic: ANCHORS_TOPIC,
      partition,
      key: `${partition}:${offset}`,
      type: 'EngineAnchor',
      body: anchor.body,
      timestampUs,
      headers,
    },
  };
}

/** Key of a page in `engine.states`. */
export function pageKey(partition: number, pageHash: string): string {
  return `${partition}:page:${pageHash}`;
}

/** The manifests of a partition in a range of `engine.anchors`, in log order. */
export async function* anchorsWithin(
  { reader, registry }: Pick<LogAccess, 'reader' | 'registry'>,
  partition: number,
  from: number,
  to: number,
): AsyncGenerator<StoredAnchor, void, undefined> {
  for await (const records of reader.read({ topic: ANCHORS_TOPIC, partition, from, to })) {
    for (const record of records) {
      const anchor = await readAnchor(registry, record);
      if (anchor?.manifest.tape.partition === partition) yield anchor;
    }
  }
}

/** The manifests of a partition from the log's end backward; within one read, the greatest tape offset first. */
export async function* anchorsBackward(
  { reader, registry }: LogAccess,
  partition: number,
): AsyncGenerator<StoredAnchor, void, undefined> {
  const start = await reader.startOffset(ANCHORS_TOPIC, partition);
  let to = await reader.endOffset(ANCHORS_TOPIC, partition);
  while (to > start) {
    const from = Math.max(start, to - BACKWARD_STEP_RECORDS);
    const step: StoredAnchor[] = [];
    for await (const anchor of anchorsWithin({ reader, registry }, partition, from, to)) step.push(anchor);
    yield* step.sort((left, right) => right.manifest.tape.offset - left.manifest.tape.offset);
    to = from;
  }
}

/** The canonical bytes of the state's head; undefined when chunks are missing. */
export async function readState({ reader, registry }: LogAccess, anchor: StoredAnchor): Promise<Buffer | undefined> {
  const { partition } = anchor.manifest.tape;
  const start = await reader.startOffset(STATES_TOPIC, partition);
  const end = await reader.endOffset(STATES_TOPIC, partition);
  const hint = anchor.hints.state;
  if (hint !== undefined && hint >= start && hint < end) {
    const near = Math.min(end, hint + anchor.manifest.stateChunks + FOREIGN_STATE_RECORDS_MAX);
    const state = await collectState(reader, registry, anchor, hint, near);
    if (state !== undefined) return state;
  }
  return await collectState(reader, registry, anchor, start, end);
}

/** True when the last tape record that an anchor includes is on the tape as the anchor describes it. */
export async function liesOnTape({ reader, decode }: LogAccess, { manifest }: StoredAnchor): Promise<boolean> {
  const { partition, offset } = manifest.tape;
  const start = await reader.startOffset(TAPE_TOPIC, partition);
  const end = await reader.endOffset(TAPE_TOPIC, partition);
  if (offset - 1 < start || offset > end) return false;
  for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from: offset - 1, to: offset })) {
    for (const record of records) {
      const content: TapeContent = await decode(record);
      if (recordHashOf(content) === manifest.tapeRecordHash) return true;
    }
  }
  return false;
}

async function readAnchor(registry: Registry, record: LogRecord): Promise<StoredAnchor | undefined> {
  const framed = await framedIn(registry, record);
  const manifest = 'reason' in framed ? undefined : framed.as('EngineAnchor');
  if ('reason' in framed || manifest === undefined) return undefined;
  const { headers, timestampMs, offset: logOffset } = record;
  const writtenAtMs = Date.parse(headers['emitted-at'] ?? '') || 0;
  return { manifest, hash: framed.hash, logOffset, hints: hintsOf(headers), timestampMs, writtenAtMs };
}

function hintsOf(headers: Readonly<Record<string, string>>): AnchorHints {
  const offset = (name: string) => {
    const text = headers[name];
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  };
  const outputs: Partial<Record<DerivedTopic, number>> = {};
  for (const topic of DERIVED_TOPICS) {
    const hint = offset(`${OUTPUT_HINT}${topic}`);
    if (hint !== undefined) outputs[topic] = hint;
  }
  return { pages: offset(PAGES_HINT), state: offset(STATE_HINT), outputs };
}

/** A record of `engine.states`; undefined for any other record. */
export async function readStateRecord(registry: Registry, value: Buffer | null): Promise<EngineState | undefined> {
  return await eventIn(registry, { topic: STATES_TOPIC, value }, 'EngineState');
}

async function collectState(
  reader: LogReader,
  registry: Registry,
  { manifest }: StoredAnchor,
  from: number,
  to: number,
): Promise<Buffer | undefined> {
  const { partition, offset } = manifest.tape;
  const chunks = new Map<number, Buffer>();
  for await (const records of reader.read({ topic: STATES_TOPIC, partition, from, to })) {
    for (const { key, value } of records) {
      if (key?.toString('latin1').startsWith(`${partition}:${offset}:`) !== true) continue;
      const state = await readStateRecord(registry, value);
      if (state?.pageHash !== null) continue;
      if (state.chunks === manifest.stateChunks) chunks.set(state.chunk, Buffer.from(state.bytes));
    }
    if (chunks.size === manifest.stateChunks) {
      return Buffer.concat([...chunks].sort(([left], [right]) => left - right).map(([, bytes]) => bytes));
    }
  }
  return undefined;
}
