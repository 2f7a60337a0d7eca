import type { DerivedTopic } from '../../contracts/topics.ts';
import type { EventLog } from '../event-log.ts';
import type { TopicEvent } from './decision-comparison.ts';

/** A topic's events of one partition, each once, as far as they are caused by a part of the tape. */
export class RecordedEvents {
  private readonly events: AsyncGenerator<TopicEvent>;
  private head: TopicEvent | undefined;
  private isRead = false;
  private repetitions = 0;
  private lastOffset = -1;

  constructor(log: Pick<EventLog, 'sequenced'>, topic: DerivedTopic, partition: number) {
    this.events = named(log, topic, partition, () => (this.repetitions += 1));
  }

  /** Events that the log has once more, as far as it was read: set aside. */
  get repeated(): number {
    return this.repetitions;
  }

  /** The first tape offset from which on the log has no event, once it was read to its end; infinite before. */
  get recordedTo(): number {
    return this.isRead ? this.lastOffset + 1 : Number.POSITIVE_INFINITY;
  }

  /** The next events that tape records before this offset caused. @throws TapeproofError UNREACHABLE */
  async before(tapeOffset: number): Promise<readonly TopicEvent[]> {
    const found: TopicEvent[] = [];
    for (let next = await this.peek(); next !== undefined; next = await this.peek()) {
      if (next.event.tape.offset >= tapeOffset) break;
      found.push(next);
      this.head = undefined;
    }
    return found;
  }

  async close(): Promise<void> {
    await this.events.return(undefined);
  }

  private async peek(): Promise<TopicEvent | undefined> {
    if (this.head !== undefined || this.isRead) return this.head;
    const next = await this.events.next();
    if (next.done === true) {
      this.isRead = true;
      return undefined;
    }
    this.lastOffset = next.value.event.tape.offset;
    this.head = next.value;
    return this.head;
  }
}

async function* named(
  log: Pick<EventLog, 'sequenced'>,
  topic: DerivedTopic,
  partition: number,
  onRepeated: () => void,
): AsyncGenerator<TopicEvent> {
  for await (const { event } of log.sequenced(topic, partition, onRepeated)) yield { topic, event };
}
