import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, encodeBody } from '../contracts/codec.ts';
import type { Trade } from '../contracts/generated/events.ts';
import { isInstrument, refusalOf } from '../contracts/trade-rules.ts';
import { VENUES } from './venues/catalogue.ts';
import {
  isAmendment,
  isRefusedTrade,
  isTrades,
  isUnreadable,
  liveSourceOf,
  type PageError,
  type Parsed,
  type Venue,
  type VenueAmendment,
  type VenueNotice,
} from './venue.ts';

const RECEIVED_AT = 1_790_000_000_000_000;
const PERIOD = { sinceUs: RECEIVED_AT - 60_000_000, untilUs: RECEIVED_AT };

type AnyAnswer = Parsed | VenueNotice | PageError;

/** The obligations of every venue; each one in the catalogue is tested automatically. */
function venueSuite(venue: Venue): void {
  const { examples, stream, history, limits } = venue;
  const frame = (text: string): Parsed | VenueNotice => stream.parseFrame(text, RECEIVED_AT);
  const page = (text: string): Parsed | PageError => history.parsePage(text, examples.symbol, RECEIVED_AT + 1);
  const only = (parsed: AnyAnswer): Trade => {
    if (!isTrades(parsed) || parsed.length !== 1) expect.fail(JSON.stringify(parsed));
    const [item] = parsed;
    if (item === undefined || isRefusedTrade(item) || isAmendment(item)) expect.fail(JSON.stringify(item));
    return item;
  };
  const expectValidAmendment = ({ instrument, tradeId, stated, corrected, window, text }: VenueAmendment): void => {
    expect(isInstrument(instrument)).toBe(true);
    for (const { price, size } of [stated, corrected ?? stated]) {
      expect([price.isPositive(), size.isPositive()]).toEqual([true, true]);
    }
    expect(window.fromUs).toBeLessThan(window.toUs);
    expect([tradeId, text]).not.toContain('');
  };
  const expectValid = (parsed: AnyAnswer): void => {
    if (!isTrades(parsed)) return;
    for (const item of parsed) {
      if (isRefusedTrade(item)) {
        expect(item.refusal.detail).not.toBe('');
        if (venue.tradeIds === 'DENSE' && item.tradeId !== undefined)
          expect(Number(item.tradeId)).toSatisfy(Number.isSafeInteger);
        continue;
      }
      if (isAmendment(item)) {
        expectValidAmendment(item);
        continue;
      }
      expect(refusalOf(item)).toBeUndefined();
      expect(item.source).toBe(liveSourceOf(venue.name));
      expect(item.venue).toBe(venue.name);
      if (venue.tradeIds === 'DENSE') expect(item.tradeId).toMatch(/^(0|[1-9]\d{0,15})$/);
    }
  };

  it('has a name and a description', () => {
    expect(venue.name).toMatch(/^[a-z0-9][a-z0-9._-]*$/);
    expect(venue.description).not.toBe('');
  });

  it('states what its trades are, as its example has them', () => {
    const { facts } = venue;
    const { side, eventTime } = only(frame(examples.frame));
    expect(side === 'UNKNOWN').toBe(facts.side === 'NONE');
    const unitUs = { s: 1_000_000, ms: 1_000, us: 1, ns: 1 }[facts.timeResolution];
    expect(eventTime % unitUs).toBe(0);
    const place = { firstTradeId: 4_711, afterTimeUs: RECEIVED_AT };
    const servesAll = history.from(examples.symbol, place, 1) !== undefined || history.since !== undefined;
    expect(servesAll).toBe(facts.backfill === 'ALL');
    if (history.since !== undefined) expect(venue.tradeIds).toBe('OPAQUE');
  });

  it('reports in its own words what a venue says of its connection', () => {
    for (const { text, notice } of examples.notices ?? []) {
      const parsed = frame(text);
      if (!('notice' in parsed)) expect.fail(JSON.stringify(parsed));
      expect(parsed.notice).toBe(notice);
      expect(parsed.detail).not.toMatch(/undefined|\[object/);
    }
    for (const { text, pageError } of examples.pageErrors ?? []) {
      const parsed = page(text);
      if (!('pageError' in parsed)) expect.fail(JSON.stringify(parsed));
      expect(parsed.pageError).toBe(pageError);
      expect(parsed.detail).not.toMatch(/undefined|\[object/);
    }
  });

  it('reads an amendment as such, and nothing worse from a damaged one', () => {
    for (const { text, amends } of examples.amendments ?? []) {
      const parsed = frame(text);
      if (!isTrades(parsed) || parsed.length !== 1) expect.fail(JSON.stringify(parsed));
      const [item] = parsed;
      if (item === undefined || isRefusedTrade(item) || !isAmendment(item)) expect.fail(JSON.stringify(item));
      expect([item.amends, item.corrected === undefined, item.origin]).toEqual([amends, amends === 'CANCEL', 'STREAM']);
      for (let length = 0; length < text.length; length += 1) expectValid(frame(text.slice(0, length)));
      const damaged = fc
        .tuple(fc.nat(text.length), fc.nat(12), fc.constantFrom('', '"', '-1', '0', 'null', '1e-9', '0.1234567890123'))
        .map(([at, cut, patch]) => text.slice(0, at) + patch + text.slice(at + cut));
      fc.assert(
        fc.property(damaged, (each) => {
          expectValid(frame(each));
        }),
      );
    }
  });

  it('names its instruments by symbols that lead back to them', () => {
    const instrument = venue.instrumentOf(examples.symbol) ?? '';
    expect(isInstrument(instrument)).toBe(true);
    expect(instrument.endsWith(`@${venue.name}`)).toBe(true);
    expect(venue.symbolOf(instrument)).toBe(examples.symbol);
    for (const name of ['', '@', `@${venue.name}`, '__proto__', 'BTC-USDT@elsewhere', `A-B-C@${venue.name}`]) {
      expect(venue.symbolOf(name)).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.stringMatching(/^([A-Z0-9._-]|~6B|~E5~B8~81){1,8}(-[A-Z0-9]{1,8})?$/), (name) => {
        const symbol = venue.symbolOf(`${name}@${venue.name}`);
        if (symbol !== undefined) expect(venue.instrumentOf(symbol)).toBe(`${name}@${venue.name}`);
      }),
    );
    const ends = fc.constantFrom('', '-', examples.symbol, examples.symbol.slice(-4), '币', 'k', '\ud800');
    fc.assert(
      fc.property(fc.tuple(ends, fc.string({ unit: 'binary', maxLength: 6 }), ends), (parts) => {
        const symbol = parts.join('');
        const name = venue.instrumentOf(symbol);
        if (name === undefined) return;
        expect(isInstrument(name)).toBe(true);
        expect(venue.symbolOf(name)).toBe(symbol);
      }),
    );
  });

  it('reads its example frame and its example page as the same trade, except for the receipt', () => {
    const fromStream = only(frame(examples.frame));
    const fromHistory = only(page(examples.page));
    expect(fromStream).toStrictEqual({ ...fromHistory, receivedAt: RECEIVED_AT });
    expect(fromHistory.receivedAt).toBe(RECEIVED_AT + 1);
    expect(fromStream.instrument).toBe(venue.instrumentOf(examples.symbol));
    expectValid([fromStream]);
    expect(decodeBody('Trade', encodeBody('Trade', fromStream))).toEqual(fromStream);
  });

  it('recognises frames without a trade that are not errors', () => {
    for (const text of examples.otherFrames) expect(frame(text)).toEqual([]);
  });

  it('reads an empty page as such, and anything that is not a page as unreadable', () => {
    for (const text of ['', 'null', '<html>', '"', '{"code":-1,"msg":"no"}']) {
      expect(isTrades(page(text))).toBe(false);
      expect(history.pageTokenOf?.(text)).toBeUndefined();
    }
  });

  it('reads no trade from a frame or page truncated anywhere', () => {
    for (let length = 0; length < examples.frame.length; length += 1)
      expectValid(frame(examples.frame.slice(0, length)));
    for (let length = 0; length < examples.page.length; length += 1) {
      expect(isUnreadable(page(examples.page.slice(0, length)))).toBe(true);
    }
  });

  it('never throws, and returns no trade that breaks a rule, whatever a damaged message contains', () => {
    const patch = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('', '"', ',', '{', '}', '[', ']', '\0', '-1', '0', 'NaN', 'null', '1e308', '1e-9', '-', '.5'),
      fc.constantFrom('"__proto__":{},', '[[[[', '99999999999999999999', '0.1234567890123', '٣', ' 1', 'true'),
    );
    for (const [example, parse] of [
      [examples.frame, frame],
      [examples.page, page],
    ] as const) {
      const damaged = fc
        .tuple(fc.nat(example.length), fc.nat(12), patch)
        .map(([at, cut, text]) => example.slice(0, at) + text + example.slice(at + cut));
      fc.assert(
        fc.property(damaged, (text) => {
          expectValid(parse(text));
        }),
        { numRuns: 2_000 },
      );
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('survives nesting deeper than the stack', () => {
    const deep = '['.repeat(200_000);
    expect(isUnreadable(frame(deep))).toBe(true);
    expect(isUnreadable(page(deep))).toBe(true);
  });

  it('asks at addresses below its own, for no more than a page', () => {
    const symbols = [examples.symbol];
    const url = new URL(stream.url(venue.endpoints.webSocketUrl, symbols));
    expect(url.protocol).toBe('wss:');
    expect(url.href.startsWith(venue.endpoints.webSocketUrl)).toBe(true);
    const place = { firstTradeId: 4_711, afterTimeUs: RECEIVED_AT };
    for (const request of [
      history.newest(examples.symbol, 1),
      history.from(examples.symbol, place, history.pageTradesMax),
      history.since?.(examples.symbol, { ...PERIOD, pageToken: undefined }, history.pageTradesMax),
      history.since?.(examples.symbol, { ...PERIOD, pageToken: 'a&b=c' }, history.pageTradesMax),
    ]) {
      if (request === undefined) continue;
      expect(request.path).toMatch(/^\//);
      expect(new URL(venue.endpoints.restUrl + request.path).protocol).toBe('https:');
      expect(request.weight).toBeGreaterThan(0);
      expect(request.weight).toBeLessThan(limits.requestWeight.weight / 10);
    }
  });

  it('leaves room within its limits for the needs of every connection', () => {
    expect(limits.connections.count).toBeGreaterThanOrEqual(5);
    expect(limits.clientMessagesPerSecond).toBeGreaterThanOrEqual(2);
    expect(limits.connectionLifetimeMs).toBeGreaterThan(60_000);
    for (const message of stream.subscriptions([examples.symbol])) expect(message.length).toBeLessThan(65_536);
  });
}

describe.each(VENUES)('venue $name', venueSuite);

it('no two venues share a name', () => {
  expect(new Set(VENUES.map(({ name }) => name)).size).toBe(VENUES.length);
});
