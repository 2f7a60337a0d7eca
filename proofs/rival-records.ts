import type { DerivedEvent } from '../contracts/topics.ts';
import { counted } from '../platform/counted.ts';
import type { Check } from './audit-checks.ts';
import type { Chain } from './chain.ts';
import { SEARCHED_NEAR_RECORDS, type EventLog, type Located } from './event-log.ts';

/** Rivals that are named. */
const NAMED_MAX = 3;

/**
 * Checks that no other record near the events of a chain claims the sequence of one of them with other bytes: one that
 * was forged before it, or a repetition with other bytes. Readers that keep the first one hold another event than this.
 */
export async function checkRivals(
  log: Pick<EventLog, 'rivalsOf'>,
  { snapshot, results, decision, outcome }: Chain,
): Promise<Check> {
  const chain: readonly (Located<DerivedEvent> | undefined)[] = [outcome, decision, ...results, snapshot];
  const rivals: string[] = [];
  for (const located of chain) {
    if (located === undefined) continue;
    for (const rival of await log.rivalsOf(located)) rivals.push(rivalText(located, rival));
  }
  const more = rivals.length - NAMED_MAX;
  return {
    name: 'no other record claims a place of this chain',
    restsOn: 'the records of the log near each event',
    passed: rivals.length === 0,
    detail:
      rivals.length === 0
        ? `each sequence stands once, or again with the same bytes, within ${counted(SEARCHED_NEAR_RECORDS, 'record')} before and after it`
        : `${rivals.slice(0, NAMED_MAX).join('; ')}${more > 0 ? `; and ${more} more` : ''}`,
  };
}

function rivalText({ event, offset }: Located<DerivedEvent>, rival: Located<DerivedEvent>): string {
  const isBefore = rival.offset < offset;
  const effect = isBefore ? ', and readers that keep the first one hold that one' : '';
  return `${rival.topic}-${rival.partition} holds another event ${isBefore ? 'before' : 'after'} ${event.eventId}, at log offset ${rival.offset}, under sequence ${rival.event.sequence} (${rival.event.eventId}) with other bytes${effect}`;
}
