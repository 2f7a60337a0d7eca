import { TapeproofError } from '../errors.ts';
import { keepSecret } from '../security/redaction.ts';
import type { Environment } from '../security/settings.ts';

/** Where a collector is named and TAPEPROOF_TRACE_ONE_IN is not set. */
const ONE_IN_DEFAULT = 1_000;
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;
const PROTOCOLS = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'] as const;
const HEADERS = ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS'] as const;
/** Other headers may hold everyday words, which must not be struck from the log. */
const SECRET_HEADER = /auth|key|token|secret|password|cookie/i;

/**
 * Whether OpenTelemetry's own variables name a collector for traces.
 *
 * @throws TapeproofError CONFIGURATION for an address that is not valid, and for gRPC. The message never repeats an
 *   address: it may hold a password.
 */
export function isTracingConfigured(environment: Environment): boolean {
  if (environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false;
  if (environment['OTEL_TRACES_EXPORTER'] === 'none') return false;
  const endpoint = ENDPOINTS.find((name) => isSet(environment[name]));
  if (endpoint === undefined) return false;
  const text = environment[endpoint] ?? '';
  if (!URL.canParse(text) || !['http:', 'https:'].includes(new URL(text).protocol)) {
    throw new TapeproofError(
      'CONFIGURATION',
      `${endpoint} is not a valid address: give the collector's OTLP/HTTP address, such as http://127.0.0.1:4318.`,
    );
  }
  const protocol = PROTOCOLS.find((name) => isSet(environment[name]));
  if (protocol !== undefined && environment[protocol] === 'grpc') {
    throw new TapeproofError(
      'CONFIGURATION',
      `${protocol} is grpc, but spans are sent as http/json: give the collector's OTLP/HTTP address, and leave the protocol out.`,
    );
  }
  keepSecret(decoded(new URL(text).password));
  for (const name of HEADERS) keepHeaderSecrets(environment[name] ?? '');
  return true;
}

/**
 * One trade of how many that an ingest appends gets a trace, as a header on the tape: TAPEPROOF_TRACE_ONE_IN, else one in
 * a thousand where a collector is configured.
 *
 * @returns undefined where none does.
 * @throws TapeproofError CONFIGURATION
 */
export function tradesTracedOneIn(environment: Environment): number | undefined {
  const text = environment['TAPEPROOF_TRACE_ONE_IN'];
  if (!isSet(text)) return isTracingConfigured(environment) ? ONE_IN_DEFAULT : undefined;
  const oneIn = /^\d+$/.test(text) ? Number(text) : 0;
  if (Number.isSafeInteger(oneIn) && oneIn > 0) return oneIn;
  throw new TapeproofError(
    'CONFIGURATION',
    `TAPEPROOF_TRACE_ONE_IN holds ${JSON.stringify(text.slice(0, 100))}: give a whole number above 0; 1000 traces one trade in a thousand.`,
  );
}

/** Of `authorization=Bearer%20abc,x-tenant=one` the `abc`. */
function keepHeaderSecrets(text: string): void {
  for (const pair of text.split(',')) {
    const [name = '', ...value] = pair.split('=');
    if (SECRET_HEADER.test(name)) keepSecret(decoded(value.join('=')).trim().split(' ').at(-1) ?? '');
  }
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that encodes nothing is literal.
    return text;
  }
}
