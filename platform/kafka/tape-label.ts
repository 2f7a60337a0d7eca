import { FINGERPRINTS, RECORD_NAMES } from '../../contracts/codec.ts';
import { FORMER_TAPE_SCHEMAS } from '../../contracts/former-schemas.ts';
import type { RecordName } from '../../contracts/generated/events.ts';
import { TAPE_TOPIC, TOPICS } from '../../contracts/topics.ts';
import { TapeproofError } from '../errors.ts';
import type { Registry } from './registry.ts';

/**
 * What the log states about itself beside its records, so that no registry or broker that contradicts it is believed:
 * a header of each activation on the tape and of each anchor.
 */
export interface TapeLabel {
  /** Partitions of the tape when it was activated: `partitionOf` depends on them. */
  readonly partitions: number;
  /** Schema id to fingerprint (hex), of this log's records. Ids belong to the registry, which may be replaced. */
  readonly schemas: ReadonlyMap<number, string>;
}

export const LABEL_HEADER = 'tape-label';
const SCHEMAS_MAX = 10_000;

/** The header of a label. */
export function labelHeaders({ partitions, schemas }: TapeLabel): Readonly<Record<string, string>> {
  const ascending = [...schemas].sort(([left], [right]) => left - right);
  return { [LABEL_HEADER]: JSON.stringify({ partitions, schemas: Object.fromEntries(ascending) }) };
}

/** The label among a record's headers; undefined where it is missing or not a valid label. */
export function labelOf(headers: Readonly<Record<string, string>>): TapeLabel | undefined {
  const text = headers[LABEL_HEADER];
  if (text === undefined) return undefined;
  try {
    const { partitions, schemas } = JSON.parse(text) as { readonly partitions?: unknown; readonly schemas?: unknown };
    if (typeof partitions !== 'number' || !Number.isSafeInteger(partitions) || partitions < 1) return undefined;
    if (typeof schemas !== 'object' || schemas === null) return undefined;
    const entries = Object.entries(schemas as Record<string, unknown>);
    const valid = entries.flatMap(([id, fingerprint]): [number, string][] =>
      /^\d{1,10}$/.test(id) && typeof fingerprint === 'string' && /^[0-9a-f]{64}$/.test(fingerprint)
        ? [[Number(id), fingerprint]]
        : [],
    );
    return valid.length === entries.length && valid.length <= SCHEMAS_MAX
      ? { partitions, schemas: new Map(valid) }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Fingerprints of this build's schemas, by the registry's ids for them. @throws TapeproofError as `idOf` does. */
export async function idsOfThisBuild(registry: Pick<Registry, 'idOf'>): Promise<Map<number, string>> {
  // Together, so that a registry which is compared with the log before it is believed is compared once.
  const asked = TOPICS.flatMap(({ name, records }) =>
    records.map(async (record) => [await registry.idOf(name, record), FINGERPRINTS[record]] as const),
  );
  return new Map(await Promise.all(asked));
}

/**
 * Passes where the tape has as many partitions as it was activated with: Kafka never removes one, and an instrument's
 * partition follows from their number.
 *
 * @param expected from its label or its records; undefined where they show nothing.
 * @throws TapeproofError CHECK_FAILED
 */
export function refuseOtherPartitions(actual: number, expected: number | undefined): void {
  if (expected === undefined || expected === actual) return;
  throw new TapeproofError(
    'CHECK_FAILED',
    `${TAPE_TOPIC} has ${actual} partitions where ${expected} are expected. ${otherPartitionsRemedy(actual)}`,
  );
}

/** What to do where the tape has another number of partitions than it was activated with, in two sentences. */
export function otherPartitionsRemedy(actual: number): string {
  return `The tape was activated with another number, and instruments would continue in another partition than they began in. Kafka never removes a partition: delete the topics, run "npx tapeproof topics apply --partitions ${actual}" and "npx tapeproof activate", and ingest anew.`;
}

/** The record type of a schema that this build or an earlier one writes; undefined for any other. */
export function recordOfFingerprint(fingerprint: string): RecordName | undefined {
  return (
    RECORD_NAMES.find((name) => FINGERPRINTS[name] === fingerprint) ??
    FORMER_TAPE_SCHEMAS.find((former) => former.fingerprint === fingerprint)?.name
  );
}
