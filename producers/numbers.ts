import type { Decimal } from '../contracts/decimal.ts';
import { parseAmount, type Refusal } from '../contracts/trade-rules.ts';

/** A longer text is not a number of market data; the bound keeps an exponent from producing millions of zeros. */
const NUMBER_LENGTH_MAX = 64;
const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,2}))?$/;
/** A digit, then a mark that is a decimal point in some countries and separates thousands in others. */
const SEPARATED = /\d[,'_\s\u00a0\u202f]\d/;

/**
 * `1.5e-3`, `+.5`, `5.` as plain decimal text, exactly; undefined where the text is not a number or is ambiguous.
 */
export function plainDecimal(text: string): string | undefined {
  if (text.length > NUMBER_LENGTH_MAX) return undefined;
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  if (digits === '') return undefined;
  const minus = sign === '-' ? '-' : '';
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${minus}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return `${minus}${digits}${'0'.repeat(point - digits.length)}`;
  return `${minus}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Reads a price or size exactly, as written in files, or returns why it is not valid. */
export function amountOf(name: 'price' | 'size', text: string): Decimal | Refusal {
  const amount = parseAmount(name, text);
  if (!('reason' in amount) || amount.reason !== 'NOT_A_NUMBER') return amount;
  const plain = plainDecimal(text);
  if (plain !== undefined) return parseAmount(name, plain);
  if (!SEPARATED.test(text)) return amount;
  return {
    reason: 'NOT_A_NUMBER',
    detail: `${amount.detail}: it is ambiguous whether its mark separates thousands or decimals`,
  };
}
