/** U+2212, as wide as a plus in tabular figures. */
const MINUS = '−';
const NARROW_SPACE = '\u202f';
const FRACTION_DIGITS_MAX = 8;
const KIBIBYTE = 1_024;

/** Bounds of a confidence interval. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** A share as `64.2 %`; `–` where it is not known. */
export function percentText(share: number | null | undefined, digits = 1): string {
  return share === null || share === undefined ? '–' : `${withMinus((share * 100).toFixed(digits))}${NARROW_SPACE}%`;
}

/** `46.8 to 54.9 %`. */
export function percentBounds(bounds: Bounds | null | undefined, digits = 1): string {
  if (bounds === null || bounds === undefined) return '–';
  return `${withMinus((bounds.low * 100).toFixed(digits))} to ${percentText(bounds.high, digits)}`;
}

/** `+0.0016`, `−0.0199`; `–` where it is not known. */
export function signedText(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined) return '–';
  const text = Math.abs(value).toFixed(digits);
  return `${value < 0 && Number(text) !== 0 ? MINUS : '+'}${text}`;
}

export function signedBounds(bounds: Bounds | null | undefined, digits = 4): string {
  if (bounds === null || bounds === undefined) return '–';
  return `${signedText(bounds.low, digits)} to ${signedText(bounds.high, digits)}`;
}

/** `19,758`. */
export function countText(count: number | null | undefined): string {
  return count === null || count === undefined ? '–' : count.toLocaleString('en');
}

/** `1 gap`, `1,200 gaps`. @param noun in the singular; its plural ends with an s */
export function countOf(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `64,000 bytes` below a kibibyte, else `62.5 KiB`. */
export function bytesText(bytes: number): string {
  return bytes < KIBIBYTE ? `${countText(bytes)} bytes` : `${(bytes / KIBIBYTE).toFixed(1)} KiB`;
}

/** An exact decimal or a double as it is read: groups of three, no digits added; `–` where it is not known. */
export function priceText(price: string | number | null | undefined): string {
  if (price === null || price === undefined) return '–';
  const text = typeof price === 'number' ? plainText(price) : price;
  const [, sign = '', whole = '', fraction = ''] = /^(-?)([0-9]+)(\.[0-9]+)?$/.exec(text) ?? [];
  if (whole === '') return text;
  return `${sign === '' ? '' : MINUS}${whole.replace(/\B(?=([0-9]{3})+$)/g, ',')}${fraction}`;
}

/** Digits after the point of the finest price among these, so that a column of them is aligned. */
export function priceDigits(prices: readonly string[]): number {
  const digits = prices.map((price) => (price.split('.')[1] ?? '').length);
  return Math.min(Math.max(0, ...digits), FRACTION_DIGITS_MAX);
}

function plainText(value: number): string {
  const digits = Math.abs(value) >= 100 ? 2 : Math.abs(value) >= 1 ? 4 : FRACTION_DIGITS_MAX;
  return value.toFixed(digits);
}

function withMinus(text: string): string {
  return text.startsWith('-') ? `${MINUS}${text.slice(1)}` : text;
}
