/** Exit code for an unreachable service, program or resource. */
export const EXIT_OUT_OF_REACH = 3;
/** Exit code for wrong usage or configuration. */
export const EXIT_BAD_CONFIGURATION = 2;

/** An error of the local stack for people: one sentence with what, where and what to do. */
export class StackError extends Error {
  override readonly name = 'StackError';
  readonly exitCode: typeof EXIT_OUT_OF_REACH | typeof EXIT_BAD_CONFIGURATION;

  constructor(
    message: string,
    exitCode: typeof EXIT_OUT_OF_REACH | typeof EXIT_BAD_CONFIGURATION = EXIT_OUT_OF_REACH,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.exitCode = exitCode;
  }
}

/** The `code` of a Node system error (`ENOENT`, `EADDRINUSE`, …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A full disk shows in many ways; all of them become the same sentence. */
export function diskFull(folder: string, cause?: unknown): StackError {
  return new StackError(
    `The disk that holds ${folder} is full: free some space and run the command again.`,
    EXIT_OUT_OF_REACH,
    cause,
  );
}

/** The error for a chosen folder that the system refuses. */
export function folderRefused(folder: string, cause: unknown): StackError {
  return new StackError(
    `The stack cannot use ${folder} (${messageOf(cause)}): choose its folders with TAPEPROOF_STACK_FOLDER and TAPEPROOF_STACK_PARTS_FOLDER.`,
    EXIT_OUT_OF_REACH,
    cause,
  );
}
