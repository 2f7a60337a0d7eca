import type { EngineActivated, EngineAnchor } from '../contracts/generated/events.ts';
import { ANCHORS_TOPIC, TAPE_TOPIC, type DerivedEvent } from '../contracts/topics.ts';
import { eventIn, framedIn } from '../platform/kafka/framed-record.ts';
import { PROBE_BYTES_MAX, type LogReader } from '../platform/kafka/log-reader.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import type { Located } from './located.ts';

/** An activation on the tape. */
export interface LoggedActivation extends Located<EngineActivated> {
  /** Its author's clock when it was appended, milliseconds since 1970. */
  readonly timestampMs: number;
}

/** Where the tape and the anchors are read. */
export interface ActivationPorts {
  readonly reader: LogReader;
  readonly registry: Pick<Registry, 'schemaOf'>;
}

/** Derived events name their activation by these. */
type Derived = Pick<DerivedEvent, 'tape' | 'configHash' | 'engineVersion'>;

/**
 * The activations in a range of a partition's tape, in order. No other record is decoded.
 *
 * @param onRead - called with the number of records of each batch.
 */
export async function* activationsIn(
  { reader, registry }: ActivationPorts,
  { partition, from, to }: { readonly partition: number; readonly from: number; readonly to: number },
  onRead: (records: number) => void = () => undefined,
): AsyncGenerator<LoggedActivation> {
  if (from >= to) return;
  for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from, to })) {
    for (const record of records) {
      const found = framedIn(registry, record);
      const framed = found instanceof Promise ? await found : found;
      const event = 'reason' in framed ? undefined : framed.as('EngineActivated');
      if ('reason' in framed || event === undefined) continue;
      const { topic, offset, timestampMs } = record;
      yield { ...{ topic, partition, offset, event, timestampMs }, hash: framed.hash.toString('hex') };
    }
    onRead(records.length);
  }
}

/**
 * The activation in force where an event was derived: the last one before it of its configuration and engine version.
 * The engine writes an anchor right after each activation, so the anchors show where it is; if they do not, because an
 * anchor is missing or forged, the tape before the event is read. Either way it is the tape's own record.
 *
 * @throws TapeproofError UNREACHABLE
 */
export async function activationOfEvent(
  ports: ActivationPorts,
  { tape, configHash, engineVersion }: Derived,
): Promise<LoggedActivation | undefined> {
  const isWanted = ({ event }: LoggedActivation): boolean =>
    event.configHash === configHash && event.engineVersion === engineVersion;
  const { partition } = tape;
  const shownAt = await placeByAnchors(ports, partition, tape.offset);
  const start = await ports.reader.startOffset(TAPE_TOPIC, partition);
  if (shownAt !== undefined && shownAt >= start && shownAt < tape.offset) {
    for await (const found of activationsIn(ports, { partition, from: shownAt, to: shownAt + 1 })) {
      if (isWanted(found)) return found;
    }
  }
  let last: LoggedActivation | undefined;
  for await (const found of activationsIn(ports, { partition, from: start, to: tape.offset })) {
    if (isWanted(found)) last = found;
  }
  return last;
}

/** Tape offset at which the activation in force at another offset is, by the anchors; undefined where they do not show it. */
async function placeByAnchors(ports: ActivationPorts, partition: number, at: number): Promise<number | undefined> {
  const last = await lastAnchor(ports, partition, ({ tape }) => tape.offset <= at);
  if (last === undefined) return undefined;
  const former = await lastAnchor(
    ports,
    partition,
    ({ tape, activationId }) => tape.offset <= at && activationId !== last.anchor.activationId,
  );
  const from = former === undefined ? undefined : former.logOffset + 1;
  const first = await anchorFrom(ports, partition, from);
  return first?.anchor.activationId === last.anchor.activationId ? first.anchor.tape.offset - 1 : undefined;
}

interface FoundAnchor {
  readonly anchor: EngineAnchor;
  /** Offset in the topic of anchors. */
  readonly logOffset: number;
}

/** The last anchor for which a condition holds, if it holds for all those before, by bisection. */
export async function lastAnchor(
  ports: ActivationPorts,
  partition: number,
  holds: (anchor: EngineAnchor) => boolean,
): Promise<FoundAnchor | undefined> {
  let low = await ports.reader.startOffset(ANCHORS_TOPIC, partition);
  let high = await ports.reader.endOffset(ANCHORS_TOPIC, partition);
  let last: FoundAnchor | undefined;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const found = await anchorFrom(ports, partition, middle, high);
    if (found !== undefined && holds(found.anchor)) {
      last = found;
      low = found.logOffset + 1;
    } else high = middle;
  }
  return last;
}

/** The first anchor at or after a place in the topic of anchors; other records are passed. */
async function anchorFrom(
  { reader, registry }: ActivationPorts,
  partition: number,
  from: number | undefined,
  to?: number,
): Promise<FoundAnchor | undefined> {
  const range = {
    from: from ?? (await reader.startOffset(ANCHORS_TOPIC, partition)),
    to: to ?? (await reader.endOffset(ANCHORS_TOPIC, partition)),
  };
  if (range.from >= range.to) return undefined;
  for await (const records of reader.read({
    topic: ANCHORS_TOPIC,
    partition,
    ...range,
    fetchBytesMax: PROBE_BYTES_MAX,
  })) {
    for (const { topic, offset, value } of records) {
      const anchor = await eventIn(registry, { topic, value }, 'EngineAnchor');
      if (anchor !== undefined) return { anchor, logOffset: offset };
    }
  }
  return undefined;
}
