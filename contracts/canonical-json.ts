/** The value written for an object: itself, or a replacement. */
export type Replacement = (value: object) => object;

/**
 * JSON with exactly one text per value: keys sorted by UTF-16 code units, no white space, numbers in ECMAScript's
 * shortest form, −0 as 0 (RFC 8785). Undefined members are left out; NaN and infinities throw.
 */
export function canonicalJson(value: unknown, replaced: Replacement = itself): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError('NaN and infinities have no JSON form');
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, replaced)).join(',')}]`;
  const written = replaced(value);
  if ('toJSON' in written && typeof written.toJSON === 'function') {
    return canonicalJson((written.toJSON as () => unknown)(), replaced);
  }
  const members = Object.entries(written)
    .filter(([, member]) => member !== undefined)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member, replaced)}`);
  return `{${members.join(',')}}`;
}

function itself(value: object): object {
  return value;
}
