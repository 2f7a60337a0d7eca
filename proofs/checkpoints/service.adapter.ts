import { setTimeout as sleep } from 'node:timers/promises';
import { createKafka } from '../../platform/kafka/client.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../../platform/kafka/producer.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { openTrustedLog } from '../../platform/kafka/trusted-log.ts';
import type { Connections } from '../../platform/connections.ts';
import { TapeproofError } from '../../platform/errors.ts';
import { openUnlessAborted, withDeadline } from '../../platform/deadline.ts';
import type { Log } from '../../platform/log.ts';
import { noTelemetry, type Telemetry } from '../../platform/telemetry.ts';
import type { SignerKey, VerifierKey } from '../tlog/note-key.ts';
import type { WitnessAddress } from '../tlog/witness-client.adapter.ts';
import type { TimestampAuthority } from '../timestamps/authority.adapter.ts';
import { PartitionPublisher, type LogStatus } from './publisher.adapter.ts';
import { Timestamping } from './timestamping.adapter.ts';

/** Partitions that are read at once. */
const PARTITIONS_AT_ONCE = 4;
/** Between two looks for the tape's first activation, and after an outage. */
const RETRY_MS = 1_000;
const CLOSE_DEADLINE_MS = 5_000;
const MS_PER_S = 1_000;

export interface CheckpointRun {
  readonly connections: Pick<Connections, 'kafkaBrokers' | 'registryUrl'>;
  readonly keys: readonly [SignerKey, ...SignerKey[]];
  readonly formerKeys: readonly VerifierKey[];
  readonly witnesses: readonly WitnessAddress[];
  /** Where heads are stamped with the time besides, and how often at most. */
  readonly timestamps?: { readonly authority: TimestampAuthority; readonly everyMs: number } | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly telemetry?: Telemetry;
}

/**
 * Signs the head of each log at a cadence until `signal`: see {@link PartitionPublisher}.
 *
 * @param everyMs - from the beginning of one round to that of the next.
 * @throws TapeproofError CHECK_FAILED; CONFIGURATION. An outage is waited out.
 */
export async function runCheckpoints(run: CheckpointRun, everyMs: number): Promise<void> {
  const { log, signal, telemetry = noTelemetry() } = run;
  const { health } = telemetry;
  health.set('checkpoints', { alive: true, ready: false, detail: 'reads the logs up to where they were signed last' });
  log.event('checkpoints-started', `Heads are signed as ${run.keys[0].name}, every ${everyMs / MS_PER_S} s`);
  await withPublishers({ ...run, telemetry }, async ({ publishers, timestamping }) => {
    telemetry.metrics.beforeScrape(() => {
      for (const [partition, { coverage }] of publishers.entries()) {
        for (const { topic, coveredAtMs } of coverage) {
          const seconds = (Date.now() - coveredAtMs) / MS_PER_S;
          telemetry.metrics.set('tapeproof_checkpoint_unsigned_seconds', { topic, partition }, seconds);
        }
      }
    });
    let stamping: Promise<unknown> | undefined;
    while (!signal.aborted) {
      const beganAt = performance.now();
      const statuses = await roundOf(publishers, run, telemetry);
      // Beside the next rounds: an authority that is slow delays no signature.
      if (statuses !== undefined) {
        stamping ??= timestamping?.round(statuses, signal).finally(() => {
          stamping = undefined;
        });
      }
      const waitMs = statuses === undefined ? RETRY_MS : everyMs - (performance.now() - beganAt);
      await sleep(Math.max(RETRY_MS / 10, waitMs), undefined, { signal }).catch(() => undefined);
    }
    await stamping;
  });
  log.event('checkpoints-stopped', `Checkpoints stopped by ${String(signal.reason)}`);
}

/**
 * Signs the head of each log once.
 *
 * @throws TapeproofError UNREACHABLE; NOT_FOUND when nothing is activated on the tape; CHECK_FAILED; CONFIGURATION.
 */
export async function checkpointNow(run: CheckpointRun): Promise<readonly LogStatus[]> {
  const signed = await withPublishers(
    { ...run, telemetry: run.telemetry ?? noTelemetry() },
    async ({ publishers, timestamping }) => {
      const statuses = await signAll(publishers, run.signal);
      if (statuses.length > 0) return (await timestamping?.round(statuses, run.signal)) ?? statuses;
      throw new TapeproofError(
        'NOT_FOUND',
        'The engine has written no anchor yet, so there are no logs to sign: run "npx tapeproof activate" and start an engine.',
      );
    },
  );
  if (signed !== undefined) return signed;
  throw new TapeproofError('CHECK_FAILED', 'Interrupted before Kafka answered: nothing was signed.');
}

