import { randomUUID } from 'node:crypto';
import { bodyOf, encodeBody, FINGERPRINTS, schemaIdOf, sha256Hex } from '../contracts/codec.ts';
import type { EngineActivated } from '../contracts/generated/events.ts';
import { TAPE_TOPIC, TOPIC_OF_DERIVED, type DerivedName } from '../contracts/topics.ts';
import type { Connections } from '../platform/connections.ts';
import { TapeproofError } from '../platform/errors.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry, type Registry } from '../platform/kafka/registry.ts';
import { partitionCount } from '../platform/kafka/topics.ts';
import type { Log } from '../platform/log.ts';

/** Two of these racing on a new tape settle its identity in the second round. */
const ROUNDS_MAX = 3;

export interface ActivationRequest {
  readonly connections: Pick<Connections, 'kafkaBrokers' | 'registryUrl'>;
  /** Canonical JSON (see canonicalConfiguration). */
  readonly configuration: string;
  readonly engineVersion: string;
  /** Commit of this build, or 'unknown'. */
  readonly gitCommit: string;
  readonly log: Log;
}

export interface ActivationReport {
  readonly tapeId: string;
  readonly activationId: string;
  readonly configHash: string;
  readonly action: 'activated' | 'resumed' | 'already in force';
  /** Where the activation lies in each partition. */
  readonly partitions: readonly {
    readonly partition: number;
    readonly offset: number;
    readonly action: 'appended' | 'already there';
  }[];
}

/**
 * Puts an engine version and configuration in force by appending an activation to every partition of the tape. What is
 * in force everywhere already is left alone; one that reached only some partitions is completed.
 *
 * @throws TapeproofError UNREACHABLE; FOREIGN_TAPE when the partitions name different tapes.
 */
export async function activate(request: ActivationRequest): Promise<ActivationReport> {
  const { connections, log } = request;
  const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-activate', log);
  const registry = createRegistry(connections.registryUrl);
  const reader = createLogReader(connections.kafkaBrokers);
  const producer = createRecordProducer(kafka, registry);
  try {
    const scans = await scanAll(reader, registry, await partitionCount(kafka));
    for (let round = 1; round <= ROUNDS_MAX; round += 1) {
      const plan = planOf(request, scans);
      const report = reportOf(plan, scans);
      if (report !== undefined) return report;
      // Partition 0 goes first and alone: the first activation there decides which tape this is.
      for (const partitions of [plan.missing.slice(0, 1), plan.missing.slice(1)]) {
        await producer.send(
          partitions.map((partition) => ({
            topic: TAPE_TOPIC,
            partition,
            key: null,
            type: 'EngineActivated',
            body: encodeBody('EngineActivated', plan.activation),
            timestampUs: Date.now() * 1_000,
          })),
        );
        await Promise.all(scans.map((scan) => catchUp(reader, registry, scan)));
        if (tapeIdOf(scans) !== plan.activation.tapeId) break;
      }
    }
    throw new TapeproofError('FOREIGN_TAPE', `Activations of several tapes meet in ${TAPE_TOPIC}: run one at a time.`);
  } finally {
    await producer.disconnect();
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

function planOf({ configuration, engineVersion, gitCommit }: ActivationRequest, scans: readonly Scan[]): Plan {
  const wanted = {
    engineVersion,
    gitCommit,
    configuration,
    configHash: sha256Hex(configuration),
    writerFingerprints: Object.fromEntries(
      (Object.keys(TOPIC_OF_DERIVED) as DerivedName[]).map((name) => [name, FINGERPRINTS[name]]),
    ),
    acceptedTapeSchemas: [FINGERPRINTS.Trade, FINGERPRINTS.EngineActivated],
  };
  const tapeId = tapeIdOf(scans);
  const lacking = scans.filter(({ found }) => !inForce(found.at(-1)?.activation, wanted, tapeId));
  const candidates = scans.flatMap(({ found }) => found.slice(-1)).map(({ activation }) => activation);
  // An id that a partition has seen before is without effect there: it cannot come into force again.
  const begun = candidates.find(
    (activation) =>
      inForce(activation, wanted, tapeId) &&
      lacking.every(({ found }) => found.every((seen) => seen.activation.activationId !== activation.activationId)),
  );
  if (begun !== undefined) {
    const missing = lacking.map(({ partition }) => partition);
    return { activation: begun, action: missing.length === 0 ? 'already in force' : 'resumed', missing };
  }
  return {
    activation: { tapeId: tapeId ?? randomUUID(), activationId: randomUUID(), ...wanted },
    action: 'activated',
    missing: scans.map(({ partition }) => partition),
  };
}

/** The report once the plan's activation is the last one everywhere. */
function reportOf({ activation, action, missing }: Plan, scans: readonly Scan[]): ActivationReport | undefined {
  return undefined;
}

/** The tape's identity: that of the first activation in the lowest partition that has one. */
function tapeIdOf(scans: readonly Scan[]): string | undefined {
  return scans.find(({ found }) => found.length > 0)?.found[0]?.activation.tapeId;
}
