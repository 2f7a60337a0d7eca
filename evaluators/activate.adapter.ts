import { randomUUID } from 'node:crypto';
import { canonicalJson } from '../contracts/canonical-json.ts';
import { encodeBody, FINGERPRINTS, sha256Hex } from '../contracts/codec.ts';
import type { EngineActivated } from '../contracts/generated/events.ts';
import { TAPE_TOPIC, TOPIC_OF_DERIVED, type DerivedName } from '../contracts/topics.ts';
import type { Connections } from '../platform/connections.ts';
import { TapeproofError } from '../platform/errors.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { framedIn } from '../platform/kafka/framed-record.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer, type RecordProducer } from '../platform/kafka/producer.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import { labelHeaders, type TapeLabel } from '../platform/kafka/tape-label.ts';
import { openTrustedLog } from '../platform/kafka/trusted-log.ts';
import type { Log } from '../platform/log.ts';
import { NOTHING_STATED, termsOf, type ActivationStatement, type ActivationTerms } from './activation-terms.ts';
import { ACCEPTED_TAPE_SCHEMAS } from './derive.ts';
import { refuseRevocation } from './revocable.adapter.ts';

/** If two of these race on a new tape, its identity is settled in the second round. */
const ROUNDS_MAX = 3;

export interface ActivationRequest {
  readonly connections: Pick<Connections, 'kafkaBrokers' | 'registryUrl'>;
  /** Canonical JSON (see canonicalConfiguration). */
  readonly configuration: string;
  readonly engineVersion: string;
  /** Commit of this build, or 'unknown'. */
  readonly gitCommit: string;
  /** By default nothing is stated. */
  readonly statement?: ActivationStatement;
  readonly log: Log;
}

export interface ActivationReport {
  readonly tapeId: string;
  readonly activationId: string;
  readonly configHash: string;
  /** Of the activation in force: an earlier one's where it was already there. */
  readonly statement: ActivationStatement;
  readonly action: 'activated' | 'resumed' | 'already in force';
  /** The activation's place in each partition. */
  readonly partitions: readonly {
    readonly partition: number;
    readonly offset: number;
    readonly action: 'appended' | 'already there';
  }[];
}

/**
 * Puts an engine version and configuration in force by appending an activation to every partition of the tape. If it is
 * already in force everywhere, nothing is appended; if it reached only some partitions, it is completed.
 *
 * @throws TapeproofError UNREACHABLE; FOREIGN_TAPE when several first activations race; REGISTRY_CHANGED; CHECK_FAILED when
 *   the tape was activated with another number of partitions, or the activation to be revoked cannot be; NOT_FOUND when it
 *   is not on the tape.
 */
export async function activate(request: ActivationRequest): Promise<ActivationReport> {
  const { connections, log } = request;
  const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-activate', log);
  const reader = createLogReader(connections.kafkaBrokers);
  let producer: RecordProducer | undefined;
  try {
    const { registry, partitions } = await openTrustedLog({
      ...{ kafka, reader, log },
      registryUrl: connections.registryUrl,
    });
    const sender = (producer = createRecordProducer(kafka, registry));
    const scans: Scan[] = [];
    for (let partition = 0; partition < partitions; partition += 1) {
      scans.push({ partition, next: await reader.startOffset(TAPE_TOPIC, partition), found: [] });
    }
    await catchUp(reader, registry, scans);
    for (const revoked of request.statement?.revokes ?? []) await refuseRevocation(reader, registry, scans, revoked);
    for (let round = 1; round <= ROUNDS_MAX; round += 1) {
      const plan = planOf(request, scans);
      const label = await registry.label();
      if (
        await carryOut({ ...plan, label }, sender, () => catchUp(reader, registry, scans).then(() => tapeIdOf(scans)))
      ) {
        const report = reportOf(plan, scans);
        log.info(
          { 'tapeproof.tape_id': report.tapeId, 'tapeproof.activation': report.activationId },
          `Activation: ${report.action}`,
        );
        return report;
      }
    }
    throw new TapeproofError('FOREIGN_TAPE', `Several activations race on a new ${TAPE_TOPIC}: run one at a time.`);
  } finally {
    await producer?.disconnect();
    await reader.close();
  }
}

interface Found {
  readonly offset: number;
  readonly activation: EngineActivated;
}

/** The activations of one partition, in order, up to `next`. */
interface Scan {
  readonly partition: number;
  next: number;
  readonly found: Found[];
}

interface Plan {
  readonly activation: EngineActivated;
  readonly action: ActivationReport['action'];
  /** Partitions without it. */
  readonly missing: readonly number[];
}

