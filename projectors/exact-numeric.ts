/** Postgres' `numeric` as whole numbers of 10^-scale: sums of them are exact, so no order of summing changes one. */

/** Units of a numeric's text with at most `scale` decimals, not below 0. */
export function numericUnits(text: string, scale: number): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(scale, '0'));
}

/** The one text of units that are not below 0: without zeros at the end. */
export function numericText(units: bigint, scale: number): string {
  const digits = String(units).padStart(scale + 1, '0');
  const fraction = digits.slice(-scale).replace(/0+$/, '');
  return digits.slice(0, -scale) + (fraction === '' ? '' : `.${fraction}`);
}
