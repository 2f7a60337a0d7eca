import type { Refusal } from '../contracts/trade-rules.ts';
import { malformed, quoted } from './source.ts';
import { amountOf } from './numbers.ts';
import type { RefusedTrade, TradeFigures, VenueAmendment } from './venue.ts';

/** An amendment as an exchange's message has it; undefined for a part that cannot be read. */
export interface LiveAmendmentFields {
  readonly amends: VenueAmendment['amends'];
  readonly venue: string;
  readonly instrument: string | undefined;
  readonly tradeId: string | undefined;
  /** Text, as the exchange writes it: a price never passes through a double. */
  readonly price: unknown;
  readonly size: unknown;
  readonly window: VenueAmendment['window'] | undefined;
  /** Of a correction: the figures that are valid from here on, and the trade's new id, if it has one. */
  readonly corrected:
    { readonly price: unknown; readonly size: unknown; readonly tradeId: string | undefined } | undefined;
  readonly origin: VenueAmendment['origin'];
  readonly word: string;
  readonly receivedAt: number;
  readonly text: string;
}

/** The amendment, or its refusal. For markets whose prices are above 0. */
export function liveAmendment(fields: LiveAmendmentFields): VenueAmendment | RefusedTrade {
  const amendment = read(fields);
  if (!('reason' in amendment)) return amendment;
  const { instrument, text } = fields;
  // Its id is that of another trade, which was not refused.
  return { refusal: amendment, instrument, tradeId: undefined, text };
}

function read(fields: LiveAmendmentFields): VenueAmendment | Refusal {
  const { amends, instrument, tradeId, window, corrected, origin, word, receivedAt, text, venue } = fields;
  if (instrument === undefined) return malformed('the amendment has no symbol that can be read');
  if (tradeId === undefined) return malformed('the amendment has no trade id that can be read');
  if (window === undefined) return malformed('the amendment has no time that can be read');
  const stated = figuresOf(fields, venue);
  if ('reason' in stated) return stated;
  const known = { amends, instrument, tradeId, window, stated, origin, word, receivedAt, text };
  if (amends === 'CANCEL') return { ...known, corrected: undefined };
  if (corrected === undefined) return malformed('the correction has no corrected figures');
  const figures = figuresOf(corrected, venue);
  return 'reason' in figures ? figures : { ...known, corrected: { ...figures, tradeId: corrected.tradeId } };
}

function figuresOf(
  { price, size }: { readonly price: unknown; readonly size: unknown },
  venue: string,
): TradeFigures | Refusal {
  if (typeof price !== 'string' || typeof size !== 'string') return malformed('price or size is not text');
  const figures = { price: amountOf('price', price), size: amountOf('size', size) };
  if ('reason' in figures.price) return figures.price;
  if ('reason' in figures.size) return figures.size;
  if (figures.price.isPositive()) return { price: figures.price, size: figures.size };
  return { reason: 'NOT_POSITIVE', detail: `the price ${quoted(price)} is not above 0, which ${venue} never has` };
}
