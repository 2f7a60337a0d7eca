import { describe, expect, it } from 'vitest';
import { FINGERPRINTS } from '../../contracts/codec.ts';
import type { RecordName } from '../../contracts/generated/events.ts';
import { TAPE_TOPIC, TOPICS } from '../../contracts/topics.ts';
import { createLog } from '../log.ts';
import type { LogRecord } from './log-record.ts';
import type { Registry, RegisteredSchema } from './registry.ts';
import { labelHeaders } from './tape-label.ts';
import { contradictionsOf, trustRegistry } from './trusted-registry.ts';

/** The ids of the log: in these tests no record has one, so that only the label shows what they mean. */
const IDS = new Map(TOPICS.flatMap(({ records }) => records).map((name, index) => [name, 100 + index] as const));
const LABEL = {
  partitions: 1,
  schemas: new Map([...IDS].map(([name, id]) => [id, FINGERPRINTS[name]] as const)),
};
const TRADE_ID = IDS.get('Trade') ?? 0;

function registryOf(ids: ReadonlyMap<RecordName, number>): Registry {
  const answers = new Map([...ids].map(([name, id]) => [id, schemaOf(id, name)]));
  return {
    register: () => Promise.resolve([]),
    check: () => Promise.resolve([]),
    idOf: (_, record) => Promise.resolve(ids.get(record) ?? 0),
    schemaOf: (id) => answers.get(id),
    answerOf: (id) => Promise.resolve(answers.get(id)),
    forget: () => undefined,
  };
}

function schemaOf(id: number, name: RecordName): RegisteredSchema {
  return {
    ...{ id, name, fingerprint: FINGERPRINTS[name] },
    read: () => {
      throw new Error('no record is read here');
    },
  };
}

/** Registered anew in another order: each id means another record. */
const REPLACED = registryOf(new Map([...IDS.keys()].map((name, index) => [name, 100 + IDS.size - 1 - index])));
/** The same, after an id of each record that the log knows nothing of. */
const RENUMBERED = registryOf(new Map([...IDS.keys()].map((name, index) => [name, 500 + index])));
const UNCHANGED = registryOf(IDS);

/** A tape of one record that says nothing beside its label. */
function trusted(registry: Registry) {
  const headers = labelHeaders(LABEL);
  const record: LogRecord = {
    ...{ topic: TAPE_TOPIC, partition: 0, offset: 0, timestampMs: 0, headers },
    ...{ key: Buffer.from('BTC-USDT@binance'), value: null },
  };
  const length = (topic: string) => (topic === TAPE_TOPIC ? 1 : 0);
  return trustRegistry({
    registry,
    reader: {
      startOffset: () => Promise.resolve(0),
      endOffset: (topic) => Promise.resolve(length(topic)),
      async *read({ topic, from, to }) {
        yield await Promise.resolve([record].slice(0, length(topic)).slice(from, to));
      },
    },
    partitions: 1,
    log: createLog('test', 'silent'),
  });
}

describe('an id that only the label of the tape explains', () => {
  it('is a contradiction where the registry has another schema under it, or none', async () => {
    const evidence = { label: LABEL, used: [], records: 1, partitions: 1 };
    expect(await contradictionsOf(UNCHANGED, evidence)).toEqual([]);
    for (const registry of [REPLACED, RENUMBERED]) {
      const found = await contradictionsOf(registry, evidence);
      expect(found.length).toBeGreaterThan(0);
      expect(found.every(({ place }) => place === `the label of ${TAPE_TOPIC}`)).toBe(true);
    }
  });

  it('is read by a registry that agrees, and by no other', async () => {
    expect(await trusted(UNCHANGED).schemaOf(TRADE_ID)).toMatchObject({ name: 'Trade' });
    for (const registry of [REPLACED, RENUMBERED]) {
      await expect(trusted(registry).schemaOf(TRADE_ID)).rejects.toMatchObject({ code: 'REGISTRY_CHANGED' });
    }
  });

  it('is not used for another record', async () => {
    expect(await trusted(UNCHANGED).idOf(TAPE_TOPIC, 'Trade')).toBe(TRADE_ID);
    for (const registry of [REPLACED, RENUMBERED]) {
      await expect(trusted(registry).idOf(TAPE_TOPIC, 'Trade')).rejects.toMatchObject({ code: 'REGISTRY_CHANGED' });
    }
  });
});

it('compares the registry with the log once for the ids of all schemas of this build', async () => {
  let comparisons = 0;
  const counting = { ...UNCHANGED, forget: () => (comparisons += 1) };
  expect((await trusted(counting).label()).schemas).toEqual(LABEL.schemas);
  expect(comparisons).toBe(1);
});
