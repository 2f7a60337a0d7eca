import { canonicalJson } from '../../contracts/canonical-json.ts';
import { deadLetterOfRow, deadLetterPayloadOf } from '../../contracts/dead-letter.ts';
import type { ContextSignal, DeadLetter } from '../../contracts/generated/events.ts';
import { interpretCalendarEvent, readCalendar } from './calendar.ts';
import type { ContextConfiguration, FeedConfiguration } from './context-configuration.ts';
import { readFeed } from './feed.ts';
import { interpretNews, type Interpreted } from './news.ts';

/** What one reading of a feed gives. */
export interface FeedRound {
  /** Items or events read. */
  readonly items: number;
  /** Those beyond the bound. */
  readonly notRead: number;
  readonly signals: readonly ContextSignal[];
  readonly deadLetters: readonly DeadLetter[];
  readonly passedOver: Readonly<Record<PassedOver, number>>;
}

type PassedOver = Extract<Interpreted, { readonly kind: 'passed-over' }>['why'];

/**
 * The signals of a feed's text.
 *
 * @param reader - names the producer in dead letters.
 * @param receivedAt - when it was read, microseconds.
 * @returns a sentence's end where the text is not a feed.
 */
export function roundOf(
  text: string,
  feed: FeedConfiguration,
  instruments: ContextConfiguration['instruments'],
  reader: string,
  receivedAt: number,
): FeedRound | string {
  const read = interpretedIn(text, feed, instruments, receivedAt);
  if (typeof read === 'string') return read;
  const signals: ContextSignal[] = [];
  const deadLetters: DeadLetter[] = [];
  const passedOver = { 'no-instrument': 0, 'no-tone': 0, 'too-far-ahead': 0 };
  for (const { item, position, interpreted } of read.all) {
    if (interpreted.kind === 'signals') signals.push(...interpreted.signals);
    else if (interpreted.kind === 'passed-over') passedOver[interpreted.why] += 1;
    else {
      const place = { file: `feed:${feed.name}`, line: position, ordinal: 0 };
      const payload = deadLetterPayloadOf(Buffer.from(canonicalJson(item)));
      deadLetters.push(deadLetterOfRow(reader, place, payload, interpreted.refusal));
    }
  }
  return { items: read.all.length, notRead: read.notRead, signals, deadLetters, passedOver };
}

interface Read {
  readonly all: readonly { readonly item: object; readonly position: number; readonly interpreted: Interpreted }[];
  readonly notRead: number;
}

function interpretedIn(
  text: string,
  feed: FeedConfiguration,
  instruments: ContextConfiguration['instruments'],
  receivedAt: number,
): Read | string {
  if (feed.kind === 'CALENDAR_EVENT') {
    const calendar = readCalendar(text);
    if (typeof calendar === 'string') return calendar;
    const all = calendar.events.map((item) => {
      return {
        item,
        position: item.position,
        interpreted: interpretCalendarEvent(item, feed, instruments, receivedAt),
      };
    });
    return { all, notRead: calendar.notRead };
  }
  const read = readFeed(text);
  if (typeof read === 'string') return read;
  const all = read.items.map((item) => {
    return { item, position: item.position, interpreted: interpretNews(item, feed, instruments, receivedAt) };
  });
  return { all, notRead: read.notRead };
}
