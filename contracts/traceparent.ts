import { hash } from 'node:crypto';

/** A span's place in a trace, as a record's header carries it (https://www.w3.org/TR/trace-context/). */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

export const TRACEPARENT_HEADER = 'traceparent';

/** Later versions may append fields; version ff is not valid. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ONLY_ZEROS = /^0+$/;
const SAMPLED = 1;
const TRACE_ID_DIGITS = 32;
const SPAN_ID_DIGITS = 16;
const SAMPLE_DIGITS = 8;

/** The context that a record's headers carry; undefined where there is none, or one that is not valid. */
export function traceContextOf(headers: Readonly<Record<string, string>>): TraceContext | undefined {
  const text = headers[TRACEPARENT_HEADER];
  if (text === undefined) return undefined;
  const [, version = '', traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(text) ?? [];
  if (version === '' || ONLY_ZEROS.test(traceId) || ONLY_ZEROS.test(spanId)) return undefined;
  if (version === '00' && more !== undefined) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

export function traceHeaders({ traceId, spanId, isSampled }: TraceContext): Readonly<Record<string, string>> {
  return { [TRACEPARENT_HEADER]: `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}` };
}

/**
 * The trace that begins at a trade, decided by a hash of its bytes alone: whoever appends the same bytes again, after a
 * failure or in another process, decides the same.
 *
 * @param body - the trade as it is on the tape, Avro.
 * @param oneIn - one trade of this many gets a trace.
 * @returns undefined for the others.
 */
export function traceOfTrade(body: Uint8Array, oneIn: number): TraceContext | undefined {
  const digits = hash('sha256', body);
  const sample = Number.parseInt(digits.slice(-SAMPLE_DIGITS), 16);
  if (sample % oneIn !== 0) return undefined;
  const traceId = digits.slice(0, TRACE_ID_DIGITS);
  return { traceId, spanId: digits.slice(TRACE_ID_DIGITS, TRACE_ID_DIGITS + SPAN_ID_DIGITS), isSampled: true };
}

/**
 * The engine's span for a record of the tape: its id follows from the record's context, so that the events derived from
 * it have the same header in every replay.
 */
export function derivationOf({ traceId, spanId, isSampled }: TraceContext): TraceContext {
  return { traceId, spanId: hash('sha256', `derived from ${traceId}-${spanId}`).slice(0, SPAN_ID_DIGITS), isSampled };
}
