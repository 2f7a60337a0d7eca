import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { sha256Hex } from '../../contracts/codec.ts';
import type { ContextSignal } from '../../contracts/generated/events.ts';
import {
  parseContextConfiguration,
  type ContextConfiguration,
  type FeedConfiguration,
} from './context-configuration.ts';
import { ITEMS_MAX, readFeed } from './feed.ts';
import { roundOf, type FeedRound } from './feed-round.ts';
import { LEXICON, toneOf } from './lexicon.ts';
import { publishedUsOf } from './published-time.ts';

/** 2025-03-26T10:00:00Z. */
const PUBLISHED_US = 1_742_983_200_000_000;
const RECEIVED_US = PUBLISHED_US + 60_000_000;
const HOUR_US = 3_600_000_000;
const RSS_TIME = 'Wed, 26 Mar 2025 10:00:00 GMT';

function configured(feed: object = {}): { feed: FeedConfiguration; instruments: ContextConfiguration['instruments'] } {
  const parsed = parseContextConfiguration({
    feeds: [{ name: 'wire', from: 'wire.xml', ...feed }],
    instruments: {
      'BTC-USDT@binance': { keywords: ['bitcoin', 'BTC'] },
      'ETH-USDT@binance': { keywords: ['ether'] },
    },
  });
  if (typeof parsed === 'string') throw new Error(parsed);
  return { feed: parsed.feeds[0]!, instruments: parsed.instruments };
}

function readOnce(text: string, feed: object = {}): FeedRound {
  const { feed: settings, instruments } = configured(feed);
  const round = roundOf(text, settings, instruments, 'ingest-context', RECEIVED_US);
  if (typeof round === 'string') throw new Error(round);
  return round;
}

const rss = (...items: readonly string[]): string =>
  `<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title><link>https://wire.example</link><description>-</description>${items.join('')}</channel></rss>`;
const item = (title: string, rest = `<pubDate>${RSS_TIME}</pubDate>`): string =>
  `<item><title>${title}</title><link>https://wire.example/1</link><guid>g1</guid>${rest}</item>`;

describe('the lexicon', () => {
  it('is the version that signals name', () => {
    const [name = '', version = ''] = LEXICON.split('@');
    expect(packageJson.dependencies).toHaveProperty(name, version);
  });

  it.each([
    ['Bitcoin surges on good news', 1],
    ['Bitcoin crashes: fraud, losses and panic', -1],
    ['The meeting is at noon', 0],
    ['constructor __proto__ toString', 0],
    ['', 0],
  ])('finds the direction of %j', (text, sign) => {
    const { value, confidence, valued } = toneOf(text);
    expect(Math.sign(value)).toBe(sign);
    expect(Math.abs(value)).toBeLessThanOrEqual(1);
    expect(confidence).toBe(valued === 0 ? 0 : Math.round((valued / (valued + 3)) * 1e6) / 1e6);
  });

  it('takes a phrase before its words', () => {
    expect(toneOf('damn good').value).toBeGreaterThan(toneOf('damn, and then a good one').value);
  });
});

