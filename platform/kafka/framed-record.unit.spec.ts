import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody, FINGERPRINTS, frame, hashBody } from '../../contracts/codec.ts';
import type { Watermark, RecordName } from '../../contracts/generated/events.ts';
import { STATES_TOPIC, TAPE_TOPIC } from '../../contracts/topics.ts';
import { eventIn, Framed, framedIn } from './framed-record.ts';
import type { RegisteredSchema, Registry } from './registry.ts';

const watermark: Watermark = {
  venue: 'binance',
  instruments: ['BTC-USDT@binance'],
  eventTime: 1,
  receivedAt: 2,
  source: 'live:binance',
};
const body = encodeBody('Watermark', watermark);
const [WATERMARK, FOREIGN, UNKNOWN] = [7, 8, 9];

function schema(id: number, name: RecordName | undefined): RegisteredSchema {
  const read = (bytes: Buffer, start?: number) => decodeBody(name ?? 'Trade', bytes.subarray(start));
  return { id, name, fingerprint: FINGERPRINTS[name ?? 'Trade'], read };
}

const schemas = new Map([
  [WATERMARK, schema(WATERMARK, 'Watermark')],
  [FOREIGN, schema(FOREIGN, undefined)],
]);
const registry: Pick<Registry, 'schemaOf'> = { schemaOf: (id) => schemas.get(id) };

describe('framedIn', () => {
  it.each([
    ['a tombstone', TAPE_TOPIC, null, 'UNDECODABLE', 'it is not framed as the schema registry frames records'],
    [
      'bytes without a frame',
      TAPE_TOPIC,
      Buffer.from('none'),
      'UNDECODABLE',
      'it is not framed as the schema registry frames records',
    ],
    [
      'a schema that nobody knows',
      TAPE_TOPIC,
      frame(UNKNOWN, body),
      'UNKNOWN_SCHEMA',
      'the registry does not know its schema',
    ],
    ["somebody else's schema", TAPE_TOPIC, frame(FOREIGN, body), 'UNKNOWN_SCHEMA', 'its schema is none of Tapeproof'],
    [
      'a record of another topic',
      STATES_TOPIC,
      frame(WATERMARK, body),
      'MALFORMED',
      `a Watermark has no place in ${STATES_TOPIC}`,
    ],
  ])('says why %s does not belong into the topic', async (_, topic, value, reason, detail) => {
    expect(framedIn(registry, { topic, value })).toEqual({ reason, detail });
    expect(await eventIn(registry, { topic, value }, 'Watermark')).toBeUndefined();
  });

  it('has the event, its bytes and its hash', async () => {
    const record = { topic: TAPE_TOPIC, value: frame(WATERMARK, body) };
    const framed = framedIn(registry, record);
    if (!(framed instanceof Framed)) return expect.fail('it is not framed');
    expect(framed).toMatchObject({ name: 'Watermark', fingerprint: FINGERPRINTS.Watermark, body });
    expect(framed.hash).toEqual(hashBody('Watermark', body));
    expect([framed.read(), framed.as('Watermark'), framed.as('Trade')]).toEqual([watermark, watermark, undefined]);
    expect(await eventIn(registry, record, 'Watermark')).toEqual(watermark);
  });

  it('has no event where the bytes are not of the schema', () => {
    for (const damaged of [body.subarray(0, -1), Buffer.concat([body, Buffer.from([0])])]) {
      const framed = framedIn(registry, { topic: TAPE_TOPIC, value: frame(WATERMARK, damaged) });
      if (!(framed instanceof Framed)) return expect.fail('it is not framed');
      expect([framed.read(), framed.as('Watermark')]).toEqual([undefined, undefined]);
      expect(framed.unreadable).toEqual({ reason: 'UNDECODABLE', detail: 'its bytes are not a Watermark' });
    }
  });

  it('waits only where the registry must be asked first, and passes its outage on', async () => {
    const record = { topic: TAPE_TOPIC, value: frame(WATERMARK, body) };
    const asked = framedIn({ schemaOf: (id) => Promise.resolve(schemas.get(id)) }, record);
    expect(asked).toBeInstanceOf(Promise);
    expect(await asked).toBeInstanceOf(Framed);
    expect(framedIn(registry, record)).toBeInstanceOf(Framed);
    const outage = { schemaOf: () => Promise.reject(new Error('it is away')) };
    await expect(framedIn(outage, record)).rejects.toThrow('it is away');
  });
});
