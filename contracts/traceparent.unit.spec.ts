import { describe, expect, it } from 'vitest';
import { derivationOf, traceContextOf, traceHeaders, traceOfTrade } from './traceparent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const parsed = (traceparent: string) => traceContextOf({ traceparent });

describe('traceparent', () => {
  it('reads and writes the header of the W3C', () => {
    const context = { traceId: TRACE, spanId: SPAN, isSampled: true };
    expect(parsed(`00-${TRACE}-${SPAN}-01`)).toEqual(context);
    expect(traceHeaders(context)).toEqual({ traceparent: `00-${TRACE}-${SPAN}-01` });
    expect(parsed(`00-${TRACE}-${SPAN}-00`)?.isSampled).toBe(false);
    expect(traceHeaders({ ...context, isSampled: false })['traceparent']).toMatch(/-00$/);
    // Flag 2 says how the id was drawn, and nothing about sampling.
    expect(parsed(`00-${TRACE}-${SPAN}-03`)?.isSampled).toBe(true);
    expect(parsed(`00-${TRACE}-${SPAN}-02`)?.isSampled).toBe(false);
  });

  it('reads later versions, which may append fields', () => {
    expect(parsed(`cc-${TRACE}-${SPAN}-01-what-the-future-brings`)?.traceId).toBe(TRACE);
  });

  it.each([
    '',
    'nonsense',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01\n`,
  ])('passes over %j, which is not valid', (text) => {
    expect(parsed(text)).toBeUndefined();
  });

  it('finds none without the header', () => {
    expect(traceContextOf({})).toBeUndefined();
  });
});

describe('the trace of a trade', () => {
  const body = (number: number): Buffer => Buffer.from(`trade ${number}`);

  it('is decided by its bytes alone', () => {
    expect(traceOfTrade(body(1), 1)).toEqual(traceOfTrade(body(1), 1));
    expect(traceOfTrade(body(1), 1)).not.toEqual(traceOfTrade(body(2), 1));
  });

  it('begins at one trade of so many', () => {
    const traced = Array.from({ length: 20_000 }, (_, number) => traceOfTrade(body(number), 100));
    const count = traced.filter((context) => context !== undefined).length;
    expect(count).toBeGreaterThan(140);
    expect(count).toBeLessThan(260);
  });

  it('is one that its own header carries', () => {
    const context = traceOfTrade(body(1), 1);
    expect(context).toMatchObject({ isSampled: true });
    expect(traceContextOf(traceHeaders(context!))).toEqual(context);
  });
});

it('a derivation stays in its trace, with a span id that follows from its cause', () => {
  const cause = { traceId: TRACE, spanId: SPAN, isSampled: true };
  const derivation = derivationOf(cause);
  expect(derivation).toEqual(derivationOf(cause));
  expect(derivation).toMatchObject({ traceId: TRACE, isSampled: true });
  expect(derivation.spanId).not.toBe(SPAN);
  expect(traceContextOf(traceHeaders(derivation))).toEqual(derivation);
  expect(derivationOf({ ...cause, isSampled: false }).isSampled).toBe(false);
});
