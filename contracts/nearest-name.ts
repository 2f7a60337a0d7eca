/** A name is suggested when at most this share of its letters differs. */
const DIFFERENCE_SHARE_MAX = 0.5;

/**
 * The known name nearest to a mistyped one, by edit distance; of equally near ones the first; undefined when none is
 * near.
 *
 * @param differencesMax the most letters that may differ
 */
export function nearestOf(
  name: string,
  known: readonly string[],
  differencesMax = Number.POSITIVE_INFINITY,
): string | undefined {
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    const most = Math.min(differencesMax, Math.max(name.length, candidate.length) * DIFFERENCE_SHARE_MAX);
    if (distance < least && distance <= most) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Insertions, deletions, replacements, and transposed neighbours (Damerau; the optimal string alignment). */
function editDistance(left: string, right: string): number {
  let [before, row]: [number[], number[]] = [[], Array.from({ length: right.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1];
      const swapped = isSwapped ? (before[j - 2] ?? 0) + 1 : replaced;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[right.length] ?? 0;
}
