import { symbolOf } from '../../contracts/instrument-name.ts';
import { nearestOf } from '../../contracts/nearest-name.ts';
import type { LiveVenue } from '../venue.ts';

/** Separators that people write between base and quote. */
const HYPHENS = /[-_.]/g;

/** The instrument that was probably meant by a name that no symbol of the venue gives. */
export function suggestedInstrument(
  instrument: string,
  venue: Pick<LiveVenue, 'instrumentOf' | 'quotes'>,
): string | undefined {
  const { symbol } = symbolOf(instrument);
  // BTCUSDT, as the venue itself writes it, or BTC_USDT.
  const word = symbol.replaceAll(HYPHENS, '');
  const asOne = venue.instrumentOf(word) ?? venue.instrumentOf(word.toLowerCase());
  if (asOne?.includes('-') === true) return asOne;
  // BTC-USTD.
  const hyphen = symbol.lastIndexOf('-');
  const quote = hyphen < 1 ? undefined : nearestOf(symbol.slice(hyphen + 1), venue.quotes ?? []);
  return (quote && venue.instrumentOf(symbol.slice(0, hyphen) + quote)) ?? asOne;
}
