import { describe, expect, it } from 'vitest';
import { isNotice, isTrades } from '../../producers/venue.ts';
import { VENUES } from '../../producers/venues/catalogue.ts';
import type { GivenUpGap } from '../../producers/live/reorder-buffer.ts';
import { drawsOf } from './draws.ts';
import { everyFault, FaultPlan, type Faults } from './faults.ts';
import {
  CAPTURED_VENUES,
  capturedFrames,
  FRAMES_ARE_PRESENT,
  syntheticFrames,
  type CapturedTrade,
  type CapturedVenue,
  type VenueCapture,
} from './venue-captures.ts';
import { lineOfCapture, lineOfTrade, simulate, type Simulated, type SimulationOptions } from './venue-simulation.ts';
import { WORDS } from './venue-words.ts';

const SYNTHETIC_TRADES = 150;
const SEEDS = [1, 2, 3];
/** Faults at intervals that fit captures of 30 seconds. */
const FAULTS: Readonly<Record<string, Faults>> = {
  'nothing wrong': {},
  cuts: { cut: 8 },
  'half-open connections': { 'half-open': 20 },
  'a going-away close': { 'going-away': 15 },
  'refused connections': { cut: 10, 'refused-connection': 2 },
  reordering: { 'out-of-order': 4 },
  duplicates: { 'duplicated-frame': 3 },
  'malformed frames': { 'malformed-instead': 8, 'malformed-besides': 8 },
  '429 and other refusals': { cut: 12, 'rate-limited': 3, banned: 6, 'server-error': 4 },
  'truncated and late answers': { cut: 12, 'truncated-page': 3, 'endless-answer': 5, 'slow-answer': 4 },
};
/** Only numbered trades show that single ones were withheld. */
const FAULTS_OF_NUMBERED: Readonly<Record<string, Faults>> = {
  'dropped frames': { 'dropped-frame': 6 },
  'a deaf connection': { deaf: 20 },
  'pages with holes': { 'dropped-frame': 8, 'page-with-holes': 2 },
  'every fault at once': rarer(everyFault(0.05, 1)),
};

function rarer(faults: Faults): Faults {
  return Object.fromEntries(Object.entries(faults).map(([name, interval]) => [name, Math.max(3, interval)]));
}

function venueNamed(name: string) {
  const venue = VENUES.find((candidate) => candidate.name === name);
  if (venue === undefined) throw new RangeError(`there is no venue ${name}`);
  return venue;
}

function play(
  name: CapturedVenue,
  capture: VenueCapture,
  faults: Faults,
  seed: number,
  more: Partial<SimulationOptions> = {},
): Simulated {
  const draw = drawsOf(seed);
  const plan = new FaultPlan(faults, draw);
  return simulate({ venue: venueNamed(name), words: WORDS[name], capture, plan, draw, ...more });
}

/**
 * The tape has exactly the capture's trades, each once; in order too where ids have one. Where a venue shows only its
 * newest trades, others may be missing, but then within the bounds of a gap on the tape.
 */
function expectCapture(name: CapturedVenue, capture: VenueCapture, { tape }: Simulated, inOrder: boolean): number {
  const venue = venueNamed(name);
  let missing = 0;
  for (const [instrument, records] of tape) {
    const symbol = venue.symbolOf(instrument);
    const all = capture.frames.flatMap(({ trades }) => trades).filter((trade) => trade.symbol === symbol);
    const gaps = records.flatMap((record) => ('tradeId' in record ? [] : [boundsOf(record, all)]));
    const found = records.flatMap((record) => ('tradeId' in record ? [lineOfTrade(record)] : []));
    const held = new Set(found);
    const wanted = all.filter((trade, index) => {
      const isInGap = gaps.some(([first, last]) => index > first && index < last);
      return !isInGap || held.has(lineOfCapture(trade));
    });
    missing += all.length - wanted.length;
    const lines = wanted.map(lineOfCapture);
    if (inOrder) expect(found).toEqual(lines);
    else expect(found.toSorted()).toEqual(lines.toSorted());
    if (name !== 'bybit') expect(gaps).toEqual([]);
  }
  return missing;
}

