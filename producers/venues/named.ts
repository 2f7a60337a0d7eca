import type { LiveVenue } from '../venue.ts';
import { VENUES } from './catalogue.ts';
import { ccxtVenueNamed } from './ccxt/venue.ts';

/** The venue of a name: one of the catalogue, or an exchange by ccxt; undefined where the name is of neither. */
export function venueNamed(name: string): LiveVenue | undefined {
  return VENUES.find((venue) => venue.name === name) ?? ccxtVenueNamed(name);
}
