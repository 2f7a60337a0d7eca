/** A derived event as plain values: decimals as text. */
export type PlainEvent = Readonly<Record<string, unknown>>;

/** Where two contenders' events differ first. */
export interface Difference {
  readonly topic: string;
  readonly partition: number;
  /** Number of the event in its partition. */
  readonly position: number;
  /** The field by its path, for example `hitRule.horizonMs`; empty where one of the events is missing. */
  readonly field: string;
  readonly expected: unknown;
  readonly found: unknown;
}

/** The outcome of a comparison: how many events were equal, and the first that was not. */
export interface Comparison {
  readonly equalEvents: number;
  readonly difference: Difference | undefined;
}

export type PlainEvents = AsyncIterable<PlainEvent>;

/**
 * Compares two logs of one partition event by event, every field by value.
 *
 * @param isPrefix - whether `found` may end earlier: of a contender that stopped before the tape's end.
 */
export async function compareLogs(
  { topic, partition }: Pick<Difference, 'topic' | 'partition'>,
  expected: PlainEvents,
  found: PlainEvents,
  isPrefix = false,
): Promise<Comparison> {
  const left = expected[Symbol.asyncIterator]();
  const right = found[Symbol.asyncIterator]();
  try {
    for (let position = 0; ; position += 1) {
      const [one, other] = [await left.next(), await right.next()];
      if (other.done === true && (one.done === true || isPrefix))
        return { equalEvents: position, difference: undefined };
      const place = { topic, partition, position };
      const events = [one, other].map((result) => (result.done === true ? undefined : result.value));
      const difference = differenceOf('', events[0], events[1]);
      if (difference !== undefined) return { equalEvents: position, difference: { ...place, ...difference } };
    }
  } finally {
    await left.return?.();
    await right.return?.();
  }
}

/** The sentence about a difference, for people. */
export function differenceText(contender: string, { topic, partition, position, ...rest }: Difference): string {
  const where = `event ${position} of ${topic}, partition ${partition}`;
  const values = `${JSON.stringify(rest.expected)} was expected, ${JSON.stringify(rest.found)} found`;
  return `${contender} derives other events: ${where}, ${rest.field === '' ? 'as a whole' : rest.field}: ${values}.`;
}

function differenceOf(
  field: string,
  expected: unknown,
  found: unknown,
): Pick<Difference, 'field' | 'expected' | 'found'> | undefined {
  if (!isComposite(expected) || !isComposite(found) || Array.isArray(expected) !== Array.isArray(found)) {
    return Object.is(expected, found) ? undefined : { field, expected, found };
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    const difference = differenceOf(field === '' ? key : `${field}.${key}`, expected[key], found[key]);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function isComposite(value: unknown): value is PlainEvent {
  return typeof value === 'object' && value !== null;
}
