/** A parsed JSON object; members may be anything. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a JSON text; undefined where the text is not valid JSON. */
export function parseJson(text: string): unknown {
  return guarded(() => JSON.parse(text) as unknown);
}

/** The object of a JSON text; undefined where the text is not a JSON object. */
export function parseJsonObject(text: string): JsonObject | undefined {
  const value = parseJson(text);
  return isJsonObject(value) ? value : undefined;
}

/** Like {@link parseJsonObject}, but each number stays text, so that no decimal passes through a double. */
export function parseJsonObjectWithRawNumbers(text: string): JsonObject | undefined {
  const value = guarded(() => JSON.parse(text, keepNumberText) as unknown);
  return isJsonObject(value) ? value : undefined;
}

/** The list of a JSON text, its numbers as text; undefined where the text is not a JSON list. */
export function parseJsonListWithRawNumbers(text: string): readonly unknown[] | undefined {
  const value = guarded(() => JSON.parse(text, keepNumberText) as unknown);
  return Array.isArray(value) ? value : undefined;
}

/**
 * The value of a JSON text, in which a number stays one only where it is a safe integer written as such: any other is
 * its text, so that no digit is lost. Undefined where the text is not valid JSON.
 */
export function parseJsonWithExactNumbers(text: string): unknown {
  return guarded(() => JSON.parse(text, keepInexactNumberText) as unknown);
}

function guarded(parse: () => unknown): unknown {
  try {
    return parse();
  } catch {
    // SyntaxError, or RangeError where the nesting is deeper than the stack.
    return undefined;
  }
}

function keepNumberText(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' ? (context?.source ?? value) : value;
}

function keepInexactNumberText(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number') return value;
  const source = context?.source ?? '';
  return Number.isSafeInteger(value) && source === String(value) ? value : source;
}
