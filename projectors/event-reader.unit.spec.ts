import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody, FINGERPRINTS, frame } from '../contracts/codec.ts';
import { anyEvent } from '../contracts/fixtures/any-event.ts';
import type { Outcome } from '../contracts/generated/events.ts';
import { NO_HEADERS, type LogRecord } from '../platform/kafka/log-record.ts';
import type { RegisteredSchema } from '../platform/kafka/registry.ts';
import { createEventReader } from './event-reader.adapter.ts';
import { postgresHistory } from './postgres-history/projector.ts';

const PARTITION = 3;
const [sample] = fc.sample(
  anyEvent('Outcome').filter(({ referencePrice }) => referencePrice.isPositive()),
  { numRuns: 1, seed: 7 },
);
if (sample === undefined) throw new Error('no sample');
const outcome: Outcome = {
  ...sample,
  ...{
    tape: { partition: PARTITION, offset: 9 },
    sequence: 4,
    observedPrice: null,
    movePoints: null,
    minMovePoints: null,
  },
};

function read(event: Outcome, schema: Partial<RegisteredSchema> = {}) {
  const body = encodeBody('Outcome', event);
  const registered: RegisteredSchema = {
    ...{ id: 1, name: 'Outcome', fingerprint: FINGERPRINTS.Outcome },
    read: (bytes, start) => decodeBody('Outcome', bytes.subarray(start)),
    ...schema,
  };
  const record: LogRecord = {
    ...{ topic: 'decision.outcomes', partition: PARTITION, offset: 11, key: null, headers: NO_HEADERS, timestampMs: 0 },
    value: frame(1, body),
  };
  const found = createEventReader({ schemaOf: () => registered }, postgresHistory, 6)(record);
  if (found instanceof Promise) throw new Error('its schema is known');
  return found;
}

describe('the event reader of a projector that copies fields', () => {
  it('finds the sequence and the place without decoding, and decodes when asked', () => {
    let decodings = 0;
    const found = read(outcome, {
      read: (bytes, start) => {
        decodings += 1;
        return decodeBody('Outcome', bytes.subarray(start));
      },
    });
    expect(found).toMatchObject({ kind: 'event', sequence: 4 });
    if (found.kind !== 'event') throw new Error('an event');
    expect([found.source.offset, found.source.partition, found.source.partitions]).toEqual([11, PARTITION, 6]);
    expect(decodings).toBe(0);
    expect(found.source.plainBody?.equals(encodeBody('Outcome', outcome))).toBe(true);
    const decoded = decodeBody('Outcome', encodeBody('Outcome', outcome));
    expect(found.source.event).toEqual(decoded);
    expect(found.source.event).toEqual(decoded);
    expect(decodings).toBe(1);
  });

  it('decodes what another version wrote: its fields are elsewhere', () => {
    const found = read(outcome, { fingerprint: 'of another version' });
    expect(found).toMatchObject({ kind: 'event', sequence: 4 });
    expect(found.kind === 'event' && found.source.plainBody).toBeUndefined();
  });

  it('refuses the same events whether or not their fields can be found', () => {
    for (const fingerprint of [FINGERPRINTS.Outcome, 'of another version']) {
      expect(read({ ...outcome, sequence: -1 }, { fingerprint })).toMatchObject({
        kind: 'dead',
        letter: { reason: 'MALFORMED', detail: 'its sequence is negative' },
      });
      expect(read({ ...outcome, tape: { partition: 2, offset: 9 } }, { fingerprint })).toMatchObject({
        kind: 'dead',
        letter: { reason: 'WRONG_PARTITION', detail: 'its cause is in partition 2 of the tape' },
      });
    }
  });
});
