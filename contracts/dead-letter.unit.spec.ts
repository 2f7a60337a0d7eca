import { describe, expect, it } from 'vitest';
import { decodeBody, sha256Hex } from './codec.ts';
import {
  DEAD_LETTER_PAYLOAD_BYTES_MAX,
  deadLetterOfMessage,
  deadLetterOfRecord,
  deadLetterOfRow,
  deadLetterPayloadOf,
  originOf,
  recordOfDeadLetter,
} from './dead-letter.ts';

const bytes = Buffer.from('nonsense');
const hash = sha256Hex(bytes);
const refusal = { reason: 'MALFORMED', detail: 'why' } as const;

const ofTopic = deadLetterOfRecord('engine', { topic: 'raw.trades', partition: 3, offset: 7 }, bytes, refusal);
const ofFile = deadLetterOfRow(
  'ingest-file',
  { file: 'file:feedfacecafebeef', line: 5, ordinal: 2 },
  deadLetterPayloadOf(bytes),
  refusal,
);
const ofVenue = deadLetterOfMessage('ingest-live', { venue: 'binance', receivedAt: 42 }, bytes, refusal);

describe('a dead letter', () => {
  it.each([
    ['TOPIC', ofTopic, 'dead-engine-raw.trades-3-7', { name: 'raw.trades', partition: 3, position: 7 }],
    ['FILE', ofFile, `dead-ingest-file-${hash.slice(0, 16)}-2`, { name: 'file:feedfacecafebeef', position: 5 }],
    ['VENUE', ofVenue, `dead-ingest-live-binance-42-${hash.slice(0, 16)}`, { name: 'live:binance', position: 42 }],
  ])('of a %s says where it came from, also when it was stored', (origin, letter, deadLetterId, source) => {
    const stored = decodeBody('DeadLetter', recordOfDeadLetter(letter).body);
    expect(stored).toMatchObject({ deadLetterId, source, ...refusal, payloadHash: hash, payloadBytes: bytes.length });
    expect([originOf(letter.source), originOf(stored.source)]).toEqual([origin, origin]);
  });

  it('keeps the beginning of what was refused, and length and hash of all', () => {
    const long = Buffer.alloc(DEAD_LETTER_PAYLOAD_BYTES_MAX + 1);
    const { payload, payloadBytes, payloadHash } = deadLetterPayloadOf(long);
    expect([payload.length, payloadBytes, payloadHash]).toEqual([long.length - 1, long.length, sha256Hex(long)]);
    const whole = { length: 1_000_000, hash };
    expect(deadLetterPayloadOf(bytes, whole)).toMatchObject({ payloadBytes: 1_000_000, payloadHash: hash });
  });
});
