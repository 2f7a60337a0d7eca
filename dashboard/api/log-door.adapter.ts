import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import type { Connections } from '../../platform/connections.ts';
import { withDeadline } from '../../platform/deadline.ts';
import { createKafka } from '../../platform/kafka/client.ts';
import { createLogReader } from '../../platform/kafka/log-reader.ts';
import { createTapeDecoder } from '../../platform/kafka/tape-decoder.ts';
import { openTrustedLog, type TrustedLog } from '../../platform/kafka/trusted-log.ts';
import { isKnownDown } from '../../platform/health/dependencies.ts';
import type { Log } from '../../platform/log.ts';
import type { Telemetry } from '../../platform/telemetry.ts';
import { EventLog } from '../../proofs/event-log.ts';
import { fromStore, storeDown, tooSlow } from './problems.ts';

const CLOSE_DEADLINE_MS = 1_000;

/** What a read of the log works with. */
export interface OpenedLog extends LogAccess {
  readonly partitions: number;
  readonly events: EventLog;
}

export interface LogDoorSettings {
  readonly connections: Pick<Connections, 'kafkaBrokers' | 'registryUrl'>;
  readonly log: Log;
  readonly telemetry: Telemetry;
}

/** A piece of reading, and its limit. */
export interface LogRead<Value> {
  /** For people: `The audit`. */
  readonly what: string;
  readonly deadlineMs: number;
  readonly work: (open: OpenedLog) => Promise<Value>;
  /** Runs around the work until it ends, even where its time is over. */
  readonly within?: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

export interface LogDoor {
  /** @throws ApiProblem STORE_DOWN, TOO_SLOW, and those that the errors of `work` are. */
  read<Value>(read: LogRead<Value>): Promise<Value>;
  close(): Promise<void>;
}

/** Kafka and the registry, opened when they are first read; outages and slowness become problems. */
export function createLogDoor({ connections, log, telemetry }: LogDoorSettings): LogDoor {
  const kafka = createKafka(connections.kafkaBrokers, 'tapeproof-dashboard', log);
  const reader = createLogReader(connections.kafkaBrokers);
  const { registryUrl } = connections;
  let trusted: Promise<TrustedLog> | undefined;
  const opened = async (): Promise<OpenedLog> => {
    const opening = (trusted ??= openTrustedLog({ kafka, reader, registryUrl, log, telemetry }));
    opening.catch(() => {
      if (trusted === opening) trusted = undefined;
    });
    const { registry, partitions } = await opening;
    const decode = createTapeDecoder(registry);
    return { reader, registry, decode, partitions, events: new EventLog(reader, registry) };
  };
  const isDown = (part: 'kafka' | 'registry'): boolean => isKnownDown(telemetry.health.parts.get(part));
  return {
    read({ what, deadlineMs, work, within = (inner) => inner() }) {
      // Kafka itself would be waited for a minute: a probe knows sooner.
      if (isDown('kafka')) return Promise.reject(storeDown('kafka'));
      const asked = within(() =>
        fromStore(isDown('registry') ? 'registry' : 'kafka', deadlineMs, async () => await work(await opened())),
      );
      return withDeadline(asked, deadlineMs, () => tooSlow(what, deadlineMs));
    },
    async close() {
      const closing = async (): Promise<void> => {
        (await trusted)?.registry.close();
        await reader.close();
      };
      // A service that hangs must not delay the end of the process.
      await withDeadline(closing(), CLOSE_DEADLINE_MS, () => new Error('no answer')).catch(() => undefined);
    },
  };
}
