import { canonicalJson } from '../../contracts/canonical-json.ts';

/**
 * The kinds of a first difference between the log and what the engine derives:
 *
 * - CHANGED: the sequence is there, with other bytes.
 * - FORGED: a record that the engine does not derive.
 * - MISSING: an event that the engine derives is not there, and later ones are.
 * - OUT_OF_ORDER: the event stands after one with a greater sequence.
 * - CHANGED_DUPLICATE: a repetition of an earlier event, with other bytes.
 * - NOT_AN_EVENT: a tombstone, bytes without a frame, or a schema that does not belong in the topic.
 * - LOOKAHEAD: the event rests on something that was not on the tape before it.
 * - NOT_COMPARED: more old repetitions than are looked up.
 */
export type DifferenceKind =
  | 'CHANGED'
  | 'FORGED'
  | 'MISSING'
  | 'OUT_OF_ORDER'
  | 'CHANGED_DUPLICATE'
  | 'NOT_AN_EVENT'
  | 'LOOKAHEAD'
  | 'NOT_COMPARED';

/** A field that differs, each value as canonical JSON; undefined where it is absent. */
export interface FieldDifference {
  /** With dots between levels: `hitRule.horizonMs`. */
  readonly field: string;
  readonly expected: string | undefined;
  readonly found: string | undefined;
}

/** The first place of a partition at which the log is not what the engine derives from the tape. */
export interface Difference {
  readonly kind: DifferenceKind;
  readonly topic: string;
  readonly partition: number;
  /** Of the record found; where one is missing, of the record in its place. Undefined at the log's end. */
  readonly logOffset: number | undefined;
  /** Of the record found, or of the one missing. Undefined for an anchor, and for a record that is not an event. */
  readonly sequence: number | undefined;
  readonly eventId: string | undefined;
  /** The tape record that causes the event. */
  readonly tapeOffset: number | undefined;
  /** For people; continues the place. */
  readonly detail: string;
  readonly fields: readonly FieldDifference[];
}

/** A difference at a record that is not an event: an anchor, or a part of a state. */
export function differenceBesideEvents(
  place: Pick<Difference, 'kind' | 'topic' | 'partition' | 'logOffset' | 'tapeOffset' | 'detail'>,
): Difference {
  return { ...place, sequence: undefined, eventId: undefined, fields: [] };
}

type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };

/** The fields in which two events differ, in alphabetical order. */
export function fieldDifferences(expected: object, found: object): FieldDifference[] {
  return differences('', plain(expected), plain(found));
}

function plain(event: object): Plain {
  return JSON.parse(canonicalJson(event)) as Plain;
}

function differences(field: string, expected: Plain | undefined, found: Plain | undefined): FieldDifference[] {
  if (isComposite(expected) && isComposite(found) && Array.isArray(expected) === Array.isArray(found)) {
    const [left, right] = [expected as Record<string, Plain>, found as Record<string, Plain>];
    const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
    return names.flatMap((name) => differences(field === '' ? name : `${field}.${name}`, left[name], right[name]));
  }
  const [left, right] = [textOf(expected), textOf(found)];
  return left === right ? [] : [{ field, expected: left, found: right }];
}

function isComposite(value: Plain | undefined): boolean {
  return typeof value === 'object' && value !== null;
}

function textOf(value: Plain | undefined): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

/** Fields of a difference that are shown. */
const FIELDS_SHOWN_MAX = 40;

/** A difference for people: its place, and below it the fields. */
export function differenceText(difference: Difference): string[] {
  const { kind, topic, partition, logOffset, sequence, eventId, tapeOffset, detail, fields } = difference;
  const place = [
    `${topic}-${partition}`,
    ...(logOffset === undefined ? ['at its end'] : [`log offset ${logOffset}`]),
    ...(sequence === undefined ? [] : [`sequence ${sequence}`]),
    ...(eventId === undefined ? [] : [eventId]),
    ...(tapeOffset === undefined ? [] : [`tape offset ${tapeOffset}`]),
  ].join(', ');
  const shown = fields.slice(0, FIELDS_SHOWN_MAX).map(({ field, expected, found }) => {
    return `    ${field}: expected ${expected ?? 'nothing'}, found ${found ?? 'nothing'}`;
  });
  const more = fields.length - shown.length;
  return [`  ✗ ${kind} ${place}: ${detail}`, ...shown, ...(more > 0 ? [`    and ${more} more fields`] : [])];
}