function planOf(request: ActivationRequest, scans: readonly Scan[]): Plan {
  const { configuration, engineVersion, gitCommit, statement = NOTHING_STATED } = request;
  const tapeId = tapeIdOf(scans);
  const wanted: EngineActivated = {
    tapeId: tapeId ?? randomUUID(),
    activationId: randomUUID(),
    engineVersion,
    gitCommit,
    configuration,
    configHash: sha256Hex(configuration),
    writerFingerprints: Object.fromEntries(
      (Object.keys(TOPIC_OF_DERIVED) as DerivedName[]).map((name) => [name, FINGERPRINTS[name]]),
    ),
    acceptedTapeSchemas: ACCEPTED_TAPE_SCHEMAS,
    ...statement,
  };
  const latest = scans.map(({ partition, found }) => ({ partition, activation: found.at(-1)?.activation, found }));
  const lacking = latest.filter(({ activation }) => activation === undefined || !isAlike(activation, wanted));
  // An id that a partition has seen before has no effect there: it cannot come into force again.
  const begun = latest
    .map(({ activation }) => activation)
    .filter((activation) => activation !== undefined)
    .find(
      (activation) =>
        isAlike(activation, wanted) &&
        lacking.every(({ found }) => found.every((seen) => seen.activation.activationId !== activation.activationId)),
    );
  if (begun === undefined) {
    return { activation: wanted, action: 'activated', missing: scans.map(({ partition }) => partition) };
  }
  const missing = lacking.map(({ partition }) => partition);
  return { activation: begun, action: missing.length === 0 ? 'already in force' : 'resumed', missing };
}

/**
 * True when one puts the same engine, configuration and schemas in force on the same tape as the one that is wanted, and
 * revokes what that one revokes.
 */
function isAlike(one: EngineActivated, wanted: EngineActivated): boolean {
  const essence = ({ activationId: _id, gitCommit: _commit, ...rest }: ActivationTerms): string => canonicalJson(rest);
  return essence(termsOf(one)) === essence(termsOf(wanted)) && wanted.revokes.every((id) => one.revokes.includes(id));
}

/**
 * Appends the plan's activation wherever it is missing. The first partition goes first and alone: on a new tape, the
 * first activation there decides which tape this is.
 *
 * @returns false when another activation decided it in the meantime.
 */
async function carryOut(
  plan: Plan & { readonly label: TapeLabel },
  producer: RecordProducer,
  tapeIdNow: () => Promise<string | undefined>,
): Promise<boolean> {
  const { activation, missing } = plan;
  const body = encodeBody('EngineActivated', activation);
  for (const partitions of [missing.slice(0, 1), missing.slice(1)]) {
    if (partitions.length === 0) break;
    const timestampUs = Date.now() * 1_000;
    await producer.send(
      partitions.map((partition) => ({
        topic: TAPE_TOPIC,
        partition,
        key: null,
        type: 'EngineActivated',
        body,
        timestampUs,
        headers: labelHeaders(plan.label),
      })),
    );
    if ((await tapeIdNow()) !== activation.tapeId) return false;
  }
  return true;
}

function reportOf({ activation, action, missing }: Plan, scans: readonly Scan[]): ActivationReport {
  const { tapeId, activationId, configHash } = activation;
  const partitions = scans.map(({ partition, found }) => {
    const place = found.find((seen) => seen.activation.activationId === activationId);
    if (place === undefined) throw new Error(`the activation is missing in partition ${partition}`);
    const reached: 'appended' | 'already there' = missing.includes(partition) ? 'appended' : 'already there';
    return { partition, offset: place.offset, action: reached };
  });
  const { actor, reason, approver, hasUncommittedChanges, revokes } = activation;
  const statement = { actor, reason, approver, hasUncommittedChanges, revokes };
  return { tapeId, activationId, configHash, statement, action, partitions };
}

/** The tape's identity: the one in the first activation of the lowest partition that has one. */
function tapeIdOf(scans: readonly Scan[]): string | undefined {
  const ids = scans.flatMap(({ found }) => found.slice(0, 1)).map(({ activation }) => activation.tapeId);
  return ids[0];
}

/** Reads to the end of every partition. Of a trade, only the id of its schema is read. */
async function catchUp(reader: LogReader, registry: Registry, scans: readonly Scan[]): Promise<void> {
  for (const scan of scans) {
    const { partition } = scan;
    const to = await reader.endOffset(TAPE_TOPIC, partition);
    for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from: scan.next, to })) {
      for (const record of records) {
        const found = framedIn(registry, record);
        const framed = found instanceof Promise ? await found : found;
        const activation = 'reason' in framed ? undefined : framed.as('EngineActivated');
        if (activation !== undefined && isOfThisTape(activation, scan))
          scan.found.push({ offset: record.offset, activation });
      }
    }
    scan.next = Math.max(scan.next, to);
  }
}

/** The engine refuses an activation that names a wrong hash, or a different tape from the first one in its partition. */
function isOfThisTape(activation: EngineActivated, { found }: Scan): boolean {
  const first = found[0]?.activation ?? activation;
  return activation.tapeId === first.tapeId && sha256Hex(activation.configuration) === activation.configHash;
}
