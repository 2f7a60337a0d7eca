import { sha256Hex } from '../../contracts/codec.ts';
import { isoTimeOf } from '../../contracts/iso-time.ts';
import { isRevokedBy } from '../../evaluators/revocation.ts';
import type { LoggedActivation } from '../activation-log.ts';
import { summaryOf, type ActivationSummary } from '../provenance.ts';
import { configurationChanges, type ConfigurationChange } from './configuration-changes.ts';

const US_PER_MS = 1_000;

/** An activation, once for all partitions that have it. */
export interface ReportedActivation extends Omit<ActivationSummary, 'offset'> {
  readonly tapeId: string;
  /** The keys in which its configuration differs from that of the activation before it; null for the first. */
  readonly changes: readonly ConfigurationChange[] | null;
  readonly places: readonly { readonly partition: number; readonly offset: number; readonly at: string }[];
  /** Partitions of the tape that lack it. */
  readonly missingIn: readonly number[];
  readonly revokes: readonly string[];
  /** The later activation that revokes it: it never came into force where an engine of another version waited at it. */
  readonly revokedBy: string | null;
  /** Why no engine accepts it; null for an ordinary one. */
  readonly fault: string | null;
}

/**
 * Every activation on a tape, by the time at which it was appended first.
 *
 * @param logged - by partition, those of its tape in order.
 */
export function activationsReport(logged: readonly (readonly LoggedActivation[])[]): ReportedActivation[] {
  const groups = new Map<string, LoggedActivation[]>();
  for (const found of logged.flat()) {
    // The same id with other bytes is another activation.
    const key = `${found.event.activationId} ${found.hash}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [found]);
    else group.push(found);
  }
  return [...groups.values()]
    .map((places) => reported(places, logged))
    .sort((left, right) => (left.at < right.at ? -1 : left.at > right.at ? 1 : 0));
}

function reported(
  places: readonly LoggedActivation[],
  logged: readonly (readonly LoggedActivation[])[],
): ReportedActivation {
  const [first] = places;
  if (first === undefined) throw new RangeError('an activation has a place');
  const { event } = first;
  const had = new Set(places.map(({ partition }) => partition));
  const sameTape = logged[first.partition] ?? [];
  const before = sameTape.findLast(({ offset }) => offset < first.offset);
  const revoking = places
    .flatMap(({ partition, offset }) => (logged[partition] ?? []).filter((later) => later.offset > offset))
    .find((later) => isRevokedBy(event, later.event, sameTape[0]?.event.tapeId));
  return {
    ...withoutPlace(summaryOf(first)),
    at: places.map(atOf).sort()[0] ?? atOf(first),
    tapeId: event.tapeId,
    changes: before === undefined ? null : configurationChanges(before.event.configuration, event.configuration),
    places: places.map((place) => ({ partition: place.partition, offset: place.offset, at: atOf(place) })),
    missingIn: logged.flatMap((_, partition) => (had.has(partition) ? [] : [partition])),
    revokes: event.revokes,
    revokedBy: revoking?.event.activationId ?? null,
    fault: faultOf(first, sameTape[0]),
  };
}

function withoutPlace({ offset: _offset, ...summary }: ActivationSummary): Omit<ActivationSummary, 'offset'> {
  return summary;
}

function atOf({ timestampMs }: LoggedActivation): string {
  return isoTimeOf(Math.max(0, timestampMs) * US_PER_MS);
}

function faultOf({ event }: LoggedActivation, first: LoggedActivation | undefined): string | null {
  if (sha256Hex(event.configuration) !== event.configHash) return 'its configuration has another hash than it names';
  if (first !== undefined && first.event.tapeId !== event.tapeId) return `the tape is ${first.event.tapeId}`;
  return null;
}
