import { describe, expect, it } from 'vitest';
import { createLog } from '../../platform/log.ts';
import { venuePlans, type VenuesIngestOptions } from './ingest-venues.adapter.ts';

function plansFor(changes: Partial<VenuesIngestOptions>) {
  return venuePlans({
    instruments: [],
    transport: 'stream',
    connections: { kafkaBrokers: ['127.0.0.1:1'], registryUrl: 'http://127.0.0.1:1' },
    log: createLog('ingest-live', 'silent'),
    signal: AbortSignal.abort(),
    ...changes,
  });
}

describe('the venues of one process', () => {
  it('are those that the instruments name, each with its own instruments and addresses', () => {
    const plans = plansFor({
      instruments: ['BTC-USDT@okx', ' BTC-USD@kraken', 'ETH-USDT-SWAP@okx'],
      endpoints: { kraken: { restUrl: 'http://127.0.0.1:1' } },
    });
    expect(
      plans.map(({ venue, instruments, endpoints, healthPart }) => [venue, instruments, endpoints, healthPart]),
    ).toEqual([
      ['okx', ['BTC-USDT@okx', 'ETH-USDT-SWAP@okx'], undefined, 'venue-okx'],
      ['kraken', ['BTC-USD@kraken'], { restUrl: 'http://127.0.0.1:1' }, 'venue-kraken'],
    ]);
  });

  it('is one where it is given, and its check keeps its name', () => {
    const plans = plansFor({ venue: 'binance', instruments: ['BTC-USDT', 'ETH-USDT@binance'] });
    expect(plans.map(({ venue, healthPart }) => [venue, healthPart])).toEqual([['binance', 'venue']]);
  });

  it.each([
    [{ instruments: ['BTC-USDT'] }, '"BTC-USDT" names no venue: give --venue, or write the instrument with it'],
    [{ instruments: ['BTC-USDT@nowhere'] }, '"nowhere" is not a known venue'],
    [{ venue: 'binance', instruments: ['BTC-USDT@okx'] }, 'is not traded at the venue binance'],
    [{ instruments: ['BTC-USDT@okx'], endpoints: { kraken: {} } }, 'An address is given for "kraken"'],
    [{ instruments: ['BTC/USD@kraken'] }, 'BTC-USD@kraken'],
    [{ instruments: ['btcusd@bitstamp'] }, 'BTCUSD@bitstamp'],
    [{ instruments: ['BTCUSD@bitstamp'] }, 'did you mean BTC-USD@bitstamp?'],
    [{ instruments: ['BTCUSDT@bybit'] }, 'did you mean BTC-USDT@bybit?'],
  ])('are refused with what to do: %j', (options, words) => {
    expect(() => plansFor(options)).toThrow(words);
  });
});
