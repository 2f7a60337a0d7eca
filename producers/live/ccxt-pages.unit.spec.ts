import { describe, expect, it } from 'vitest';
import { createLog } from '../../platform/log.ts';
import { openCcxtPages, type Ccxt } from './ccxt-pages.adapter.ts';
import { venuePlans, type VenuesIngestOptions } from './ingest-venues.adapter.ts';
import { planOf } from './live-options.ts';

function opening(exchange: string, load: () => Promise<Ccxt>): Promise<string> {
  return openCcxtPages({ exchange, restUrl: '', timeoutMs: 1_000, load }).then(
    () => 'opened',
    (error: unknown) => `${(error as { code: string }).code}: ${(error as Error).message}`,
  );
}

function exchangeWith(fetchTrades: unknown) {
  return class {
    readonly has = { fetchTrades };
    readonly urls = { api: {} };
  };
}

const CCXT: Ccxt = {
  exchanges: ['kraken', 'lighter', 'bitfinex'],
  kraken: exchangeWith(true),
  lighter: exchangeWith(false),
  bitfinex: exchangeWith('emulated'),
};

describe('ccxt', () => {
  it('is asked for by name, with the command that installs it, where it is not installed', async () => {
    const absent = Object.assign(new Error("Cannot find package 'ccxt'"), { code: 'ERR_MODULE_NOT_FOUND' });
    await expect(opening('kraken', () => Promise.reject(absent))).resolves.toMatch(
      /^UNREACHABLE: The venue ccxt:kraken needs the package ccxt, which is not installed: run "npm install --no-save --ignore-scripts ccxt@[\d.]+"\.$/,
    );
    await expect(opening('kraken', () => Promise.reject(new SyntaxError('x')))).resolves.toContain('cannot be loaded');
  });

  it('is opened for an exchange whose trades it has', async () => {
    await expect(opening('kraken', () => Promise.resolve(CCXT))).resolves.toBe('opened');
  });

  it.each([
    ['krakn', 'USAGE: ccxt has no exchange "krakn": did you mean ccxt:kraken?'],
    ['constructor', 'USAGE: ccxt has no exchange "constructor": see its list of exchanges.'],
    ['lighter', 'USAGE: ccxt has no public trades of lighter: choose another venue.'],
    ['bitfinex', 'USAGE: ccxt has no public trades of bitfinex: choose another venue.'],
  ])('is refused for %s', async (exchange, sentence) => {
    await expect(opening(exchange, () => Promise.resolve(CCXT))).resolves.toBe(sentence);
  });
});

describe('a live ingest by ccxt', () => {
  const plansFor = (changes: Partial<VenuesIngestOptions>) =>
    venuePlans({
      instruments: [],
      transport: 'stream',
      connections: { kafkaBrokers: ['127.0.0.1:1'], registryUrl: 'http://127.0.0.1:1' },
      log: createLog('ingest-live', 'silent'),
      signal: AbortSignal.abort(),
      ...changes,
    });

  it('is named with a colon or as on the tape, and polls', () => {
    for (const options of [
      { venue: 'ccxt:kraken', instruments: ['BTC-USD'] },
      { instruments: ['BTC-USD@ccxt:kraken'] },
      { instruments: ['BTC-USD@ccxt-kraken'], endpoints: { 'ccxt:kraken': { restUrl: 'http://127.0.0.1:1' } } },
    ]) {
      const [plan] = plansFor(options);
      if (plan === undefined) expect.fail('no plan');
      const { venue, symbols, transport, endpoints } = planOf(plan);
      expect([...symbols]).toEqual([['BTC-USD@ccxt-kraken', 'BTC/USD']]);
      expect([venue.name, transport]).toEqual(['ccxt-kraken', 'poll']);
      expect(endpoints.restUrl).toBe('endpoints' in options ? 'http://127.0.0.1:1' : '');
    }
  });

  it.each([
    [{ venue: 'ccxt:', instruments: ['BTC-USD'] }, 'is not a known venue: use one of'],
    [{ venue: 'ccxt:kraken', instruments: ['BTC-USD@kraken'] }, 'is not traded at the venue ccxt-kraken'],
    [{ venue: 'ccxt:kraken', instruments: ['BTCUSD'] }, 'has no symbol for BTCUSD@ccxt-kraken: name base and quote'],
    [
      { instruments: ['BTC-USD@ccxt:kraken'], endpoints: { 'ccxt-kraken': { webSocketUrl: 'ws://127.0.0.1:1' } } },
      'The venue ccxt-kraken has no WebSocket here: omit its --ws-url.',
    ],
    [
      { instruments: ['BTC-USD@ccxt:kraken'], endpoints: { 'ccxt-kraken': { restUrl: '127.0.0.1' } } },
      'is not a valid address: it must begin with http:// or https://.',
    ],
  ])('is refused with what to do: %j', (options, words) => {
    expect(() => plansFor(options)).toThrow(words);
  });
});
