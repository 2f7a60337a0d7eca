import { DERIVED_TOPICS, type DerivedEvent, type TopicName } from '../contracts/topics.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import type { EventReader } from './event-reader.adapter.ts';
import type { ProjectorOf } from './projector.ts';
import type { Position, Sink } from './sink.ts';

/** The result for a record that a projector had refused. */
export interface Redelivery {
  readonly action: 'delivered' | 'already' | 'refused';
  /** For people: why. */
  readonly detail: string;
}

const SEQUENCED: ReadonlySet<string> = new Set(DERIVED_TOPICS);
const ALREADY = { action: 'already', detail: 'the read model already has it' } as const;

/**
 * Writes a record that a projector passed over as a dead letter to its store: values and position together, so that a
 * repetition changes nothing and a running process continues after it. In a derived topic it must be exactly the next
 * event.
 *
 * @throws TapeproofError UNREACHABLE, REGISTRY_CHANGED, FOREIGN_TAPE
 */
export async function redeliver<Output>(
  projector: Pick<ProjectorOf<Output>, 'name' | 'project'>,
  sink: Sink<Output>,
  read: EventReader,
  record: LogRecord,
): Promise<Redelivery> {
  const { partition, offset } = record;
  const topic = record.topic as TopicName;
  const position = await sink.position(topic, partition);
  if (offset >= position.nextOffset) {
    return { action: 'refused', detail: `${projector.name} has not reached it yet, and will read it in turn` };
  }
  const outcome = await read(record);
  if (outcome.kind === 'dead')
    return { action: 'refused', detail: `it still cannot be used: ${outcome.letter.detail}` };
  if (outcome.kind === 'skipped') return { action: 'already', detail: `${projector.name} does not use it` };
  const { source } = outcome;
  let { nextSequence } = position;
  if (SEQUENCED.has(topic)) {
    const { sequence } = source.event as DerivedEvent;
    if (sequence < nextSequence) return ALREADY;
    if (sequence > nextSequence) return outOfTurn(projector.name, sequence, nextSequence);
    nextSequence += 1;
  }
  const output = projector.project(source);
  const to: Position = { nextOffset: position.nextOffset, nextSequence };
  const application = await sink.apply({
    ...{ topic, partition, from: position, to, dead: 0, repeated: [] },
    admitted: output.length === 0 ? [] : [{ offset, output }],
    ignored: output.length === 0 ? 1 : 0,
  });
  if (application.kind !== 'applied') {
    return { action: 'refused', detail: `${projector.name} is being written by another process: run this again` };
  }
  const { counts } = application;
  if (counts.conflict > 0)
    return { action: 'refused', detail: 'it contradicts a stored record: see tapeproof.conflicts' };
  return counts.applied > 0 ? { action: 'delivered', detail: `written to ${projector.name}` } : ALREADY;
}

function outOfTurn(name: string, sequence: number, next: number): Redelivery {
  const detail = `it is event ${sequence} but ${next} is next: run "npx tapeproof projector rebuild ${name}"`;
  return { action: 'refused', detail };
}
