import ICAL from 'ical.js';
import { z } from 'zod';
import { civilMs } from '../../contracts/civil-time.ts';
import { sha256Hex } from '../../contracts/codec.ts';
import type { ContextConfiguration, FeedConfiguration } from './context-configuration.ts';
import { checked, instrumentsNamedIn, linkOf, malformed, signalIdOf, type Interpreted } from './news.ts';
import { publishedUsOf } from './published-time.ts';

/** Events of one calendar that are read; what follows is counted. */
export const CALENDAR_EVENTS_MAX = 1_000;
const TEXT_LENGTH_MAX = 1_000;
const US_PER_MS = 1_000;
const US_PER_SECOND = 1_000_000;
/** PRIORITY of RFC 5545: 1 is the highest, 9 the lowest, 0 undefined. */
const PRIORITY_LOWEST = 9;
/** Place of a property's value in its jCal (RFC 7265, 3.4). */
const JCAL_VALUE = 3;

/** An event of a calendar. */
export interface CalendarEvent {
  readonly position: number;
  readonly id: string | undefined;
  readonly title: string;
  /** Microseconds; a sentence's end where it has no usable time, or was announced at none. */
  readonly time: number | string;
  /** When it was announced; undefined where the calendar does not say. */
  readonly announcedUs: number | undefined;
  /** 0 to 1; undefined where the calendar does not say. */
  readonly importance: number | undefined;
  readonly link: string | undefined;
}

export interface Calendar {
  readonly events: readonly CalendarEvent[];
  readonly notRead: number;
}

const jsonCalendar = z.object({
  events: z.array(
    z.object({
      id: z.string().max(256).optional(),
      title: z.string().max(TEXT_LENGTH_MAX),
      time: z.string().max(64),
      announcedAt: z.string().max(64).optional(),
      importance: z.number().min(0).max(1).optional(),
      link: z.string().optional(),
    }),
  ),
});

/**
 * Reads a calendar: iCalendar (RFC 5545), or JSON `{"events": [{"title", "time", "importance", …}]}`.
 *
 * @returns a sentence's end that says why it is not one.
 */
export function readCalendar(text: string): Calendar | string {
  const all = /^\s*BEGIN:VCALENDAR/i.test(text) ? icalEventsOf(text) : jsonEventsOf(text);
  if (typeof all === 'string') return all;
  return { events: all.slice(0, CALENDAR_EVENTS_MAX), notRead: Math.max(0, all.length - CALENDAR_EVENTS_MAX) };
}

/** The signals of an event: in force around its time, of no direction; the importance is their confidence. */
export function interpretCalendarEvent(
  event: CalendarEvent,
  feed: FeedConfiguration,
  instruments: ContextConfiguration['instruments'],
  receivedAt: number,
): Interpreted {
  const { title, time, id, announcedUs } = event;
  if (typeof time === 'string') return malformed(time);
  if (title === '') return malformed('the event has no title');
  const about = feed.about === 'MARKET' ? [null] : instrumentsNamedIn(title, instruments);
  if (about.length === 0) return { kind: 'passed-over', why: 'no-instrument' };
  const eventTime = Math.min(announcedUs ?? receivedAt, receivedAt);
  const validFrom = Math.max(time - feed.beforeMs * US_PER_MS, eventTime);
  // The engine holds few signals of a kind: those that are far ahead would leave no room for the next ones.
  if (validFrom > receivedAt + feed.aheadMs * US_PER_MS) return { kind: 'passed-over', why: 'too-far-ahead' };
  const validUntil = time + feed.afterMs * US_PER_MS;
  if (validUntil <= validFrom) return malformed('the event was over before it was known');
  const textHash = sha256Hex(title);
  const importance = event.importance ?? feed.defaultImportance;
  return checked(
    about.map((instrument) => ({
      signalId: signalIdOf([feed.name, feed.kind, id ?? null, textHash, time, importance, instrument]),
      ...{ kind: feed.kind, source: `calendar:${feed.name}`, instrument, eventTime, value: 0, confidence: importance },
      ...{ validFrom, validUntil, textHash, link: linkOf(event.link), causes: [], receivedAt },
    })),
  );
}

function jsonEventsOf(text: string): readonly CalendarEvent[] | string {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return 'it is neither iCalendar nor JSON';
  }
  const parsed = jsonCalendar.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return `its ${issue?.path.map(String).join('.') ?? 'content'} is not that of a calendar`;
  }
  return parsed.data.events.map(({ id, title, time, announcedAt, importance, link }, index) => {
    const announcedUs = publishedUsOf(announcedAt);
    const isAnnounced = announcedAt === undefined || announcedUs !== undefined;
    const timeUs = publishedUsOf(time) ?? 'the event has no time with a time zone';
    return {
      ...{ position: index + 1, id, title: title.trim(), announcedUs, importance, link },
      time: isAnnounced ? timeUs : 'the time of its announcement is not one with a time zone',
    };
  });
}

function icalEventsOf(text: string): readonly CalendarEvent[] | string {
  try {
    const calendar = new ICAL.Component(ICAL.parse(text) as unknown[]);
    return calendar.getAllSubcomponents('vevent').map((component, index) => readableEventOf(component, index));
  } catch {
    return 'it is not a readable iCalendar file';
  }
}

/** One event that cannot be read costs no other. */
function readableEventOf(component: ICAL.Component, index: number): CalendarEvent {
  try {
    return icalEventOf(component, index);
  } catch {
    const unknown = { id: undefined, announcedUs: undefined, importance: undefined, link: undefined };
    return { position: index + 1, title: '', time: 'the event cannot be read', ...unknown };
  }
}

function icalEventOf(component: ICAL.Component, index: number): CalendarEvent {
  const textOf = (name: string): string | undefined => {
    const value: unknown = component.getFirstPropertyValue(name);
    return typeof value === 'string' ? value.slice(0, TEXT_LENGTH_MAX).trim() : undefined;
  };
  const stamp: unknown = component.getFirstPropertyValue('dtstamp');
  const priority: unknown = component.getFirstPropertyValue('priority');
  return {
    position: index + 1,
    id: textOf('uid'),
    title: textOf('summary') ?? '',
    time: startOf(component),
    announcedUs: stamp instanceof ICAL.Time ? stamp.toUnixTime() * US_PER_SECOND : undefined,
    importance: importanceOf(priority),
    link: textOf('url'),
  };
}

function startOf(component: ICAL.Component): number | string {
  if (component.hasProperty('rrule') || component.hasProperty('rdate')) return 'the event recurs: give each one alone';
  const start: unknown = component.getFirstPropertyValue('dtstart');
  if (!(start instanceof ICAL.Time)) return 'the event has no beginning';
  if (start.isDate) return 'the event is a whole day: it needs a time';
  if (!exists(component)) return 'the event begins at a time that does not exist';
  if (start.zone.tzid === 'floating') return 'the event has a time without a time zone that the file defines';
  return start.toUnixTime() * US_PER_SECOND;
}

/** The library takes 30 February for 2 March. */
function exists(component: ICAL.Component): boolean {
  const written: unknown = component.getFirstProperty('dtstart')?.jCal[JCAL_VALUE];
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)/.exec(String(written))?.slice(1).map(Number);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts ?? [];
  return civilMs({ year, month, day, hour, minute, second }) !== undefined;
}

function importanceOf(priority: unknown): number | undefined {
  if (typeof priority !== 'number' || !(priority >= 1 && priority <= PRIORITY_LOWEST)) return undefined;
  return (PRIORITY_LOWEST + 1 - priority) / PRIORITY_LOWEST;
}
