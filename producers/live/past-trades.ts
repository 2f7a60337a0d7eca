import type { Trade } from '../../contracts/generated/events.ts';

const COLUMNS = [
  ...['trade_id', 'event_time_us', 'instrument', 'price', 'size', 'side'],
  ...['received_at_us', 'suspicious', 'conditions'],
];

/** The header of the file that past trades are written to. */
export const PAST_TRADES_HEADER = COLUMNS.join(',');

/** A trade as a row of `canonical-csv`. */
export function rowOfPastTrade({ tradeId, eventTime, instrument, price, size, side, ...rest }: Trade): string {
  const { receivedAt, suspicious, conditions } = rest;
  const fields = [tradeId, eventTime, instrument, price, size, side, receivedAt, suspicious, conditions.join(' ')];
  return fields.map((field) => quotedField(String(field))).join(',');
}

function quotedField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
