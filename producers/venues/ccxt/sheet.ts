import { sheetOf, type VenueSheet } from '../../venue-facts.ts';
import { ccxtVenue } from './venue.ts';

/** What any exchange of ccxt gives, under the name by which people choose one. */
export function anyCcxtSheet(): VenueSheet {
  return {
    ...sheetOf(ccxtVenue('exchange')),
    name: 'ccxt:exchange',
    description: 'Any exchange of the library ccxt that has public trades, polled',
  };
}
