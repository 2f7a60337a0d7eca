import { encodeBody, hashBody, hashWritten, sha256Hex } from '../contracts/codec.ts';
import type { EngineActivated, EngineAnchor, EngineState } from '../contracts/generated/events.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { DERIVED_TOPICS, type DerivedTopic } from '../contracts/topics.ts';
import type { InstrumentState } from './instrument.ts';
import { MerkleTree } from './merkle.ts';
import { fromPagedState, toPagedState, type PageOrigins, type PagesByHash } from './state-pages.ts';

/** Bytes of the state's head in one record, and the most that a page may have. */
export const STATE_CHUNK_BYTES = 512 * 1_024;
/** Number of the state's form. A build that reads an older one imports it: see {@link parseTaskState}. */
const STATE_FORMAT = 3;

/** What a partition's tape held, counted from its beginning. */
export interface TaskCounts {
  /** Trades, ticks and gaps before the first activation. */
  readonly skipped: number;
  /** Trades that had an effect, late ones included. */
  readonly trades: number;
  readonly late: number;
  readonly duplicates: number;
  readonly ticks: number;
  /** Records of trades that are missing: they have no other effect. */
  readonly gaps: number;
  readonly deadLetters: number;
  readonly events: number;
}

/** The whole state of a partition's task, plain but for the pages in it. */
export interface TaskState {
  readonly nextOffset: number;
  readonly nextSequences: Readonly<Record<DerivedTopic, number>>;
  readonly counts: TaskCounts;
  readonly activation: EngineActivated;
  readonly activationIds: readonly string[];
  /** By name. */
  readonly instruments: readonly InstrumentState[];
}

/** An anchor as it is written: the manifest, the state's head in chunks, and the pages that are new. */
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

/** Windows without events: one Merkle tree an output topic. */
export function emptyWindows(): Readonly<Record<DerivedTopic, MerkleTree>> {
  return perTopic(() => new MerkleTree());
}

interface AnchorInput {
  readonly partition: number;
  readonly state: TaskState;
  readonly tapeRecordHash: string;
  readonly windows: Readonly<Record<DerivedTopic, MerkleTree>>;
  readonly previousAnchorHash: string | null;
  /** What the head of the previous anchor names: these pages are not written again. */
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

/** Hash (hex) by which an anchor names the last tape record it includes: of fingerprint and body, or of unusable bytes. */
export function recordHashOf(content: TapeContent): string {
  return content.kind === 'unusable'
    ? sha256Hex(content.value)
    : hashWritten(content.fingerprint, content.body).toString('hex');
}

/**
 * Reads the canonical bytes of a state's head, with its pages: in this build's form, or in that of an earlier engine
 * version, which a tape holds where another version took over.
 *
 * @throws Error for a state in a form that this build does not know, or without one of its pages.
 */
export function parseTaskState(head: Buffer, pages: PagesByHash = new Map()): TaskState {
  const { format, ...state } = fromPagedState(head, pages) as { format: unknown };
  switch (format) {
    case STATE_FORMAT:
      return state as TaskState;
    case 2:
      return fromForm2(state as TaskStateOfForm2);
    case 1:
      return fromForm2(fromForm1(state as TaskStateOfForm1));
    default:
      throw new Error(`the state has the form ${String(format)}, and this build reads 1 to ${STATE_FORMAT}`);
  }
}

/** What engine version 2 wrote: it knew no pages, and of trades no exact identities. */
type TaskStateOfForm2 = Omit<TaskState, 'instruments'> & {
  readonly instruments: readonly Omit<InstrumentState, 'identities'>[];
};

function fromForm2({ instruments, ...rest }: TaskStateOfForm2): TaskState {
  const identities = { forgottenBeforeUs: 0, pages: [] };
  return { ...rest, instruments: instruments.map((instrument) => ({ ...instrument, identities })) };
}

/** What engine version 1 wrote: it knew no ticks and no gaps, either. */
type TaskStateOfForm1 = Omit<TaskStateOfForm2, 'counts' | 'instruments'> & {
  readonly counts: Omit<TaskCounts, 'ticks' | 'gaps'>;
  readonly instruments: readonly Omit<InstrumentState, 'tickUs' | 'identities'>[];
};

function fromForm1({ counts, instruments, ...rest }: TaskStateOfForm1): TaskStateOfForm2 {
  return {
    ...rest,
    counts: { ...counts, ticks: 0, gaps: 0 },
    instruments: instruments.map((instrument) => ({ ...instrument, tickUs: null })),
  };
}

function perTopic<Value>(valueOf: (topic: DerivedTopic) => Value): Record<DerivedTopic, Value> {
  return Object.fromEntries(DERIVED_TOPICS.map((topic) => [topic, valueOf(topic)])) as Record<DerivedTopic, Value>;
}
