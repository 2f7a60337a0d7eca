import { TapeproofError } from '../platform/errors.ts';
import { refusalByKafka } from '../platform/kafka/kafka-failure.ts';
import { StackError } from '../stack/errors.ts';

const UNREACHABLE = 3;
/** Codes of the operating system and of the client libraries for a service that does not answer. */
const NO_ANSWER = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'EPIPE', 'CONNECTION_CLOSED']);
const NO_ANSWER_NAMES = new Set([
  'KafkaJSConnectionError',
  'KafkaJSNumberOfRetriesExceeded',
  'MaxRetriesPerRequestError',
  'NetworkError',
]);

/** Reports a failure on standard error, in one sentence if it was expected; returns the exit code. */
export function report(error: unknown): number {
  if (error instanceof TapeproofError || error instanceof StackError) {
    process.stderr.write(`tapeproof: ${error.message}\n`);
    return error.exitCode;
  }
  const refusal = refusalByKafka(error);
  if (refusal !== undefined) return report(refusal);
  const { code, name, message } = error as { code?: string; name?: string; message?: string };
  if (NO_ANSWER.has(code ?? '') || NO_ANSWER_NAMES.has(name ?? '')) {
    process.stderr.write(
      `tapeproof: A service does not answer (${message ?? code ?? ''}): "npx tapeproof stack status" shows which.\n`,
    );
    return UNREACHABLE;
  }
  process.stderr.write(
    `tapeproof: unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 1;
}
