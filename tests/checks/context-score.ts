/**
 * The scores of the strategies that use context, on recorded trades, with no services: signals are made from what came
 * before, as a live producer would, and stand among the trades.
 *
 *     node tests/checks/context-score.ts sectors FOLDER   # LEAN's files of AIG, BAC and IBM, 8 October 2013
 *     node tests/checks/context-score.ts tones FILE       # Bitstamp's trades, with tones drawn at random: a control
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Decimal } from '../../contracts/decimal.ts';
import { encodeBody, FINGERPRINTS } from '../../contracts/codec.ts';
import type { ContextSignal, IndicatorSnapshot, Trade } from '../../contracts/generated/events.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { contentOf, goOn, startDerivation } from '../../evaluators/derive.ts';
import { sequenceOf } from '../../evaluators/fixtures/synthetic-market.ts';
import { parseContextConfiguration } from '../../producers/context/context-configuration.ts';
import { SectorStrengths, signalsOfStrengths } from '../../producers/context/sector-strength.ts';
import { ScoreboardCount } from '../../proofs/scoreboard/scoreboard.ts';

const SECTORS = { AIG: 'financials', BAC: 'financials', IBM: 'technology' } as const;
/** Midnight in New York. */
const DAY_US = Date.UTC(2013, 9, 8, 4) * 1_000;
const OPEN_MS = 34_200_000;
const CLOSE_MS = 57_600_000;
/** Between two tones, and their validity. */
const TONE_EVERY_US = 1_800_000_000;
const TONE_VALID_US = 4 * 3_600_000_000;

const configuration = parseConfiguration({ strategies: { NEWS_SENTIMENT: {}, SECTOR_ROTATION: {} } });

function tradeOf(trade: Pick<Trade, 'instrument' | 'tradeId' | 'eventTime'>, price: string, size: string): Trade {
  const venue = trade.instrument.split('@')[1] ?? '';
  const unknown = { side: 'UNKNOWN', receivedAt: 0, source: 'check', suspicious: false, conditions: [] } as const;
  return { venue, ...trade, price: Decimal.of(price), size: Decimal.of(size), ...unknown };
}

/** Rows `ms since midnight, price · 10,000, shares, exchange, conditions, suspicious`, of regular hours. */
function equities(folder: string): Trade[] {
  const trades = readdirSync(folder).flatMap((file) => {
    const symbol = /^lean_([a-z]+)_/.exec(file)?.[1]?.toUpperCase();
    if (symbol === undefined) return [];
    const rows = execFileSync('unzip', ['-p', join(folder, file)], { maxBuffer: 64 * 1_048_576 })
      .toString()
      .trim();
    return rows.split('\n').flatMap((row, index) => {
      const [ms = '', price = '', size = '', , , suspicious = '1'] = row.trim().split(',');
      if (Number(ms) < OPEN_MS || Number(ms) >= CLOSE_MS || suspicious !== '0' || Number(size) <= 0) return [];
      const eventTime = DAY_US + Number(ms) * 1_000;
      return [
        tradeOf({ instrument: `${symbol}@us`, tradeId: `r${index}`, eventTime }, String(Number(price) / 10_000), size),
      ];
    });
  });
  return trades.sort((left, right) => left.eventTime - right.eventTime);
}

function bitstamp(file: string): Trade[] {
  const rows = readFileSync(file, 'utf8').trim().split('\n');
  return rows.flatMap((row, index) => {
    const [seconds = '', price = '', size = ''] = row.split(',');
    if (!/^\d+$/.test(seconds) || Number(size) <= 0) return [];
    const eventTime = Number(seconds) * 1_000_000;
    return [tradeOf({ instrument: 'BTC-USD@bitstamp', tradeId: `r${index}`, eventTime }, price, size)];
  });
}

/** Gives the signals that are appended before a trade, from the snapshots before it. */
type Producer = (trade: Trade, snapshots: readonly IndicatorSnapshot[]) => readonly ContextSignal[];

function sectorProducer(): Producer {
  const settings = parseContextConfiguration({
    instruments: Object.fromEntries(Object.entries(SECTORS).map(([symbol, sector]) => [`${symbol}@us`, { sector }])),
  });
  if (typeof settings === 'string') throw new Error(settings);
  const strengths = new SectorStrengths(settings);
  let doneUs = 0;
  return (_trade, snapshots) => {
    for (const snapshot of snapshots) strengths.add(snapshot);
    if (strengths.dueUs === doneUs) return [];
    doneUs = strengths.dueUs;
    const found = strengths.strengths();
    return typeof found === 'string' ? [] : signalsOfStrengths(found, settings, 0);
  };
}

function toneProducer(): Producer {
  const next = sequenceOf(1);
  let dueUs = 0;
  return ({ instrument, eventTime }) => {
    if (eventTime < dueUs) return [];
    dueUs = eventTime + TONE_EVERY_US;
    const value = Math.round((2 * next() - 1) * 1e6) / 1e6;
    const times = { eventTime, validFrom: eventTime, validUntil: eventTime + TONE_VALID_US };
    const about = { signalId: `tone-${eventTime}`, kind: 'NEWS_SENTIMENT', source: 'check:random', instrument };
    return [{ ...about, ...times, value, confidence: 0.5, textHash: null, link: null, causes: [], receivedAt: 0 }];
  };
}

const [what, path = ''] = process.argv.slice(2);
const [trades, producer] = what === 'sectors' ? [equities(path), sectorProducer()] : [bitstamp(path), toneProducer()];
const task = startDerivation(configuration, { isUnproven: true });
const count = new ScoreboardCount();
let snapshots: IndicatorSnapshot[] = [];
for (const trade of trades) {
  for (const signal of task.tapeId === undefined ? [] : producer(trade, snapshots)) {
    const body = encodeBody('ContextSignal', signal);
    goOn(task, { kind: 'signal', signal, fingerprint: FINGERPRINTS.ContextSignal, body });
  }
  snapshots = [];
  for (const { topic, type, event } of goOn(task, contentOf(trade)).derived) {
    count.observe(topic, event);
    if (type === 'IndicatorSnapshot') snapshots.push(event as IndicatorSnapshot);
  }
}
console.log(trades.length, 'trades;', JSON.stringify(task.signalCounts), JSON.stringify(task.counts));
for (const row of count.board({ merge: ['instrument'] }).rows) {
  const { forecast, n, effectiveN, hitRate, meanPublished, referenceRate, withheld } = row;
  const [skill, interval] = [row.skillAgainstReference, row.skillAgainstReferenceInterval];
  console.log(
    JSON.stringify({ forecast, n, effectiveN, hitRate, meanPublished, referenceRate, skill, interval, withheld }),
  );
}
