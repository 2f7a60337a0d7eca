/** What stands in a symbol as it is; any other byte is written `~` and its two hex digits. */
const WRITTEN_AS_IT_IS = /[A-Z0-9._-]/;

/** The written form of a symbol at a venue, `BTC-USD@kraken`: reversible, whatever the venue writes. */
export function instrumentNameOf(symbol: string, venue: string): string {
  let written = '';
  for (const byte of Buffer.from(symbol)) {
    const character = String.fromCharCode(byte);
    const isPlain = byte < 0x80 && WRITTEN_AS_IT_IS.test(character);
    written += isPlain ? character : `~${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return `${written}@${venue.toLowerCase()}`;
}
