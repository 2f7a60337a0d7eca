import { describe, expect, it } from 'vitest';
import type { Acknowledged, BatchSender, RecordGroup } from './batch-sender.ts';
import type { OutgoingRecord } from './outgoing-record.ts';
import { producerOver, type Appended } from './producer.ts';
import type { Registry } from './registry.ts';
import { recordsIn, type SentRecord } from './fixtures/records-in.ts';

function outgoing(partition: number): OutgoingRecord {
  const body = Buffer.alloc(8);
  return { topic: 'decision.outcomes', partition, key: 'BTC-USDT@binance', type: 'Outcome', body, timestampUs: 0 };
}

/** A sender with given answers: without one, it acknowledges everything. */
function senderOf(answers: readonly ((groups: readonly RecordGroup[]) => Promise<readonly Acknowledged[]>)[] = []) {
  /** As they are while they are sent. */
  const sends: (readonly SentRecord[])[] = [];
  let opened = 0;
  let closed = 0;
  const connect = (): BatchSender => {
    opened += 1;
    return {
      failure: undefined,
      send(groups) {
        sends.push(recordsIn(groups));
        return answers[sends.length - 1]?.(groups) ?? Promise.resolve(placesOf(groups));
      },
      close() {
        closed += 1;
        return Promise.resolve();
      },
    };
  };
  return { connect, sends, opened: () => opened, closed: () => closed };
}

const placesOf = (groups: readonly RecordGroup[]): Acknowledged[] =>
  groups.map(({ topic, partition }) => ({ topic, partition, baseOffset: 0 }));

const registry = {
  idOf: (topic) =>
    topic === 'dead.letters' ? Promise.reject(new Error('its schema is not registered')) : Promise.resolve(1),
} as Partial<Registry> as Registry;

const at = outgoing;

describe('a producer', () => {
  it('begins anew after a failure, under another identity', async () => {
    const { connect, sends, opened, closed } = senderOf([() => Promise.reject(new Error('connection lost'))]);
    const producer = producerOver(connect, registry);
    await expect(producer.send([at(1), at(2)])).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect([opened(), closed()]).toEqual([1, 1]);
    await producer.send([at(1), at(2)]);
    expect([sends.length, opened()]).toEqual([2, 2]);
    await producer.disconnect();
    expect(closed()).toBe(2);
  });

  it('sends the calls that wait in one request, in their order, without the one with an unknown schema', async () => {
    const { connect, sends } = senderOf();
    const producer = producerOver(connect, registry);
    const letter = { ...at(0), topic: 'dead.letters', type: 'DeadLetter' } as const;
    const sent = await Promise.allSettled([
      producer.send([{ ...at(1), key: 'first' }]),
      producer.send([letter]),
      producer.send([at(2), { ...at(1), key: 'second' }]),
    ]);
    expect(sent.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(sends).toMatchObject([
      [
        { partition: 1, key: Buffer.from('first') },
        { partition: 1, key: Buffer.from('second') },
        { partition: 2, schemaId: 1 },
      ],
    ]);
    await producer.disconnect();
    await expect(producer.send([at(1)])).rejects.toThrow('disconnected');
  });

  it('says where Kafka appended, per topic and partition, before a call resolves', async () => {
    const { connect } = senderOf([
      (groups) =>
        Promise.resolve(placesOf(groups).map((place) => ({ ...place, baseOffset: place.partition === 1 ? 70 : -1 }))),
    ]);
    const heard: Appended[] = [];
    const producer = producerOver(connect, registry, undefined, (appended) => heard.push(appended));
    await producer.send([at(1), at(2), at(1)]);
    expect(heard).toEqual([
      { topic: 'decision.outcomes', partition: 1, baseOffset: 70, count: 2 },
      { topic: 'decision.outcomes', partition: 2, baseOffset: undefined, count: 1 },
    ]);
    await producer.disconnect();
  });

  it('sends what was collected like other calls, in turn with them, and what is collected later with the next send', async () => {
    const { connect, sends } = senderOf();
    const producer = producerOver(connect, registry);
    const [first, second] = [producer.collector(), producer.collector()];
    await first.add({ ...at(1), key: 'a' });
    // The registry was asked.
    expect(first.add({ ...at(1), key: 'b' })).toBeUndefined();
    await second.add({ ...at(2), key: 'c' });
    expect([first.count, second.count]).toEqual([2, 1]);
    const sent = [first.send(), second.send(), producer.send([{ ...at(1), key: 'd' }])];
    expect(first.count).toBe(0);
    await first.add({ ...at(1), key: 'e' });
    await Promise.all(sent);
    await first.send();
    const keys = sends.map((records) => records.map(({ key }) => key?.toString()));
    expect(keys).toEqual([['a', 'b', 'c'], ['d'], ['e']]);
    await producer.disconnect();
    await expect(second.send()).rejects.toThrow('disconnected');
  });

  it('asks the registry again for what is collected after a send, and collects nothing with an unknown schema', async () => {
    const { connect, sends } = senderOf();
    const answers = [1, 2];
    const changing = { idOf: () => Promise.resolve(answers.shift() ?? 3) } as Partial<Registry> as Registry;
    const collector = producerOver(connect, changing).collector();
    for (let round = 0; round < 2; round += 1) {
      await collector.add(at(1));
      await collector.send();
    }
    expect(sends.flat().map(({ schemaId }) => schemaId)).toEqual([1, 2]);
    const refused = producerOver(connect, registry).collector();
    await expect(refused.add({ ...at(0), topic: 'dead.letters', type: 'DeadLetter' })).rejects.toThrow('registered');
    expect(refused.count).toBe(0);
  });
});
