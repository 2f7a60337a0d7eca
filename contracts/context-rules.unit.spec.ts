import { describe, expect, it } from 'vitest';
import { SIGNAL_CAUSES_MAX, refusalOfSignal, VALIDITY_US_MAX } from './context-rules.ts';
import type { ContextSignal } from './generated/events.ts';

const NOW_US = 1_742_943_600_000_000;

const signal = (changes: Partial<ContextSignal> = {}): ContextSignal => ({
  ...{ signalId: 'a', kind: 'NEWS_SENTIMENT', source: 'news:test', instrument: 'BTC-USDT@binance' },
  ...{ eventTime: NOW_US, value: 0.5, confidence: 0.5, validFrom: NOW_US, validUntil: NOW_US + 1 },
  ...{ textHash: 'ab'.repeat(32), link: 'https://news.example/1', causes: ['snapshot-3-10411-0'], receivedAt: NOW_US },
  ...changes,
});

describe('refusalOfSignal', () => {
  it.each<[string, Partial<ContextSignal>]>([
    ['about an instrument, from a text', {}],
    ['about the whole market', { instrument: null }],
    ['from no text', { textHash: null, link: null, causes: [] }],
    ['at the bounds', { value: -1, confidence: 0, validUntil: NOW_US + VALIDITY_US_MAX }],
    ['at the other bounds', { value: 1, confidence: 1 }],
    ['received at an unknown time', { receivedAt: 0 }],
    ['valid later', { validFrom: NOW_US + 5, validUntil: NOW_US + 6 }],
  ])('accepts one %s', (_name, changes) => {
    expect(refusalOfSignal(signal(changes))).toBeUndefined();
  });

  it.each<[string, Partial<ContextSignal>, string, string]>([
    ['without an id', { signalId: '' }, 'MALFORMED', 'id must have'],
    ['with a space in its id', { signalId: 'a b' }, 'MALFORMED', 'id must have'],
    ['of an unknown kind', { kind: 'RUMOUR' }, 'MALFORMED', 'kind must be one of NEWS_SENTIMENT'],
    ['without a source', { source: '' }, 'MALFORMED', 'source must have'],
    ['with a long source', { source: 'x'.repeat(129) }, 'MALFORMED', 'source must have'],
    ['above 1', { value: 1.0000001 }, 'MALFORMED', 'outside -1 to 1'],
    ['below -1', { value: -2 }, 'MALFORMED', 'outside -1 to 1'],
    ['that has no value', { value: Number.NaN }, 'MALFORMED', 'outside -1 to 1'],
    ['more than certain', { confidence: 1.5 }, 'MALFORMED', 'outside 0 to 1'],
    ['of negative confidence', { confidence: -0.1 }, 'MALFORMED', 'outside 0 to 1'],
    ['of no confidence', { confidence: Number.NaN }, 'MALFORMED', 'outside 0 to 1'],
    ['with half a hash', { textHash: 'ab' }, 'MALFORMED', 'textHash'],
    ['with a hash in capitals', { textHash: 'AB'.repeat(32) }, 'MALFORMED', 'textHash'],
    ['with a line break in its link', { link: 'https://a\nb' }, 'MALFORMED', 'link'],
    ['with too many causes', { causes: Array(SIGNAL_CAUSES_MAX + 1).fill('snapshot-0-1-0') }, 'MALFORMED', 'causes'],
    ['with a cause in words', { causes: ['yesterday'] }, 'MALFORMED', 'causes'],
    ['about a malformed instrument', { instrument: 'btc' }, 'INSTRUMENT_MALFORMED', 'btc'],
    ['stamped in the future', { eventTime: NOW_US + 10_000_001 }, 'CLOCK_LEAD', 'after the receipt'],
    ['stamped in the wrong unit', { eventTime: 1_742_943_600 }, 'TIME_OUT_OF_BOUNDS', 'microseconds'],
    ['valid before it was known', { validFrom: NOW_US - 1 }, 'MALFORMED', 'before it was known'],
    ['that is over before it begins', { validUntil: NOW_US }, 'MALFORMED', 'the end must be after'],
    ['valid for ever', { validUntil: NOW_US + VALIDITY_US_MAX + 1 }, 'MALFORMED', 'the end must be after'],
  ])('refuses one %s', (_name, changes, reason, words) => {
    const refusal = refusalOfSignal(signal(changes));
    expect(refusal?.reason).toBe(reason);
    expect(refusal?.detail).toContain(words);
  });
});
