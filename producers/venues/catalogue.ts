import type { Venue } from '../venue.ts';
import { alpaca } from './alpaca/venue.ts';
import { binance } from './binance/venue.ts';
import { bitstamp } from './bitstamp/venue.ts';
import { bybit } from './bybit/venue.ts';
import { coinbase } from './coinbase/venue.ts';
import { kraken } from './kraken/venue.ts';
import { okx } from './okx/venue.ts';

/** Every exchange that trades can be taken from live. A new one is a folder and a line here. */
export const VENUES: readonly Venue[] = [alpaca, binance, bitstamp, bybit, coinbase, kraken, okx];
