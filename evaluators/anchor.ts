import { encodeBody, hashBody, hashWritten, sha256Hex } from '../contracts/codec.ts';
import type { EngineAnchor, EngineState, TapePosition } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import {
  fromForm1,
  fromForm2,
  fromForm3,
  fromForm4,
  type TaskStateOfForm1,
  type TaskStateOfForm2,
  type TaskStateOfForm3,
  type TaskStateOfForm4,
} from './former-states.ts';
import type { LogTrees } from './log-trees.ts';
import type { TaskState } from './task-state.ts';
import { fromPagedState, toPagedState, type PageOrigins, type PagesByHash } from './state-pages.ts';

/** Bytes of the state's head, or of a page, in one record. */
export const STATE_CHUNK_BYTES = 512 * 1_024;
/** Number of the state's form. A build that reads an older one imports it: see {@link parseTaskState}. */
export const STATE_FORMAT = 5;

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

interface AnchorInput {
  readonly partition: number;
  readonly state: TaskState;
  readonly tapeRecordHash: string;
  readonly trees: LogTrees;
  readonly previousAnchorHash: string | null;
  /** Pages that the head of the previous anchor names: they are not written again. */
  readonly previousOrigins: PageOrigins;
}

/** Makes the anchor of a state: a pure function of the tape up to `state.nextOffset`. */
export function anchorOf(input: AnchorInput): AnchorRecord {
  const { partition, state, tapeRecordHash, trees, previousAnchorHash, previousOrigins } = input;
  const { activation } = state;
  const tape = { partition, offset: state.nextOffset };
  const { head, fresh, origins } = toPagedState({ format: STATE_FORMAT, ...state }, tape.offset, previousOrigins);
  const manifest: EngineAnchor = {
    tapeId: activation.tapeId,
    tape,
    tapeRecordHash,
    stateHash: sha256Hex(head),
    stateChunks: chunkCount(head),
    stateBytes: head.length,
    nextSequence: { ...state.nextSequences },
    windowRoots: {},
    windowCounts: {},
    treeRoots: trees.roots,
    treeSizes: trees.sizes,
    previousAnchorHash,
    activationId: activation.activationId,
    engineVersion: activation.engineVersion,
    gitCommit: activation.gitCommit,
    configHash: activation.configHash,
  };
  const body = encodeBody('EngineAnchor', manifest);
  return {
    ...{ manifest, body, hash: hashBody('EngineAnchor', body), origins },
    pages: fresh.flatMap(({ hash, bytes }) => chunksOf(tape, bytes, hash)),
    chunks: chunksOf(tape, head, null),
  };
}

function chunksOf(tape: TapePosition, whole: Buffer, pageHash: string | null): StateRecord[] {
  const chunks = chunkCount(whole);
  return Array.from({ length: chunks }, (_, chunk) => {
    const bytes = whole.subarray(chunk * STATE_CHUNK_BYTES, (chunk + 1) * STATE_CHUNK_BYTES);
    return stateRecordOf({ tape, chunk, chunks, bytes, pageHash });
  });
}

function chunkCount(whole: Buffer): number {
  return Math.max(1, Math.ceil(whole.length / STATE_CHUNK_BYTES));
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
  if (format === 4) return fromForm4(state as unknown as TaskStateOfForm4);
  if (format === 3) return fromForm3(state as unknown as TaskStateOfForm3);
  if (format === 2) return fromForm2(state as unknown as TaskStateOfForm2);
  if (format === 1) return fromForm1(state as unknown as TaskStateOfForm1);
  throw new Error(`the state has the form ${String(format)}, and this build reads 1 to ${STATE_FORMAT}`);
}
