import { TapeproofError } from '../errors.ts';

/** A service that a process depends on. */
export type Dependency = 'kafka' | 'registry' | 'postgres' | 'redis';

/** Sends a dependency the smallest possible request, on a separate connection. */
export interface Probe {
  readonly dependency: Dependency;
  /** Rejects when there is no answer; may be called again after that. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** A short reason for a failure: never an address, which may contain a password. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof TapeproofError && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error ? cause.message : String(cause);
}