describe('publishedUsOf', () => {
  it.each([
    [RSS_TIME, PUBLISHED_US],
    ['26 Mar 2025 11:00 +0100', PUBLISHED_US],
    ['Wed, 26 Mar 2025 06:00:00 EDT', PUBLISHED_US],
    ['2025-03-26T10:00:00Z', PUBLISHED_US],
    ['2025-03-26T11:00:00.000+01:00', PUBLISHED_US],
    ['2025-03-26T10:00:00', undefined],
    ['2025-03-26', undefined],
    ['Wed, 26 Mar 2025 10:00:00', undefined],
    ['2025-13-26T10:00:00Z', undefined],
    ['2025-03-26 10:00Z', PUBLISHED_US],
    ['2025-02-30T10:00:00Z', undefined],
    ['2025-03-26T24:00:00Z', undefined],
    ['2025-03-26T10:00:00+15:00', undefined],
    ['31 Apr 2025 10:00 GMT', undefined],
    ['26 Mar 2025 10:61 GMT', undefined],
    ['26 Mar 2025 10:00 +9900', undefined],
    ['26 Foo 2025 10:00 GMT', undefined],
    ['yesterday', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %j', (text, expected) => {
    expect(publishedUsOf(text)).toBe(expected);
  });
});

describe('a feed of news', () => {
  const expected: Partial<ContextSignal> = {
    ...{ kind: 'NEWS_SENTIMENT', source: `feed:wire+${LEXICON}`, instrument: 'BTC-USDT@binance' },
    ...{ eventTime: PUBLISHED_US, validFrom: PUBLISHED_US, validUntil: PUBLISHED_US + 4 * HOUR_US },
    ...{ link: 'https://wire.example/1', causes: [], receivedAt: RECEIVED_US },
  };

  it('gives a signal with the hash of the scored text, and its link', () => {
    const description = '<description><![CDATA[<p>A <b>great</b> gain</p>]]></description>';
    const { signals, items } = readOnce(
      rss(item('Bitcoin surges &amp; soars', `${description}<pubDate>${RSS_TIME}</pubDate>`)),
    );
    expect(items).toBe(1);
    expect(signals).toEqual([expect.objectContaining(expected)]);
    expect(signals[0]?.textHash).toBe(sha256Hex('Bitcoin surges & soars\nA great gain'));
    expect(signals[0]?.value).toBeGreaterThan(0);
  });

  it.each([
    [
      'Atom',
      `<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><id>i</id><updated>2025-03-26T10:00:00Z</updated><entry><title type="html">Bitcoin &lt;b&gt;gains&lt;/b&gt;</title><id>e1</id><link href="https://wire.example/1"/><updated>2025-03-26T10:00:00Z</updated></entry></feed>`,
    ],
    [
      'JSON',
      JSON.stringify({
        version: 'https://jsonfeed.org/version/1.1',
        title: 'J',
        items: [
          { id: '1', url: 'https://wire.example/1', title: 'Bitcoin gains', date_published: '2025-03-26T10:00:00Z' },
        ],
      }),
    ],
    [
      'RDF',
      `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="c"><title>R</title><link>https://wire.example</link><description>-</description></channel><item rdf:about="i"><title>Bitcoin gains</title><link>https://wire.example/1</link><dc:date>2025-03-26T10:00:00Z</dc:date></item></rdf:RDF>`,
    ],
  ])('may be %s', (_name, text) => {
    expect(readOnce(text).signals).toEqual([expect.objectContaining(expected)]);
  });

  it('names every instrument whose keyword is in it as a whole word, and none otherwise', () => {
    const instrumentsOf = (title: string) => readOnce(rss(item(title))).signals.map(({ instrument }) => instrument);
    expect(instrumentsOf('Bitcoin and ETHER gain')).toEqual(['BTC-USDT@binance', 'ETH-USDT@binance']);
    expect(instrumentsOf('Tether gains')).toEqual([]);
    expect(readOnce(rss(item('Tether gains'))).passedOver['no-instrument']).toBe(1);
    expect(readOnce(rss(item('Bitcoin')), {}).passedOver['no-tone']).toBe(1);
  });

  it('may be about the whole market, and the economy', () => {
    const { signals } = readOnce(rss(item('Unemployment falls: good news')), {
      about: 'MARKET',
      kind: 'ECONOMIC_SENTIMENT',
    });
    expect(signals).toEqual([expect.objectContaining({ instrument: null, kind: 'ECONOMIC_SENTIMENT' })]);
  });

  it('gives the same identity whenever it is read, and another for another text', () => {
    const idOf = (title: string) => readOnce(rss(item(title))).signals[0]?.signalId;
    expect(idOf('Bitcoin gains')).toBe(idOf('Bitcoin gains'));
    expect(idOf('Bitcoin gains')).not.toBe(idOf('Bitcoin gains more'));
  });

  it('keeps passwords and scripts of links off the tape', () => {
    const linkOf = (link: string) =>
      readOnce(rss(`<item><title>Bitcoin gains</title><link>${link}</link><pubDate>${RSS_TIME}</pubDate></item>`))
        .signals[0]?.link;
    expect(linkOf('https://me:canary@wire.example/1')).toBe('https://wire.example/1');
    expect(linkOf('javascript:alert(1)')).toBeNull();
    expect(linkOf('https://wire.example/ü b')).toBe('https://wire.example/%C3%BC%20b');
    expect(linkOf(`https://wire.example/${'x'.repeat(3_000)}`)).toBeNull();
  });

  it.each([
    ['without a time', item('Bitcoin gains', ''), 'MALFORMED', 'when it was published'],
    [
      'with a time without a zone',
      item('Bitcoin gains', '<pubDate>2025-03-26T10:00:00</pubDate>'),
      'MALFORMED',
      'zone',
    ],
    ['without a text', '<item><guid>g</guid><link>https://x.example</link></item>', 'MALFORMED', 'no text'],
    ['of the future', item('Bitcoin gains', '<pubDate>Wed, 26 Mar 2025 11:00:00 GMT</pubDate>'), 'CLOCK_LEAD', 'after'],
    [
      'of long ago',
      item('Bitcoin gains', '<pubDate>Wed, 26 Mar 2008 11:00:00 GMT</pubDate>'),
      'TIME_OUT_OF_BOUNDS',
      '2009',
    ],
  ])('makes an item %s a dead letter, and reads the others', (_name, wrong, reason, words) => {
    const round = readOnce(rss(wrong, item('Bitcoin gains')));
    expect(round.signals).toHaveLength(1);
    expect(round.deadLetters).toHaveLength(1);
    expect(round.deadLetters[0]).toMatchObject({
      ...{ reader: 'ingest-context', reason, source: { kind: 'FILE', name: 'feed:wire', position: 1 } },
    });
    expect(round.deadLetters[0]?.detail).toContain(words);
    expect(readOnce(rss(wrong)).deadLetters[0]?.deadLetterId).toBe(round.deadLetters[0]?.deadLetterId);
  });

  it('is read up to a bound', () => {
    const round = readOnce(rss(...Array.from({ length: ITEMS_MAX + 7 }, (_, index) => item(`Bitcoin gains ${index}`))));
    expect([round.items, round.notRead, round.signals.length]).toEqual([ITEMS_MAX, 7, ITEMS_MAX]);
  });

  const laughs = Array.from({ length: 9 }, (_, level) => `<!ENTITY l${level + 1} "${`&l${level};`.repeat(10)}">`).join(
    '',
  );
  it.each([
    ['HTML', '<html><body>404</body></html>', 'not a readable'],
    ['nothing', '', 'not a readable'],
    ['cut', '<rss version="2.0"><channel><item>', 'not a readable'],
    ['other JSON', '{"a":1}', 'not a readable'],
    [
      'one with an external entity',
      `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>${rss(item('&x;'))}`,
      'document type',
    ],
    ['one whose entities multiply', `<!DOCTYPE r [<!ENTITY l0 "ha">${laughs}]>${rss(item('&l9;'))}`, 'document type'],
    ['one with its definition in disguise', `<?xml version="1.0"?><! doctype r>${rss()}`, 'document type'],
  ])('is refused as a whole if it is %s', (_name, text, words) => {
    expect(readFeed(text)).toEqual(expect.stringContaining(words));
  });
});

describe('a calendar', () => {
  const feed = { kind: 'CALENDAR_EVENT', about: 'MARKET' };
  const zone =
    'BEGIN:VTIMEZONE\r\nTZID:America/New_York\r\nBEGIN:DAYLIGHT\r\nDTSTART:20250309T020000\r\nTZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n';
  const ics = (...lines: readonly string[]) =>
    `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n${zone}BEGIN:VEVENT\r\nUID:1\r\n${lines.map((line) => `${line}\r\n`).join('')}END:VEVENT\r\nEND:VCALENDAR\r\n`;
  const json = (event: object) => JSON.stringify({ events: [{ title: 'CPI', ...event }] });
  const due = PUBLISHED_US + HOUR_US;
  const expected = {
    ...{ kind: 'CALENDAR_EVENT', source: 'calendar:wire', instrument: null, value: 0 },
    ...{ validFrom: due - HOUR_US / 2, validUntil: due + HOUR_US / 2, textHash: sha256Hex('CPI') },
  };

  it.each([
    ['iCalendar in UTC', ics('DTSTART:20250326T110000Z', 'SUMMARY:CPI', 'PRIORITY:1'), 1],
    ['iCalendar in a zone', ics('DTSTART;TZID=America/New_York:20250326T070000', 'SUMMARY:CPI', 'PRIORITY:9'), 1 / 9],
    ['iCalendar without a priority', ics('DTSTART:20250326T110000Z', 'SUMMARY:CPI'), 0.5],
    ['JSON', json({ time: '2025-03-26T11:00:00Z', importance: 0.9 }), 0.9],
  ])('may be %s', (_name, text, confidence) => {
    expect(readOnce(text, feed).signals).toEqual([expect.objectContaining({ ...expected, confidence })]);
  });

  it('was known when its calendar says, and in force not before that', () => {
    const text = ics('DTSTAMP:20250326T094500Z', 'DTSTART:20250326T110000Z', 'SUMMARY:CPI');
    expect(readOnce(text, { ...feed, beforeMs: 7_200_000 }).signals[0]).toMatchObject({
      eventTime: PUBLISHED_US - HOUR_US / 4,
      validFrom: PUBLISHED_US - HOUR_US / 4,
    });
  });

  it('keeps far events for later', () => {
    const round = readOnce(json({ time: '2025-04-26T11:00:00Z' }), feed);
    expect([round.signals.length, round.passedOver['too-far-ahead']]).toEqual([0, 1]);
  });

  it('may concern some instruments', () => {
    const text = json({ title: 'Bitcoin halving', time: '2025-03-26T11:00:00Z' });
    expect(readOnce(text, { kind: 'CALENDAR_EVENT' }).signals.map(({ instrument }) => instrument)).toEqual([
      'BTC-USDT@binance',
    ]);
  });

  it.each([
    ['floating', ics('DTSTART:20250326T110000', 'SUMMARY:CPI'), 'without a time zone'],
    ['in an unknown zone', ics('DTSTART;TZID=Mars/Base:20250326T110000', 'SUMMARY:CPI'), 'without a time zone'],
    ['a whole day', ics('DTSTART;VALUE=DATE:20250326', 'SUMMARY:CPI'), 'whole day'],
    ['recurring', ics('DTSTART:20250326T110000Z', 'SUMMARY:CPI', 'RRULE:FREQ=DAILY'), 'recurs'],
    ['without a beginning', ics('SUMMARY:CPI'), 'no beginning'],
    ['of a broken beginning', ics('DTSTART:nonsense', 'SUMMARY:CPI'), 'cannot be read'],
    ['on a day that does not exist', ics('DTSTART:20250230T110000Z', 'SUMMARY:CPI'), 'does not exist'],
    ['at an hour that does not exist', ics('DTSTART:20250326T250000Z', 'SUMMARY:CPI'), 'does not exist'],
    ['without a title', ics('DTSTART:20250326T110000Z'), 'no title'],
    ['over', json({ time: '2025-03-26T01:00:00Z' }), 'over before it was known'],
    ['at no time', json({ time: 'noon' }), 'no time with a time zone'],
    ['announced at no time', json({ time: '2025-03-26T11:00:00Z', announcedAt: 'noon' }), 'of its announcement'],
  ])('makes an event that is %s a dead letter', (_name, text, words) => {
    const round = readOnce(text, feed);
    expect(round.signals).toEqual([]);
    expect(round.deadLetters[0]?.detail).toContain(words);
  });

  it.each([
    ['text', 'hello', 'neither iCalendar nor JSON'],
    ['cut', 'BEGIN:VCALENDAR', 'not a readable iCalendar'],
    ['other JSON', '[]', 'not that of a calendar'],
    ['of an importance above 1', json({ time: '2025-03-26T11:00:00Z', importance: 2 }), 'events.0.importance'],
  ])('is refused as a whole if it is %s', (_name, text, words) => {
    expect(() => readOnce(text, feed)).toThrow(words);
  });
});

describe('the configuration of context', () => {
  it('has a default for everything', () => {
    expect(parseContextConfiguration({})).toMatchObject({ feeds: [], instruments: {}, pollMs: 60_000 });
    expect(parseContextConfiguration(null)).toMatchObject({ feeds: [] });
  });

  it.each<[string, object | string, string]>([
    ['an unknown key', { feed: [] }, 'unknown key "feed"'],
    ['no mapping', 'feeds', 'not a mapping'],
    [
      'a password in an address',
      { feeds: [{ name: 'a', from: 'https://me:canary@x.example' }] },
      'authorizationVariable',
    ],
    ['another protocol', { feeds: [{ name: 'a', from: 'ftp://x.example' }] }, 'http or https'],
    ['a broken address', { feeds: [{ name: 'a', from: 'https://' }] }, 'not a valid URL'],
    [
      'a name twice',
      {
        feeds: [
          { name: 'a', from: 'x' },
          { name: 'a', from: 'y' },
        ],
      },
      'a name twice',
    ],
    ['an unknown kind', { feeds: [{ name: 'a', from: 'x', kind: 'RUMOUR' }] }, 'feeds.0.kind'],
    ['a malformed instrument', { instruments: { btc: {} } }, 'instruments.btc'],
    ['a window that is no multiple', { sectors: { windowMs: 90_000, everyMs: 60_000 } }, 'multiple of everyMs'],
    ['an endless validity', { feeds: [{ name: 'a', from: 'x', validForMs: 1e15 }] }, 'validForMs'],
  ])('refuses %s', (_name, raw, words) => {
    const sentence = parseContextConfiguration(raw);
    expect(sentence).toEqual(expect.stringContaining(words));
    expect(sentence).not.toContain('canary');
  });
});
