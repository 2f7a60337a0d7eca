/** A parsed JSON object; members may be anything. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value that a text holds; undefined where it is no JSON. */
export function parseJson(text: string): unknown {
  return guarded(() => JSON.parse(text) as unknown);
}

/** The object that a text holds; undefined where it is no JSON or no object. */
export function parseJsonObject(text: string): JsonObject | undefined {
  const value = parseJson(text);
  return isJsonObject(value) ? value : undefined;
}

/** As {@link parseJsonObject}, but each number is its own text, so that no decimal passes through a double. */
export function parseJsonObjectWithRawNumbers(text: string): JsonObject | undefined {
  const value = guarded(() => JSON.parse(text, keepNumberText) as unknown);
  return isJsonObject(value) ? value : undefined;
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
