import { ApiProblem } from './problems.ts';

/**
 * Cursors are opaque to clients: base64url of a JSON list. Each names the last entry of its page, so that a page is the
 * same however many entries were added before it.
 */
export function cursorOf(position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/**
 * Reads a cursor for times and numbers.
 *
 * @throws ApiProblem INVALID_REQUEST where it is not one of {@link cursorOf} with so many whole numbers.
 */
export function numbersIn(cursor: string, count: number): readonly number[] {
  const position = positionIn(cursor);
  if (position.length === count && position.every((part) => Number.isSafeInteger(part))) return position as number[];
  throw wrongCursor();
}

/** Reads a cursor for one identity. @throws ApiProblem INVALID_REQUEST */
export function identityIn(cursor: string): string {
  const [identity, ...more] = positionIn(cursor);
  if (typeof identity === 'string' && more.length === 0) return identity;
  throw wrongCursor();
}

function positionIn(cursor: string): readonly unknown[] {
  try {
    const position: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(position)) return position;
  } catch {
    // Reported below.
  }
  throw wrongCursor();
}

function wrongCursor(): ApiProblem {
  return new ApiProblem(
    'INVALID_REQUEST',
    'The query parameter cursor is not one of this address: give the nextCursor of the page before, or leave it out.',
  );
}
