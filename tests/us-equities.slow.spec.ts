import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPromise, type Entry } from 'yauzl';
import type { Trade } from '../contracts/generated/events.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { derive } from '../evaluators/derive.ts';
import { EXCHANGE_CALENDARS, sessionOfExchange } from '../evaluators/sessions/exchange-calendars.ts';
import { zoneDataOf } from '../evaluators/sessions/zone-library.ts';
import { zipOf } from '../producers/fixtures/zip.ts';
import { ordersIn, surveyFile, tradesOf } from '../producers/survey-file.adapter.ts';

const FOLDER = join(import.meta.dirname, '../../shared/data/us-equities');
const STOCKS = ['aig', 'bac', 'ibm'] as const;
const ARE_PRESENT = existsSync(FOLDER);
const ZONE = 'America/New_York';
/** Regular hours, milliseconds since midnight. */
const OPEN_MS = 34_200_000;
const CLOSE_MS = 57_600_000;
/** Cash, next day, seller, derivatively priced, out of sequence, contingent, average, variation, official prices, prior. */
const SET_ASIDE = [1, 2, 3, 9, 14, 18, 20, 22, 24, 25, 26].reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
const PRICE_UNITS = 10_000n;

const XNYS = EXCHANGE_CALENDARS.find(({ name }) => name === 'XNYS') ?? expect.fail('there is no calendar');
const CONFIGURATION = parseConfiguration({
  session: sessionOfExchange(XNYS, 2013, 2013),
  timeZones: { [ZONE]: zoneDataOf(ZONE) },
});

/** The sums of a stock's session, counted from the file's own text. */
interface Count {
  inSession: number;
  outside: number;
  suspicious: number;
  shares: bigint;
  /** Price in 1/10000 dollar × shares. */
  value: bigint;
}

async function textIn(path: string): Promise<string> {
  const zip = await openPromise(path);
  const { value: entry } = (await zip.eachEntry().next()) as IteratorResult<Entry, undefined>;
  if (entry === undefined) throw new RangeError(`${path} is empty`);
  const chunks: Buffer[] = [];
  for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** @param rows how many of the file's rows, from its first on */
function countOf(text: string, rows = Infinity): Count {
  const count: Count = { inSession: 0, outside: 0, suspicious: 0, shares: 0n, value: 0n };
  for (const [index, row] of text.trim().split(/\r?\n/).entries()) {
    if (index >= rows) break;
    const [time = '', price = '', size = '', , mask = ''] = row.split(',');
    if ((BigInt(`0x${mask}`) & SET_ASIDE) !== 0n) count.suspicious += 1;
    else if (Number(time) < OPEN_MS || Number(time) >= CLOSE_MS) count.outside += 1;
    else {
      count.inSession += 1;
      count.shares += BigInt(size);
      count.value += BigInt(price) * BigInt(size);
    }
  }
  return count;
}

interface Snapshot {
  readonly tradeCount: number;
  readonly sessionVolume: string;
  readonly vwap: string;
  readonly lastPrice: string;
  readonly tape: { readonly offset: number };
}

async function derived(path: string) {
  const options = { path, instrument: '@xnys' };
  const file = await surveyFile(options);
  const orders = [...ordersIn(file).keys()];
  const events = derive(tradesOf(file, options) as AsyncIterable<Trade>, CONFIGURATION);
  let last: Snapshot | undefined;
  let decisions = 0;
  let step = await events.next();
  for (; step.done !== true; step = await events.next()) {
    for (const line of step.value.split('\n')) {
      if (line.includes('"ProbabilityDecision"')) decisions += 1;
      if (line.includes('"IndicatorSnapshot"')) last = (JSON.parse(line) as { event: Snapshot }).event;
    }
  }
  const [instrument] = step.value.instruments;
  return {
    instruments: orders,
    last,
    decisions,
    refused: step.value.refused,
    counts: instrument?.counts,
  };
}

function expectCounted(text: string, { last, counts, refused }: Awaited<ReturnType<typeof derived>>): void {
  const whole = countOf(text);
  expect(refused).toBe(0);
  if (counts === undefined) expect.fail('it has no trade');
  expect(counts).toMatchObject({ suspicious: whole.suspicious, outside: whole.outside, duplicates: 0 });
  expect(counts.onTime + counts.late).toBe(whole.inSession);
  // Offset 0 is the activation, row i has offset i + 1.
  const then = countOf(text, last?.tape.offset);
  expect(last?.tradeCount).toBe(then.inSession);
  expect(BigInt(String(last?.sessionVolume))).toBe(then.shares);
  const exact = Number((then.value * 10n ** 12n) / (then.shares * PRICE_UNITS)) / 1e12;
  expect(Number(last?.vwap)).toBeCloseTo(exact, 9);
}

describe.skipIf(!ARE_PRESENT)(`a real day of US stocks${ARE_PRESENT ? '' : ' is absent: no ../shared/data'}`, () => {
  it.each(STOCKS)(
    'gives decisions from the session of %s, and counts what an independent count counts',
    async (stock) => {
      const path = join(FOLDER, `lean_${stock}_20131008_trade.zip`);
      const result = await derived(path);
      expect(result.instruments).toEqual([`${stock.toUpperCase()}@xnys`]);
      expect(result.decisions).toBeGreaterThan(1_000);
      expectCounted(await textIn(path), result);
    },
  );
});

describe('a day of US stocks', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tapeproof-equities-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  async function dayOf(date: string, rows: readonly string[]) {
    const path = join(folder, `${date}_trade.zip`);
    const text = `${rows.join('\n')}\n`;
    await writeFile(path, zipOf(`${date}_ibm_Trade_Tick.csv`, text));
    return { text, result: await derived(path) };
  }
  const row = (ms: number, mask = '1'): string => `${ms},${1_791_500 + (ms % 7) * 100},100,P,${mask},0`;
  const minutes = (fromMs: number, count: number): string[] =>
    Array.from({ length: count }, (_, index) => row(fromMs + index * 60_000));

  it('counts from its opening to before its closing time, without what its conditions set aside', async () => {
    const rows = [
      row(OPEN_MS - 1),
      ...minutes(OPEN_MS, 389),
      row(CLOSE_MS - 1_000, '100000'),
      row(CLOSE_MS - 1),
      row(CLOSE_MS),
    ];
    const { text, result } = await dayOf('20131008', rows);
    expect(result.counts).toMatchObject({ onTime: 390, outside: 2, suspicious: 1 });
    expectCounted(text, result);
  });

  it.each([
    ['closes early on a half day', '20131129', 210],
    ['is not held on a day off', '20131128', 0],
    ['is not held on a Saturday', '20131130', 0],
  ])('%s', async (_what, date, inSession) => {
    const { result } = await dayOf(date, minutes(OPEN_MS, 390));
    expect(result.counts ?? { onTime: 0, outside: 390 }).toMatchObject({ onTime: inSession, outside: 390 - inSession });
  });
});
