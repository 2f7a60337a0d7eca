/** z of a two-sided 95 % interval. */
export const Z_95 = 1.959963984540054;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's score interval (1927, doi 10.1080/01621459.1927.10502953) for a share observed in n independent trials:
 * `(p̂ + z²/2n ± z·sqrt(p̂(1 − p̂)/n + z²/4n²)) / (1 + z²/n)`. Undefined for n = 0.
 */
export function wilsonInterval(share: number, n: number, z = Z_95): Interval | undefined {
  if (n <= 0) return undefined;
  const square = z * z;
  const centre = share + square / (2 * n);
  const margin = z * Math.sqrt((share * (1 - share)) / n + square / (4 * n * n));
  const scale = 1 + square / n;
  return { low: Math.max((centre - margin) / scale, 0), high: Math.min((centre + margin) / scale, 1) };
}
