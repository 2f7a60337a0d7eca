import { describe, expect, it } from 'vitest';
import { Decimal } from '../contracts/decimal.ts';
import type { Trade } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import type { TapeContent } from '../contracts/tape-content.ts';
import { gapBefore, missed, watermarked, watermarkOf, traded } from '../evaluators/fixtures/tape-contents.ts';
import { inventoryText } from './tape-instruments-text.ts';
import { TapeInstruments, type TapeInventory } from './tape-instruments.ts';

const PARTITIONS = 6;
const T0_US = 1_735_689_600_000_000;

function tradeOf(instrument: string, tradeId: string, seconds: number): Trade {
  const eventTime = T0_US + seconds * 1_000_000;
  return {
    venue: instrument.slice(instrument.indexOf('@') + 1),
    instrument,
    tradeId,
    eventTime,
    price: Decimal.of('100.5'),
    size: Decimal.of('1'),
    side: 'BUY',
    receivedAt: eventTime,
    source: 'test',
    suspicious: false,
    conditions: [],
  };
}

function cancelled(trade: Trade): TapeContent {
  const { venue, instrument, tradeId, eventTime, price, size } = trade;
  const amendment = { venue, instrument, tradeId, eventTime, price, size, reason: 'busted', actor: 'venue' };
  return {
    kind: 'amendment',
    name: 'TradeCancelled',
    amendment: { ...amendment, receivedAt: 0, source: 'operator' },
    fingerprint: '',
    body: Buffer.alloc(0),
  };
}

/** The inventory of a tape with these records, each where it belongs. */
function inventoryOf(contents: readonly (readonly [instrument: string, TapeContent])[], max?: number): TapeInventory {
  const instruments = new TapeInstruments(PARTITIONS, max);
  for (const [instrument, content] of contents) instruments.add(partitionOf(instrument, PARTITIONS), content);
  return instruments.inventory();
}

const BTC = 'BTC-USDT@binance';
const CHINESE = '~E5~B8~81-USDT@binance';
const OPTION = 'BTC-28MAR25-100000-C@deribit';

describe('the inventory of the tape', () => {
  it('counts records by instrument, repetitions included', () => {
    const first = tradeOf(BTC, '7', 5);
    const { instruments } = inventoryOf([
      [OPTION, traded(tradeOf(OPTION, 'c0123456789abcdef-0', 1))],
      [BTC, traded(first)],
      [BTC, traded(first)],
      [BTC, traded(tradeOf(BTC, '3', 2))],
      [BTC, missed(gapBefore(first, 100, 12))],
      [BTC, missed(gapBefore(first, 200, 3))],
      [BTC, cancelled(first)],
      [BTC, watermarked(watermarkOf([BTC], T0_US))],
    ]);
    expect(instruments).toMatchObject([
      { instrument: OPTION, displayName: OPTION, tradeRecords: 1, tradeIds: 'CONTENT', gaps: 0 },
      {
        instrument: BTC,
        partition: partitionOf(BTC, PARTITIONS),
        tradeRecords: 3,
        firstTradeUs: T0_US + 2_000_000,
        lastTradeUs: T0_US + 5_000_000,
        tradeIds: 'NUMBERED',
        gaps: 2,
        missingTrades: 15,
        cancelled: 1,
        corrected: 0,
        released: 0,
      },
    ]);
  });

  it.each([
    [['1', '2'], 'NUMBERED'],
    [['1', '007'], 'MIXED'],
    [['c0123456789abcdef-12'], 'CONTENT'],
    [['c0123456789ABCDEF-12', 'a-1'], 'OPAQUE'],
    [['a', '1', 'a'], 'MIXED'],
  ])('classifies ids like %j as %s', (ids, kind) => {
    const contents = ids.map((id, index) => [BTC, traded(tradeOf(BTC, id, index))] as const);
    expect(inventoryOf(contents).instruments[0]?.tradeIds).toBe(kind);
  });

  it('leaves out records that the engine refuses, and reports their number', () => {
    const inventory = new TapeInstruments(PARTITIONS);
    inventory.add(partitionOf('nonsense', PARTITIONS), traded(tradeOf('nonsense', '1', 0)));
    inventory.add((partitionOf(BTC, PARTITIONS) + 1) % PARTITIONS, traded(tradeOf(BTC, '1', 0)));
    inventory.add(0, { kind: 'unusable', reason: 'UNDECODABLE', value: Buffer.alloc(1) });
    expect(inventory.inventory()).toEqual({
      instruments: [],
      recordsNotListed: 0,
      recordsRefused: 2,
      recordsUnusable: 1,
    });
  });

  it('is bounded in the number of instruments', () => {
    const names = ['A@x', 'B@x', 'C@x'];
    const inventory = inventoryOf(
      [...names, ...names].map((name, index) => [name, traded(tradeOf(name, String(index), index))]),
      2,
    );
    expect(inventory.instruments.map(({ instrument, tradeRecords }) => [instrument, tradeRecords])).toEqual([
      ['A@x', 2],
      ['B@x', 2],
    ]);
    expect(inventory.recordsNotListed).toBe(2);
  });

  it('is printed for people with the names that they know', () => {
    const text = inventoryText(
      inventoryOf([
        [CHINESE, traded(tradeOf(CHINESE, '1', 0))],
        [CHINESE, missed(gapBefore(tradeOf(CHINESE, '1', 0), 100, 12))],
      ]),
    );
    expect(text).toContain(CHINESE);
    expect(text).toContain('币-USDT@binance');
    expect(text).toContain('2025-01-01T00:00:00.000000Z');
    expect(text).toContain('1 (12 trades)');
    expect(inventoryText(inventoryOf([]))).toBe('There are no trades on the tape.');
  });
});
