import { isoTimeOf } from '../contracts/iso-time.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { compileRules } from '../evaluators/rules.ts';
import { firstOf, lastDecisions, type DecisionLog, type LocatedDecision } from './decision-search.ts';
import { durationText } from './duration-text.ts';
import type { EventLog } from './event-log.ts';

const US_PER_MS = 1_000;

export interface Moment {
  readonly instrument: string;
  readonly partition: number;
  /** Market time, microseconds. */
  readonly timeUs: number;
  /** A decision that is older was not in force; by default its own horizon. */
  readonly maxAgeMs: number | undefined;
  /** The clock of whoever asks. */
  readonly nowUs: number;
}

/** Which decision was in force at a time, and whether it had been published by then: two clocks, two answers. */
export interface DecisionAt {
  readonly instrument: string;
  readonly at: string;
  /** The last decision at or before that market time, its age and for how long it is in force; null without one. */
  readonly decision: AgedDecision | null;
  readonly isInForce: boolean;
  /** Decisions of the same snapshot by other hit rules. */
  readonly alsoThen: readonly string[];
  /** By the clock of the engine that sent it; null where there is no decision, or the log does not say when it was sent. */
  readonly isPublishedBy: boolean | null;
  /** If it was not: the last decision that had been; null if none had. */
  readonly publishedThen: AgedDecision | null;
  /** For people. */
  readonly sentences: readonly string[];
}

export interface AgedDecision {
  readonly eventId: string;
  readonly eventTime: string;
  /** When the engine sent it, by its clock. */
  readonly emittedAt: string | null;
  /** Before the time in question. */
  readonly ageMs: number;
  readonly inForceMs: number;
}

/** Where a decision is searched for. */
export type MomentLog = DecisionLog & Pick<EventLog, 'activation'>;

/**
 * The decision of an instrument at a market time.
 *
 * @returns undefined when the instrument has no decision at all.
 * @throws TapeproofError UNREACHABLE
 */
export async function decisionAt(log: MomentLog, moment: Moment): Promise<DecisionAt | undefined> {
  const { instrument, partition, timeUs } = moment;
  const { last, next } = await lastDecisions(log, partition, instrument, ({ event }) => event.eventTime <= timeUs);
  const later = await firstOf(log, partition, instrument, next, (await log.boundsOfDecisions(partition))[1]);
  const at = isoTimeOf(timeUs);
  if (last.length === 0 && later === undefined) return undefined;
  const nothing = { instrument, at, decision: null, isInForce: false, alsoThen: [], isPublishedBy: null };
  if (later === undefined && timeUs > moment.nowUs) {
    const sentence = `${at} is in the future: which decision will be in force then is not known yet.`;
    return { ...nothing, publishedThen: null, sentences: [sentence] };
  }
  const chosen = last.findLast((decision) => isInForce(decision, moment)) ?? longestOf(last);
  if (chosen === undefined) {
    const first = later === undefined ? '' : `: its first is ${nameOf(later)}`;
    const sentence = `There is no decision for ${instrument} at or before ${at}${first}.`;
    return { ...nothing, publishedThen: null, sentences: [sentence] };
  }
  const decision = agedOf(chosen, moment);
  const found = {
    ...{ instrument, at, decision },
    alsoThen: last.flatMap((other) => (other === chosen ? [] : [other.event.eventId])),
  };
  if (!isInForce(chosen, moment)) {
    const sentence = await staleText(log, chosen, moment);
    return { ...found, isInForce: false, isPublishedBy: null, publishedThen: null, sentences: [sentence] };
  }
  return { ...found, isInForce: true, ...(await publicationOf(log, chosen, moment)) };
}

function inForceMsOf({ event }: LocatedDecision, { maxAgeMs }: Moment): number {
  return maxAgeMs ?? event.hitRule.horizonMs;
}

/** The one of a snapshot that was in force longest. */
function longestOf(decisions: readonly LocatedDecision[]): LocatedDecision | undefined {
  return decisions.toSorted((left, right) => left.event.hitRule.horizonMs - right.event.hitRule.horizonMs).at(-1);
}

