/** The most errors that are followed. */
const ERRORS_MAX = 16;

/** An error with its causes and the errors that it aggregates, outermost first: libraries wrap them. */
export function causesOf(error: unknown): readonly Error[] {
  const found: Error[] = [];
  const waiting = [error];
  for (let looked = 0; looked < ERRORS_MAX && waiting.length > 0; looked += 1) {
    const next = waiting.shift();
    if (!(next instanceof Error)) continue;
    found.push(next);
    const { errors } = next as { readonly errors?: unknown };
    waiting.push(next.cause, ...(Array.isArray(errors) ? (errors as unknown[]) : []));
  }
  return found;
}
