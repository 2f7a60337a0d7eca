import type { Venue } from '../venue.ts';
import { binance } from './binance/venue.ts';

/** Every exchange that trades can be taken from live. A new venue is a folder and a line here. */
export const VENUES: readonly Venue[] = [binance];
