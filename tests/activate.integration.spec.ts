import { beforeEach, describe, expect, it } from 'vitest';
import { decodeBody, bodyOf, encodeBody } from '../contracts/codec.ts';
import type { EngineActivated } from '../contracts/generated/events.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { activate, type ActivationReport } from '../evaluators/activate.adapter.ts';
import { canonicalConfiguration, ENGINE_VERSION, parseConfiguration } from '../evaluators/configuration.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createLog } from '../platform/log.ts';
import { resetStores, stackConnections } from './support/stack.ts';

const PARTITIONS = 6;
const log = createLog('test', 'silent');
const usual = canonicalConfiguration(parseConfiguration({}));
const other = canonicalConfiguration(parseConfiguration({ cadenceMs: 5_000 }));

beforeEach(() => resetStores());

function put(configuration: string): Promise<ActivationReport> {
  const connections = stackConnections();
  return activate({ connections, configuration, engineVersion: ENGINE_VERSION, gitCommit: 'unknown', log });
}

/** The activations of each partition. */
async function tape(): Promise<EngineActivated[][]> {
  const reader = createLogReader(stackConnections().kafkaBrokers);
  const found: EngineActivated[][] = [];
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const activations: EngineActivated[] = [];
    for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from: 0, to: Infinity })) {
      activations.push(...records.map(({ value }) => decodeBody('EngineActivated', bodyOf(value!))));
    }
    found.push(activations);
  }
  await reader.close();
  return found;
}

function actionsOf({ partitions }: ActivationReport): string[] {
  return partitions.map(({ action }) => action);
}

describe('activate', () => {
  it('reaches every partition once, and does not repeat an activation in force', async () => {
    const first = await put(usual);
    expect(first.action).toBe('activated');
    expect(await put(usual)).toEqual({
      ...first,
      action: 'already in force',
      partitions: first.partitions.map((place) => ({ ...place, action: 'already there' })),
    });
    expect((await tape()).map((activations) => activations.map(({ activationId }) => activationId))).toEqual(
      Array.from({ length: PARTITIONS }, () => [first.activationId]),
    );
  });

  it('keeps the tape’s identity through changes, and uses a new id to go back', async () => {
    const [first, second, third] = [await put(usual), await put(other), await put(usual)];
    expect(new Set([first.tapeId, second.tapeId, third.tapeId]).size).toBe(1);
    expect(new Set([first.activationId, second.activationId, third.activationId]).size).toBe(3);
    expect(third.action).toBe('activated');
    expect(third.partitions.map(({ offset }) => offset)).toEqual(Array.from({ length: PARTITIONS }, () => 2));
  });

  it('completes an activation that reached only some partitions', async () => {
    const { registryUrl, kafkaBrokers } = stackConnections();
    const first = await put(usual);
    const [begun] = (await tape())[0] ?? [];
    const activation = { ...begun!, activationId: 'begun', configuration: other };
    const configHash = (await put(other)).configHash;
    await put(usual);
    // Half of the partitions have it, as if its process had been killed.
    const producer = createRecordProducer(createKafka(kafkaBrokers, 'test', log), createRegistry(registryUrl));
    const body = encodeBody('EngineActivated', { ...activation, configHash });
    await producer.send(
      [0, 1, 2].map((partition) => ({
        topic: TAPE_TOPIC,
        partition,
        key: null,
        type: 'EngineActivated',
        body,
        timestampUs: 1_700_000_000_000_000,
      })),
    );
    await producer.disconnect();
    const report = await put(other);
    expect(report).toMatchObject({ action: 'resumed', activationId: 'begun', tapeId: first.tapeId });
    expect(actionsOf(report)).toEqual([
      ...Array<string>(3).fill('already there'),
      ...Array<string>(3).fill('appended'),
    ]);
  });

  it('gives a new tape one identity, however many race for it', async () => {
    const reports = await Promise.all([put(usual), put(other), put(usual), put(other)]);
    expect(new Set(reports.map(({ tapeId }) => tapeId)).size).toBe(1);
    for (const activations of await tape()) {
      expect(activations[0]?.tapeId).toBe(reports[0].tapeId);
    }
  });
});