interface Signers {
  readonly publishers: readonly PartitionPublisher[];
  readonly timestamping: Timestamping | undefined;
}

/** @returns undefined where the signal came before the log was open. */
async function withPublishers<Result>(
  run: CheckpointRun & { readonly telemetry: Telemetry },
  work: (signers: Signers) => Promise<Result>,
): Promise<Result | undefined> {
  const { connections, log, signal, telemetry, keys, formerKeys, witnesses, timestamps } = run;
  const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-checkpoints', log);
  const reader = createLogReader(connections.kafkaBrokers);
  try {
    const opening = openTrustedLog({ kafka, reader, registryUrl: connections.registryUrl, log, telemetry });
    const trusted = await openUnlessAborted(opening, signal, (late) => {
      late.registry.close();
    });
    if (trusted === undefined) return undefined;
    const { registry, partitions } = trusted;
    const producer = createRecordProducer(kafka, registry, telemetry.metrics);
    try {
      const access = { reader, registry, decode: createTapeDecoder(registry) };
      const settings = { access, producer, keys, formerKeys, witnesses, telemetry, log, nowMs: () => Date.now() };
      return await work({
        publishers: Array.from({ length: partitions }, (_, partition) => new PartitionPublisher(settings, partition)),
        timestamping: timestamps === undefined ? undefined : new Timestamping({ ...settings, ...timestamps }),
      });
    } finally {
      await withDeadline(producer.disconnect(), CLOSE_DEADLINE_MS, () => new Error('no answer')).catch(() => undefined);
      registry.close();
    }
  } finally {
    await reader.close();
  }
}

/** One round of a process that goes on through outages; undefined where it has to be repeated soon. */
async function roundOf(
  publishers: readonly PartitionPublisher[],
  { log, signal }: CheckpointRun,
  { health }: Telemetry,
): Promise<readonly LogStatus[] | undefined> {
  const waits = (detail: string): void => {
    health.set('checkpoints', { alive: true, ready: false, detail });
    log.sampled('checkpoints-waiting')?.(detail);
  };
  try {
    const statuses = await signAll(publishers, signal);
    if (statuses.length === 0) {
      waits('the engine has written no anchor yet');
      return undefined;
    }
    const { ready, detail } = healthOf(statuses);
    health.set('checkpoints', { alive: true, ready, detail });
    const signed = statuses.filter((status) => status.signed).length;
    if (signed > 0) log.event('checkpoints-signed', detail, { 'tapeproof.heads': signed });
    return statuses;
  } catch (error) {
    if (!(error instanceof TapeproofError) || (error.code !== 'UNREACHABLE' && error.code !== 'SEQUENCE_GAP'))
      throw error;
    waits(error.message);
    return undefined;
  }
}

async function signAll(publishers: readonly PartitionPublisher[], signal: AbortSignal): Promise<LogStatus[]> {
  const statuses: LogStatus[][] = [];
  const left = [...publishers.entries()];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined && !signal.aborted; next = left.shift()) {
      const [partition, publisher] = next;
      statuses[partition] = [...((await publisher.round(signal)) ?? [])];
    }
  };
  await Promise.all(Array.from({ length: PARTITIONS_AT_ONCE }, worker));
  return statuses.flat();
}

/** Not ready: a log that differs is never signed again, and nobody but a witness proves a time. */
export function healthOf(statuses: readonly LogStatus[]): { readonly ready: boolean; readonly detail: string } {
  const differing = statuses.flatMap(({ difference }) => difference ?? []);
  const refused = statuses.flatMap(({ failures }) => failures.filter(({ isRefusal }) => isRefusal));
  const silent = new Set(statuses.flatMap(({ failures }) => failures.map(({ witness }) => witness)));
  const signed = statuses.filter((status) => status.signed).length;
  const detail = [
    `${signed} of ${statuses.length} logs have grown and were signed`,
    ...differing,
    ...refused.slice(0, 1).map(({ reason }) => reason),
    ...(silent.size > 0 && refused.length === 0 ? [`without ${[...silent].join(', ')}`] : []),
  ].join('; ');
  return { ready: differing.length === 0 && refused.length === 0, detail };
}