/** The places of the trades around a gap of unknown ids. */
function boundsOf({ firstTradeId, lastTradeId }: GivenUpGap, all: readonly CapturedTrade[]): readonly [number, number] {
  expect([firstTradeId.split(':')[0], lastTradeId.split(':')[0]]).toEqual(['after', 'before']);
  const place = (text: string) => all.findIndex(({ id }) => text.endsWith(`:${id}`));
  const [before, after] = [place(firstTradeId), place(lastTradeId)];
  expect(before).toBeGreaterThanOrEqual(0);
  // It is not known that none is missing between the two.
  expect(after).toBeGreaterThan(before);
  return [before, after];
}

/** Reads each frame with the venue's own parser: its trades are the capture's, and nothing else is refused. */
function expectRead(name: CapturedVenue, { frames, others }: VenueCapture): void {
  const { stream, history } = venueNamed(name);
  for (const { trades, text } of frames) {
    const parsed = stream.parseFrame(text ?? WORDS[name].frame(trades), 1_790_000_000_000_000);
    if (!isTrades(parsed)) expect.fail(JSON.stringify(parsed));
    expect(parsed.map((item) => ('eventTime' in item ? lineOfTrade(item) : item))).toEqual(trades.map(lineOfCapture));
  }
  for (const symbol of new Set(frames.flatMap(({ trades }) => trades.map((trade) => trade.symbol)))) {
    const trades = frames.flatMap((frame) => frame.trades).filter((trade) => trade.symbol === symbol);
    const page = history.parsePage(WORDS[name].page(symbol, trades), symbol, 1_790_000_000_000_000);
    if (!isTrades(page)) expect.fail(JSON.stringify(page));
    expect(page.map((item) => ('eventTime' in item ? lineOfTrade(item) : item))).toEqual(trades.map(lineOfCapture));
  }
  for (const other of others) {
    const parsed = stream.parseFrame(other, 1_790_000_000_000_000);
    if (!isNotice(parsed)) expect(parsed).toEqual([]);
  }
}

function suite(name: CapturedVenue, open: () => Promise<VenueCapture>): void {
  const isNumbered = venueNamed(name).tradeIds === 'DENSE';

  it('is read trade by trade, to the last digit', async () => {
    const capture = await open();
    expect(capture.frames.length).toBeGreaterThan(7);
    expectRead(name, capture);
  });

  it.each(Object.entries({ ...FAULTS, ...(isNumbered ? FAULTS_OF_NUMBERED : {}) }))(
    'is on the tape exactly, each trade once, with %s',
    async (kind, faults) => {
      const capture = await open();
      for (const seed of SEEDS) {
        const simulated = play(name, capture, faults, seed);
        expectCapture(name, capture, simulated, isNumbered || kind === 'nothing wrong');
      }
    },
  );

  it('is the same with a clock that is wrong, and the offset is measured', async () => {
    const capture = await open();
    for (const clockSkewMs of [-1_270, 0, 30_000]) {
      const simulated = play(name, capture, { cut: 15 }, 1, { clockSkewMs });
      expectCapture(name, capture, simulated, isNumbered);
      expect(simulated.offsetUs).toBeLessThanOrEqual((clockSkewMs + 1_500) * 1_000);
      expect(simulated.offsetUs).toBeGreaterThanOrEqual((clockSkewMs - 500) * 1_000);
    }
  });

  it('is the same through a maintenance that is announced, and an absence', async () => {
    const capture = await open();
    const notices = (venueNamed(name).examples.notices ?? []).map(({ text }) => text);
    const isAway = (step: number) => step % 60 > 48;
    const simulated = play(name, capture, { cut: 10 }, 1, { notices, isAway });
    expectCapture(name, capture, simulated, isNumbered);
  });
}

describe.each(CAPTURED_VENUES)('a synthetic market at %s', (name) => {
  suite(name, () => Promise.resolve(syntheticFrames(name, SYNTHETIC_TRADES)));
});

// They are not part of this project: they lie beside it, where they are present.
describe.runIf(FRAMES_ARE_PRESENT).each(CAPTURED_VENUES)('the captured frames of %s', (name) => {
  suite(name, () => capturedFrames(name));
});
