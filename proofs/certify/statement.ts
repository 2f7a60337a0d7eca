import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../../contracts/canonical-json.ts';
import { TapeproofError } from '../../platform/errors.ts';
import type { CertifiedRange, NotDerivedRange, PartitionResult } from './partition.ts';

const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** Names the form of the predicate, which docs/certify.md describes. */
export const PREDICATE_TYPE = 'https://tapeproof.local/certificate/v1';

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();
const span = z
  .strictObject({ from: count, to: count })
  .refine(({ from, to }) => from <= to, { message: 'it ends before it begins' });

const start = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('BEGINNING') }),
  z.strictObject({
    kind: z.literal('ANCHOR'),
    offset: count,
    anchorHash: hex,
    stateHash: hex,
    derivedBy: hex.nullable(),
  }),
]);

const output = z.strictObject({
  topic: z.string(),
  log: span,
  sequences: span,
  events: count,
  duplicates: count,
  digest: hex,
  tree: z.strictObject({ size: count, root: hex }).nullable(),
});

const activation = z.strictObject({
  offset: count,
  activationId: z.string(),
  engineVersion: z.string(),
  gitCommit: z.string(),
  configHash: hex,
});

const range = z.strictObject({
  partition: count,
  tapeId: z.string(),
  start,
  tape: z.strictObject({ from: count, to: count, records: count, lastRecordHash: hex.nullable() }),
  end: z.strictObject({ stateHash: hex.nullable(), anchorHash: hex.nullable() }),
  outputs: z.array(output),
  anchors: count,
  activations: z.array(activation),
  causesBeforeRange: count,
});

const notDerived = z.strictObject({
  partition: count,
  from: count,
  to: count,
  engineVersion: z.string(),
  gitCommit: z.string(),
  reason: z.string(),
});

const predicate = z.strictObject({
  /** DERIVED: every range that was asked for. PARTLY DERIVED: `notDerived` lists the others. */
  verdict: z.enum(['DERIVED', 'PARTLY DERIVED']),
  tapeId: z.string(),
  ranges: z.array(range).min(1),
  notDerived: z.array(notDerived),
  build: z.strictObject({
    gitCommit: z.string(),
    engineVersion: z.string(),
    node: z.string(),
    v8: z.string(),
    /** Record name to the fingerprint of the schema that this build writes it with. */
    schemas: z.record(z.string(), hex),
  }),
  durationMs: z.number().nonnegative(),
});

const statement = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(z.strictObject({ name: z.string(), digest: z.strictObject({ sha256: hex }) })).min(1),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate,
});

export type Statement = z.output<typeof statement>;
export type StatedRange = Statement['predicate']['ranges'][number];
export type Build = Statement['predicate']['build'];

/**
 * The in-toto statement of a certification without a difference.
 *
 * @throws TapeproofError CHECK_FAILED when nothing was derived, or the partitions belong to different tapes.
 */
export function statementOf(results: readonly PartitionResult[], build: Build, durationMs: number): Statement {
  const ranges = results.flatMap((result) => result.ranges.flatMap(stated));
  const missing: NotDerivedRange[] = results.flatMap((result) => [...result.notDerived]);
  const [first] = ranges;
  if (first === undefined) {
    throw new TapeproofError('CHECK_FAILED', 'Nothing was derived, so there is nothing to certify.');
  }
  const { tapeId } = first;
  const other = ranges.find((found) => found.tapeId !== tapeId);
  if (other !== undefined) {
    throw new TapeproofError(
      'CHECK_FAILED',
      `Partition ${other.partition} belongs to the tape ${other.tapeId}, and partition ${first.partition} to ${tapeId}: a certificate is of one tape.`,
    );
  }
  return {
    _type: STATEMENT_TYPE,
    subject: subjectOf(ranges),
    predicateType: PREDICATE_TYPE,
    predicate: {
      verdict: missing.length === 0 ? 'DERIVED' : 'PARTLY DERIVED',
      ...{ tapeId, ranges, notDerived: missing, build, durationMs },
    },
  };
}

/** A range before the first activation has no tape id and no events: there is nothing to state. */
function stated(found: CertifiedRange): StatedRange[] {
  const { tapeId, outputs, activations } = found;
  return tapeId === undefined ? [] : [{ ...found, tapeId, outputs: [...outputs], activations: [...activations] }];
}

/** `probability.decisions-3/0-120`: topic, partition and sequences, the last one not included. */
function subjectOf(ranges: readonly StatedRange[]): Statement['subject'] {
  return ranges.flatMap(({ partition, outputs }) =>
    outputs.map(({ topic, sequences: { from, to }, digest }) => ({
      name: `${topic}-${partition}/${from}-${to}`,
      digest: { sha256: digest },
    })),
  );
}

/** A statement's bytes: canonical JSON. */
export function bytesOf(found: Statement): Buffer {
  return Buffer.from(canonicalJson(found), 'utf8');
}

/** The SHA-256 (hex) by which a later certificate names this one. */
export function digestOf(payload: Buffer): string {
  return createHash('sha256').update(payload).digest('hex');
}

/**
 * Reads a statement and checks its form: every field, and that the subject is what the predicate describes.
 *
 * @param name - of the file, for people.
 * @throws TapeproofError CHECK_FAILED
 */
export function parseStatement(payload: Buffer, name: string): Statement {
  let json: unknown;
  try {
    json = JSON.parse(payload.toString('utf8'));
  } catch (error) {
    throw new TapeproofError('CHECK_FAILED', `The statement in ${name} is not JSON: the file is damaged.`, {
      cause: error,
    });
  }
  refuseOtherForm(json, name);
  const parsed = statement.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue === undefined ? '' : issue.path.map(String).join('.');
    throw new TapeproofError(
      'CHECK_FAILED',
      `The statement in ${name} is not a certificate: ${field === '' ? 'it' : field}: ${issue?.message ?? 'is wrong'}.`,
    );
  }
  const { data } = parsed;
  const wrong = contradictionIn(data);
  if (wrong !== undefined) throw new TapeproofError('CHECK_FAILED', `The statement in ${name} is wrong: ${wrong}.`);
  return data;
}

function refuseOtherForm(json: unknown, name: string): void {
  const { predicateType } = (json ?? {}) as { readonly predicateType?: unknown };
  if (predicateType === PREDICATE_TYPE || typeof predicateType !== 'string') return;
  throw new TapeproofError(
    'CHECK_FAILED',
    `The statement in ${name} has the form ${JSON.stringify(predicateType.slice(0, 100))}, and this build reads ${PREDICATE_TYPE}: verify it with the build that wrote it.`,
  );
}

function contradictionIn({ subject, predicate: { ranges, tapeId, notDerived: missing, verdict } }: Statement) {
  if (canonicalJson(subject) !== canonicalJson(subjectOf(ranges))) return 'its subject is not what it describes';
  if (ranges.some((found) => found.tapeId !== tapeId)) return 'its ranges are of different tapes';
  if (missing.length > 0 !== (verdict === 'PARTLY DERIVED')) return 'its verdict contradicts its ranges';
  for (const { partition, outputs, tape, start: begun } of ranges) {
    if (tape.from > tape.to) return `its range of partition ${partition} ends before it begins`;
    if ((begun.kind === 'ANCHOR' ? begun.offset : 0) !== tape.from) return 'a range does not begin at its start';
    const miscounted = outputs.find(({ events, sequences: { from, to } }) => events !== to - from);
    if (miscounted !== undefined)
      return `its events of ${miscounted.topic}-${partition} are not those of its sequences`;
  }
  return undefined;
}
