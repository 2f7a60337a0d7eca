/** True for the errors by which the broker makes a member rejoin. kafkajs rejoins when it meets one of them. */
export function isRebalance(error: unknown): boolean {
  return (
    error instanceof Error &&
    'type' in error &&
    ['REBALANCE_IN_PROGRESS', 'NOT_COORDINATOR_FOR_GROUP', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'].includes(
      String(error.type),
    )
  );
}

/** Mistakes in code: kafkajs would stop permanently on these while the process lived on. */
export function isProgrammingError(error: Error): boolean {
  return [TypeError, RangeError, ReferenceError, SyntaxError].some((type) => error instanceof type);
}

export function plain(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
