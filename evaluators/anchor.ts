import { encodeBody, hashBody, hashWritten, sha256Hex } from '../contracts/codec.ts';
import type { EngineAnchor, EngineState } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { DERIVED_TOPICS, type DerivedTopic } from '../contracts/topics.ts';
import {
  fromForm1,
  fromForm2,
  fromForm3,
  type TaskStateOfForm1,
  type TaskStateOfForm2,
  type TaskStateOfForm3,
} from './former-states.ts';
import { MerkleTree } from './merkle.ts';
import type { TaskState } from './task-state.ts';
import { fromPagedState, toPagedState, type PageOrigins, type PagesByHash } from './state-pages.ts';

/** Bytes of the state's head in one record, and the most bytes that a page may have. */
export const STATE_CHUNK_BYTES = 512 * 1_024;
/** Number of the state's form. A build that reads an older one imports it: see {@link parseTaskState}. */
const STATE_FORMAT = 4;

/** An anchor as it is written: the manifest, the state's head in chunks, and the new pages. */
export interface AnchorRecord {
  readonly manifest: EngineAnchor;
  readonly body: Buffer;
  /** `hashBody` of the manifest. */
  readonly hash: Buffer;
  readonly pages: readonly StateRecord[];
  readonly chunks: readonly StateRecord[];
  /** Every page that the head names. */
  readonly origins: PageOrigins;
}

interface StateRecord {
  readonly state: EngineState;
  readonly body: Buffer;
}

/** Windows without events: one Merkle tree for each output topic. */
export function emptyWindows(): Readonly<Record<DerivedTopic, MerkleTree>> {
  return perTopic(() => new MerkleTree());
}

interface AnchorInput {
  readonly partition: number;
  readonly state: TaskState;
  readonly tapeRecordHash: string;
  readonly windows: Readonly<Record<DerivedTopic, MerkleTree>>;
  readonly previousAnchorHash: string | null;
  /** Pages that the head of the previous anchor names: they are not written again. */
  readonly previousOrigins: PageOrigins;
}

/** Makes the anchor of a state: a pure function of the tape up to `state.nextOffset`. */
export function anchorOf(input: AnchorInput): AnchorRecord {
  const { partition, state, tapeRecordHash, windows, previousAnchorHash, previousOrigins } = input;
  const { activation } = state;
  const tape = { partition, offset: state.nextOffset };
  const { head, fresh, origins } = toPagedState({ format: STATE_FORMAT, ...state }, tape.offset, previousOrigins);
  const chunks = Math.ceil(head.length / STATE_CHUNK_BYTES);
  const manifest: EngineAnchor = {
    tapeId: activation.tapeId,
    tape,
    tapeRecordHash,
    stateHash: sha256Hex(head),
    stateChunks: chunks,
    stateBytes: head.length,
    nextSequence: { ...state.nextSequences },
    windowRoots: perTopic((topic) => windows[topic].root()),
    windowCounts: perTopic((topic) => windows[topic].count),
    previousAnchorHash,
    activationId: activation.activationId,
    engineVersion: activation.engineVersion,
    gitCommit: activation.gitCommit,
    configHash: activation.configHash,
  };
  const body = encodeBody('EngineAnchor', manifest);
  return {
    ...{ manifest, body, hash: hashBody('EngineAnchor', body), origins },
    pages: fresh.map(({ hash, bytes }) => {
      if (bytes.length > STATE_CHUNK_BYTES) throw new RangeError(`a page of ${bytes.length} bytes is too large`);
      return stateRecordOf({ tape, chunk: 0, chunks: 1, bytes, pageHash: hash });
    }),
    chunks: Array.from({ length: chunks }, (_, chunk) => {
      const bytes = head.subarray(chunk * STATE_CHUNK_BYTES, (chunk + 1) * STATE_CHUNK_BYTES);
      return stateRecordOf({ tape, chunk, chunks, bytes, pageHash: null });
    }),
  };
}

function stateRecordOf(state: EngineState): StateRecord {
  return { state, body: encodeBody('EngineState', state) };
}

/**
 * Hash (hex) by which an anchor names the last tape record it includes: of its fingerprint and body, or of its unusable
 * bytes.
 */
export function recordHashOf(content: TapeContent): string {
  return content.kind === 'unusable'
    ? sha256Hex(content.value)
    : hashWritten(content.fingerprint, content.body).toString('hex');
}

/**
 * Reads the canonical bytes of a state's head, with its pages: in this build's form, or in an earlier engine version's
 * form, which a tape holds where another version took over.
 *
 * @throws Error for a state in a form that this build does not know, or without one of its pages.
 */
export function parseTaskState(head: Buffer, pages: PagesByHash = new Map()): TaskState {
  const { format, ...state } = fromPagedState(head, pages) as { format: unknown };
  if (format === STATE_FORMAT) return state as TaskState;
  if (format === 3) return fromForm3(state as unknown as TaskStateOfForm3);
  if (format === 2) return fromForm2(state as unknown as TaskStateOfForm2);
  if (format === 1) return fromForm1(state as unknown as TaskStateOfForm1);
  throw new Error(`the state has the form ${String(format)}, and this build reads 1 to ${STATE_FORMAT}`);
}

function perTopic<Value>(valueOf: (topic: DerivedTopic) => Value): Record<DerivedTopic, Value> {
  return Object.fromEntries(DERIVED_TOPICS.map((topic) => [topic, valueOf(topic)])) as Record<DerivedTopic, Value>;
}
