/** A time with its zone: ISO 8601, or RFC 822 as in RSS. Without a zone it would depend on where it is read. */
const ISO = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/;
const RFC_822 =
  /^(?:[A-Z][a-z]{2},\s+)?\d{1,2}\s+[A-Z][a-z]{2}\s+\d{4}\s+\d{2}:\d{2}(?::\d{2})?\s+(?:GMT|UTC?|Z|[ECMP][SD]T|[+-]\d{4})$/;
const US_PER_MS = 1_000;

/** Microseconds since 1970; undefined for a text that is not a time with a zone. */
export function publishedUsOf(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  const isTime = ISO.test(trimmed) || RFC_822.test(trimmed);
  const ms = isTime ? Date.parse(trimmed.replace(/ UT$/, ' UTC')) : Number.NaN;
  return Number.isFinite(ms) ? ms * US_PER_MS : undefined;
}
