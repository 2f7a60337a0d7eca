/** The closed catalogue of expected failures, each with the exit code that reports it to a shell. */
export const EXIT_CODE_OF = {
  /** A requested check found a difference. */
  CHECK_FAILED: 1,
  /** Two different bytes claim one identity. */
  CONFLICT: 1,
  /** A sequence or offset is missing: a reader must not continue. */
  SEQUENCE_GAP: 1,
  /** The requested thing does not exist. */
  NOT_FOUND: 1,
  /** The command line is wrong. */
  USAGE: 2,
  /** A configuration file is wrong. */
  CONFIGURATION: 2,
  /** A proof, key, checkpoint or answer is truncated, of another format, or made for something else. */
  NOT_USABLE: 2,
  /** A service does not answer, or something required is missing. */
  UNREACHABLE: 3,
  /**
   * The schema registry gives ids a different meaning than the log does: nothing is read or appended until it is
   * repaired.
   */
  REGISTRY_CHANGED: 3,
  /** A stored position belongs to another tape. */
  FOREIGN_TAPE: 3,
  /** The read model's live generation changed: the writer restarts with the new one. */
  GENERATION_CHANGED: 3,
} as const;

export type ErrorCode = keyof typeof EXIT_CODE_OF;

/** Failures that an operator repairs while a process waits: it retries, and then continues unaided. */
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
