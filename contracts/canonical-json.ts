/** The value written for an object: itself, or a replacement. */
export type Replacement = (value: object) => object;

/** Keys that an object always puts first, in numerical order. */
const INDEX = /^(?:0|[1-9]\d{0,9})$/;

/**
 * JSON with exactly one text per value: keys sorted by UTF-16 code units, no white space, numbers in ECMAScript's
 * shortest form, −0 as 0 (RFC 8785). Undefined members are left out; NaN and infinities throw.
 */
export function canonicalJson(value: unknown, replaced: Replacement = itself): string {
  const keys = { haveIndex: false };
  const ordered = (part: unknown): unknown => {
    if (typeof part === 'number' && !Number.isFinite(part)) throw new TypeError('NaN and infinities have no JSON form');
    if (typeof part !== 'object' || part === null) return part;
    if (Array.isArray(part)) return part.map((item) => ordered(item) ?? null);
    const written = replaced(part);
    if ('toJSON' in written && typeof written.toJSON === 'function')
      return ordered((written.toJSON as () => unknown)());
    // Without a prototype, so that no name is special.
    const members = Object.create(null) as Record<string, unknown>;
    for (const key of Object.keys(written).sort()) {
      const member = (written as Readonly<Record<string, unknown>>)[key];
      if (member === undefined) continue;
      keys.haveIndex ||= INDEX.test(key);
      members[key] = ordered(member);
    }
    return members;
  };
  const copy = ordered(value);
  // The runtime's own writer takes half of the time.
  return keys.haveIndex ? textOf(copy) : JSON.stringify(copy);
}

/** Of a value that has nothing left to replace or to leave out. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${textOf(member)}`);
  return `{${members.join(',')}}`;
}

function itself(value: object): object {
  return value;
}
