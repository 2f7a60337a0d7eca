/** A key of the configuration with another value than before; null where it is missing. Values are JSON. */
export interface ConfigurationChange {
  /** From the top, joined by points: `hitRules.0.horizonMs`. */
  readonly key: string;
  readonly from: string | null;
  readonly to: string | null;
}

/**
 * The keys in which two configurations differ, in alphabetical order.
 *
 * @param before, after - JSON texts; one that is not JSON counts as empty.
 */
export function configurationChanges(before: string, after: string): ConfigurationChange[] {
  const [former, latter] = [leavesOf(before), leavesOf(after)];
  return [...new Set([...former.keys(), ...latter.keys()])].sort().flatMap((key) => {
    const [from, to] = [former.get(key) ?? null, latter.get(key) ?? null];
    return from === to ? [] : [{ key, from, to }];
  });
}

function leavesOf(json: string): Map<string, string> {
  const leaves = new Map<string, string>();
  const add = (key: string, value: unknown): void => {
    const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    if (members.length === 0) leaves.set(key, JSON.stringify(value));
    for (const [name, member] of members) add(key === '' ? name : `${key}.${name}`, member);
  };
  try {
    add('', JSON.parse(json));
  } catch {
    // A forged activation's may be anything.
  }
  return leaves;
}
