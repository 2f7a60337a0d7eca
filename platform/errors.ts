/** The closed catalogue of what can go wrong, with the exit code that tells a shell about it. */
export const EXIT_CODE_OF = {
  /** A check that was asked for found a difference. */
  CHECK_FAILED: 1,
  /** Two different bytes claim one identity. */
  CONFLICT: 1,
  /** A sequence or offset is missing: a reader must not go on. */
  SEQUENCE_GAP: 1,
  /** What was asked for does not exist. */
  NOT_FOUND: 1,
  /** The command line is wrong. */
  USAGE: 2,
  /** A configuration file is wrong. */
  CONFIGURATION: 2,
  /** A service does not answer, or a thing that must be there is missing. */
  UNREACHABLE: 3,
  /** The schema registry gives ids another meaning than the log: nothing is read or appended until it is mended. */
  REGISTRY_CHANGED: 3,
  /** A stored position belongs to another tape. */
  FOREIGN_TAPE: 3,
  /** The read model's live generation changed: the writer starts again with the new one. */
  GENERATION_CHANGED: 3,
} as const;

export type ErrorCode = keyof typeof EXIT_CODE_OF;

/** What an operator mends while a process waits: it tries again, and goes on by itself. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['UNREACHABLE', 'REGISTRY_CHANGED']);

export function isPassing(code: ErrorCode): boolean {
  return PASSING.has(code);
}

/** An expected failure. Its message is one sentence for people: what, where, what to do. */
export class TapeproofError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TapeproofError';
    this.code = code;
  }

  get exitCode(): number {
    return EXIT_CODE_OF[this.code];
  }
}
