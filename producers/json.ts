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
