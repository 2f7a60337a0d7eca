import { PROBLEMS, problemType, type Problem, type ProblemKind } from '../contract/problem.ts';
import type { ServiceName } from '../contract/pipeline.ts';
import { TapeproofError, type ErrorCode } from '../../platform/errors.ts';
import { sqlStateOf } from '../../platform/postgres-errors.ts';

/** A refusal that a client is told; its message is one sentence for people. */
export class ApiProblem extends Error {
  readonly kind: ProblemKind;
  /** Of STORE_DOWN. */
  readonly service: ServiceName | undefined;

  constructor(
    kind: ProblemKind,
    message: string,
    { service, cause }: { readonly service?: ServiceName; readonly cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.name = 'ApiProblem';
    this.kind = kind;
    this.service = service;
  }

  /** Read by Fastify and its plugins. */
  get statusCode(): number {
    return PROBLEMS[this.kind].status;
  }
}

export function problemBody({ kind, message, service }: ApiProblem): Problem {
  const { status, title } = PROBLEMS[kind];
  return { type: problemType(kind), title, status, detail: message, ...(service === undefined ? {} : { service }) };
}

const NAMES: Readonly<Record<ServiceName, string>> = {
  kafka: 'Kafka',
  registry: 'The schema registry',
  postgres: 'Postgres',
  redis: 'Redis',
};

/** Why it does not answer stays in the log: it may hold addresses. */
export function storeDown(service: ServiceName, cause?: unknown): ApiProblem {
  const sentence = `${NAMES[service]} does not answer: start it, or ask its operator; "npx tapeproof stack status" and /ready say why. What does not need it goes on.`;
  return new ApiProblem('STORE_DOWN', sentence, { service, cause });
}

export function tooSlow(what: string, deadlineMs: number, cause?: unknown): ApiProblem {
  return new ApiProblem(
    'TOO_SLOW',
    `${what} took longer than ${deadlineMs / 1_000} s: ask for less, or ask again later.`,
    { cause },
  );
}

/** SQLSTATEs of a statement that ran into its time limit, and of a table, view or schema that does not exist. */
const GAVE_UP = '57014';
const MISSING = ['42P01', '3F000'];

/** Runs `work` on a store; its failures become problems that name the store. */
export async function fromStore<Value>(
  service: ServiceName,
  deadlineMs: number,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw problemFrom(error, service, deadlineMs);
  }
}

function problemFrom(error: unknown, service: ServiceName, deadlineMs: number): unknown {
  const state = sqlStateOf(error);
  if (state === GAVE_UP) return tooSlow('The query', deadlineMs, error);
  if (state !== undefined && MISSING.includes(state)) {
    const sentence = `Postgres does not have what this needs yet: run "npx tapeproof migrate", and the projectors that fill it.`;
    return new ApiProblem('NOT_SET_UP', sentence, { cause: error });
  }
  if (!(error instanceof TapeproofError)) return error;
  if (error.code === 'UNREACHABLE') return storeDown(service, error);
  return error.code === 'REGISTRY_CHANGED' ? storeDown('registry', error) : error;
}

/** The others are errors of this server. */
const KIND_OF_CODE: Readonly<Partial<Record<ErrorCode, ProblemKind>>> = {
  NOT_FOUND: 'NOT_FOUND',
  USAGE: 'INVALID_REQUEST',
  CHECK_FAILED: 'CHECK_FAILED',
  CONFLICT: 'CHECK_FAILED',
  SEQUENCE_GAP: 'CHECK_FAILED',
};

interface FrameworkError {
  readonly code?: string;
  readonly statusCode?: number;
  readonly validation?: readonly { readonly instancePath?: string; readonly message?: string }[];
  readonly validationContext?: string;
}

/** The problem that an error of a handler, a plugin or Fastify itself is to a client. */
export function problemOf(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  const ofCode = error instanceof TapeproofError ? KIND_OF_CODE[error.code] : undefined;
  if (ofCode !== undefined) return new ApiProblem(ofCode, (error as TapeproofError).message, { cause: error });
  const { code, statusCode, validation, validationContext } = error as FrameworkError;
  if (validation !== undefined) return invalid(validation, validationContext);
  const kind = KIND_OF_STATUS.get(statusCode ?? 0);
  if (kind !== undefined) return new ApiProblem(kind, SENTENCES[kind], { cause: error });
  if (code === 'FST_ERR_BAD_URL' || code === 'FST_ERR_ASYNC_CONSTRAINT') {
    return new ApiProblem('INVALID_REQUEST', SENTENCES.INVALID_REQUEST, { cause: error });
  }
  return new ApiProblem('INTERNAL', SENTENCES.INTERNAL, { cause: error });
}

const SENTENCES = {
  INVALID_REQUEST: 'The address cannot be read: encode each part of it, as encodeURIComponent does.',
  BODY_NOT_ACCEPTED: 'This server only reads: send the request without a body.',
  URL_TOO_LONG: 'A part of the address is longer than any name: shorten it.',
  INTERNAL: 'This server failed at the request: its log says why.',
} as const satisfies Partial<Record<ProblemKind, string>>;

const KIND_OF_STATUS: ReadonlyMap<number, keyof typeof SENTENCES> = new Map([
  [400, 'INVALID_REQUEST'],
  [413, 'BODY_NOT_ACCEPTED'],
  [414, 'URL_TOO_LONG'],
  [415, 'BODY_NOT_ACCEPTED'],
]);

const PLACES: Readonly<Record<string, string>> = { querystring: 'query parameter', params: 'address' };
const TEXT_LENGTH_MAX = 300;

/** The first thing that is wrong, in a sentence. */
function invalid(validation: NonNullable<FrameworkError['validation']>, context = ''): ApiProblem {
  const [first] = validation;
  const name = (first?.instancePath ?? '').replace(/^\//, '').replaceAll('/', '.');
  const place = name === '' ? `The ${PLACES[context] ?? context}` : `The ${PLACES[context] ?? context} ${name}`;
  const why = (first?.message ?? 'it is not valid').slice(0, TEXT_LENGTH_MAX);
  return new ApiProblem('INVALID_REQUEST', `${place} is not valid (${why}): /openapi.json has what is.`);
}