function ageMsOf({ event }: LocatedDecision, { timeUs }: Moment): number {
  return (timeUs - event.eventTime) / US_PER_MS;
}

function isInForce(decision: LocatedDecision, moment: Moment): boolean {
  return ageMsOf(decision, moment) <= inForceMsOf(decision, moment);
}

function agedOf(decision: LocatedDecision, moment: Moment): AgedDecision {
  const { eventId, eventTime } = decision.event;
  return {
    ...{ eventId, eventTime: isoTimeOf(eventTime), emittedAt: decision.emittedAt ?? null },
    ...{ ageMs: ageMsOf(decision, moment), inForceMs: inForceMsOf(decision, moment) },
  };
}

function nameOf({ event }: LocatedDecision): string {
  return `${event.eventId} of ${isoTimeOf(event.eventTime)}`;
}

/** Why the last decision was no longer in force, and whether the market was closed. */
async function staleText(log: MomentLog, decision: LocatedDecision, moment: Moment): Promise<string> {
  const { instrument, timeUs, maxAgeMs } = moment;
  const bound = durationText(inForceMsOf(decision, moment));
  const limit = maxAgeMs === undefined ? `its horizon of ${bound}` : `the ${bound} of --max-age`;
  const excess = durationText(ageMsOf(decision, moment) - inForceMsOf(decision, moment));
  const activation = await log.activation(decision.event);
  const closed = activation !== undefined && isClosed(activation.event.configuration, instrument, timeUs);
  const why = closed ? ` (${instrument} is outside its trading hours then)` : '';
  return `The last decision for ${instrument} before ${isoTimeOf(timeUs)} is ${nameOf(decision)}, ${durationText(ageMsOf(decision, moment))} earlier, which is ${excess} older than ${limit}: no decision was in force${why}.`;
}

function isClosed(configuration: string, instrument: string, timeUs: number): boolean {
  const { calendar } = compileRules(parseConfiguration(JSON.parse(configuration))).of(instrument);
  return calendar.sessionAt(timeUs) === undefined;
}

/** Whether the decision had been sent by then; if not, which one had been. */
async function publicationOf(
  log: MomentLog,
  decision: LocatedDecision,
  moment: Moment,
): Promise<Pick<DecisionAt, 'isPublishedBy' | 'publishedThen' | 'sentences'>> {
  const { instrument, partition, timeUs } = moment;
  const at = isoTimeOf(timeUs);
  const byMarket = `In force at ${at} by market time: ${nameOf(decision)}, ${durationText(ageMsOf(decision, moment))} earlier.`;
  const { emittedAt } = decision;
  if (emittedAt === undefined) {
    const sentence = 'Whether it had been published by then is not known: the log does not say when it was sent.';
    return { isPublishedBy: null, publishedThen: null, sentences: [byMarket, sentence] };
  }
  const atMs = timeUs / US_PER_MS;
  if (Date.parse(emittedAt) <= atMs) {
    const sentence = `It had been published by then: the engine sent it at ${emittedAt}, by its own clock.`;
    return { isPublishedBy: true, publishedThen: null, sentences: [byMarket, sentence] };
  }
  const delay = durationText(Date.parse(emittedAt) - atMs);
  const notYet = `It had NOT been published by then: the engine sent it at ${emittedAt} by its own clock, ${delay} later.`;
  const wasSent = ({ emittedAt: sent }: LocatedDecision): boolean => Date.parse(sent ?? '') <= atMs;
  const { last } = await lastDecisions(log, partition, instrument, wasSent);
  const published = last.at(-1);
  if (published === undefined) {
    const sentence = `No decision for ${instrument} had been published by then.`;
    return { isPublishedBy: false, publishedThen: null, sentences: [byMarket, notYet, sentence] };
  }
  const stale = isInForce(published, moment) ? '' : ', no longer in force';
  const sentence = `The last one that had been published by then is ${nameOf(published)}, sent at ${published.emittedAt ?? ''}${stale}.`;
  return { isPublishedBy: false, publishedThen: agedOf(published, moment), sentences: [byMarket, notYet, sentence] };
}
