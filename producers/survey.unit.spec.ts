import { describe, expect, it } from 'vitest';
import { deadRow, START_US, tradeOfRow, tradeRow } from './fixtures/rows.ts';
import type { FileRow } from './rows.ts';
import { MetTrades } from './survey-identities.ts';
import { durationText, orderRefusalText, refusedShareText } from './survey-text.ts';
import { INSTRUMENTS_MAX, Surveyor, type Survey } from './survey.ts';

function surveyOf(rows: readonly FileRow[]): Survey {
  const surveyor = new Surveyor();
  for (const row of rows) surveyor.accept(row);
  return surveyor.survey();
}

describe('a survey', () => {
  it('counts the trades of each instrument in a file, and its repeated rows', () => {
    const other = { instrument: 'ETH-USDT@binance' };
    const survey = surveyOf([
      { kind: 'nothing', line: 1 },
      tradeRow(2, START_US + 5_000_000, other),
      tradeRow(3, START_US + 1_000_000),
      tradeRow(4, START_US + 3_000_000),
      tradeRow(5, START_US + 1_000_000, { tradeId: '3' }),
      // The same id at another time is another trade.
      tradeRow(6, START_US + 4_000_000, { tradeId: '3' }),
      { kind: 'not-a-trade', line: 7 },
      deadRow(8),
    ]);
    expect(survey).toMatchObject({ trades: 5, refused: 1, notTrades: 1 });
    expect([...survey.instruments.keys()]).toEqual(['BTC-USDT@binance', 'ETH-USDT@binance']);
    expect(survey.instruments.get('BTC-USDT@binance')).toMatchObject({
      rows: 4,
      repeated: 1,
      firstRepeated: [5],
      firstEventTimeUs: START_US + 1_000_000,
      lastEventTimeUs: START_US + 4_000_000,
      // The repeated row is not late: it is not a separate trade.
      order: { rows: 3, late: 0 },
    });
  });

  it('keeps the first refused rows of each reason, those with most first', () => {
    const survey = surveyOf([
      deadRow(2, { reason: 'PRECISION', detail: 'too fine' }),
      ...Array.from({ length: 9 }, (_, index) => deadRow(index + 3, { payload: Buffer.from('€'.repeat(60)) })),
    ]);
    expect(Object.entries(survey.refusedByReason).map(([reason, { count }]) => [reason, count])).toEqual([
      ['MALFORMED', 9],
      ['PRECISION', 1],
    ]);
    expect(survey.refusedByReason.MALFORMED?.first.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7]);
    expect(survey.refusedByReason.PRECISION?.first).toEqual([{ line: 2, detail: 'too fine', text: 'x' }]);
  });

  it('refuses a file with more instruments than markets have', () => {
    const surveyor = new Surveyor();
    const add = (index: number): void => {
      surveyor.accept(tradeRow(index, START_US, { instrument: `A${index}@x` }));
    };
    for (let index = 0; index < INSTRUMENTS_MAX; index += 1) add(index);
    expect(() => {
      add(INSTRUMENTS_MAX);
    }).toThrow(RangeError);
  });
});

describe('the trades seen', () => {
  it('are distinguished from repeats, and the oldest are forgotten if there are too many', () => {
    const met = new MetTrades(1_000);
    const at = (seconds: number) => tradeOfRow({ tradeId: String(seconds), eventTime: START_US + seconds * 1_000_000 });
    for (let seconds = 0; seconds < 900; seconds += 1) expect(met.add(at(seconds))).toBe(true);
    expect(met.add(at(0))).toBe(false);
    for (let seconds = 900; seconds < 1_500; seconds += 1) met.add(at(seconds));
    expect(met.add(at(1_499))).toBe(false);
    expect(met.add(at(0))).toBe(true);
  });
});

describe('a refusal', () => {
  it('names instrument, count, first rows, the largest step, and the commands that continue', () => {
    const rows = [
      tradeRow(2, START_US + 90_000_000),
      ...[0, 1, 2].map((s) => tradeRow(s + 3, START_US + s * 1_000_000)),
    ];
    const survey = surveyOf(rows);
    const instruments = new Map(
      [...survey.instruments].map(([name, { order, rows: all }]) => [name, { order, rows: all }]),
    );
    const told = { instruments, path: 'a.csv', command: 'npx tapeproof ingest file a.csv' };
    const text = orderRefusalText({ ...told, behind: 'file' });
    expect(text).toContain('BTC-USDT@binance: 3 of 4 rows come after newer ones, by up to 1.5 min: line 3 by 1.5 min');
    expect(text).toContain('3 of 4 seconds with trades would have no decision because of that');
    expect(text).toContain('npx tapeproof ingest file a.csv --sort\n');
    expect(text).toMatch(/npx tapeproof ingest file a\.csv --accept-late$/);
    const older = orderRefusalText({ ...told, behind: 'tape' });
    expect(older).toContain('older than the trades on the tape');
    expect(older).not.toContain('--sort');
    expect(older).toMatch(/npx tapeproof ingest file a\.csv --accept-late$/);
  });

  it('of rows lists the reasons, and a share that accepts the rest', () => {
    const bad = deadRow(3, { reason: 'NOT_A_NUMBER', detail: 'the price "NaN" is not a number' });
    const some = refusedShareText(surveyOf([tradeRow(2, START_US), bad]), 'a.csv', 'npx tapeproof x', 1);
    expect(some).toContain('1 of 2 rows of a.csv are refused, more than 1 %');
    expect(some).toContain('line 3: the price "NaN" is not a number: "x"');
    expect(some).toMatch(/npx tapeproof x --refused-max 50$/);
    const all = refusedShareText(surveyOf([bad]), 'a.csv', 'npx tapeproof x', 1);
    expect(all).toContain('None of the 1 row of a.csv can be read as a trade');
    expect(all).not.toContain('--refused-max');
  });

  it.each([
    [999, '999 µs'],
    [1_500, '1.5 ms'],
    [2_000_000, '2 s'],
    [90_000_000, '1.5 min'],
    [86_400_000_000, '24 h'],
    [27.04 * 86_400_000_000, '27 days'],
  ])('says %d µs as %s', (us, text) => {
    expect(durationText(us)).toBe(text);
  });
});
