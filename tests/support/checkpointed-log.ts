import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TOPICS, type TopicName } from '../../contracts/topics.ts';
import type { LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { createLog } from '../../platform/log.ts';
import { noTelemetry } from '../../platform/telemetry.ts';
import { PartitionPublisher, type LogStatus } from '../../proofs/checkpoints/publisher.adapter.ts';
import type { SignerKey } from '../../proofs/tlog/note-key.ts';
import { startWitness, type WitnessServer } from '../../proofs/tlog/witness-server.adapter.ts';
import { WitnessStore } from '../../proofs/tlog/witness-store.adapter.ts';
import { MemoryLog } from './memory-log.ts';
import { LOG_KEY, WITNESS_KEY } from './signed-log.ts';

/** A witness over loopback with a clock of the test. */
export interface TestWitness {
  readonly url: string;
  timeS: number;
  close(): Promise<void>;
}

export async function startTestWitness(logKeys = [LOG_KEY], key: SignerKey = WITNESS_KEY): Promise<TestWitness> {
  const folder = await mkdtemp(join(tmpdir(), 'tapeproof-witness-'));
  const store = await WitnessStore.open(folder, key);
  const log = createLog('test', 'silent');
  const witness = { timeS: 1 };
  const server: WitnessServer = await startWitness({
    ...{ key, logKeys, store, log, host: '127.0.0.1', port: 0 },
    nowS: () => witness.timeS,
  });
  return Object.assign(witness, {
    url: `http://127.0.0.1:${server.port}`,
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true });
    },
  });
}

/** A derived partition that grows in steps, with its heads signed and cosigned after each; for tests. */
export class CheckpointedLog {
  readonly memory = new MemoryLog();
  readonly #whole: MemoryLog;
  readonly #partition: number;

  /** @param whole - what the log has in the end. */
  constructor(whole: MemoryLog, partition: number) {
    this.#whole = whole;
    this.#partition = partition;
    this.#copy('engine.anchors', 1);
  }

  get access(): LogAccess {
    const { access } = this.memory;
    const held = (topic: string, offset: number) => this.memory.records(topic as TopicName, this.#partition)[offset];
    const timestampMs = (topic: string, _partition: number, offset: number) =>
      Promise.resolve(held(topic, offset)?.timestampMs);
    return { ...access, reader: { ...access.reader, timestampMs } };
  }

  /** Lets every topic grow to a share of the whole. */
  grow(share: number): void {
    for (const { name } of TOPICS) if (name !== 'engine.anchors') this.#copy(name, share);
  }

  /** One round of the process that signs, which is started anew. */
  async checkpoint(nowMs: number, witness?: TestWitness, keys: [SignerKey] = [LOG_KEY]): Promise<readonly LogStatus[]> {
    const publisher = new PartitionPublisher(
      {
        ...{ access: this.access, keys, formerKeys: [], telemetry: noTelemetry() },
        producer: {
          send: (records) => {
            this.memory.append(records);
            const held = this.memory.records('engine.checkpoints', this.#partition);
            const last = held.at(-1);
            if (last !== undefined) held[held.length - 1] = { ...last, timestampMs: nowMs };
            return Promise.resolve();
          },
          disconnect: () => Promise.resolve(),
        },
        witnesses: witness === undefined ? [] : [{ url: witness.url, key: WITNESS_KEY }],
        log: createLog('test', 'silent'),
        nowMs: () => nowMs,
      },
      this.#partition,
    );
    return (await publisher.round(new AbortController().signal)) ?? [];
  }

  #copy(topic: TopicName, share: number): void {
    const records = this.#whole.records(topic, this.#partition);
    const held = this.memory.records(topic, this.#partition);
    held.push(...records.slice(held.length, Math.ceil(records.length * share)));
  }
}
