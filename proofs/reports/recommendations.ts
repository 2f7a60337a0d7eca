import type { EngineActivated, EventTypes, Outcome } from '../../contracts/generated/events.ts';
import { isoTimeOf } from '../../contracts/iso-time.ts';
import type { DerivedEvent, DerivedName } from '../../contracts/topics.ts';
import { TOPIC_OF_DERIVED } from '../../contracts/topics.ts';
import { parseConfiguration, type EngineConfiguration } from '../../evaluators/configuration.ts';
import { TapeproofError } from '../../platform/errors.ts';
import type { LoggedActivation } from '../activation-log.ts';
import type { CheckpointReference } from '../checkpoints/references.adapter.ts';
import { lastDecisions, type LocatedDecision } from '../decision-search.ts';
import type { EventLog } from '../event-log.ts';
import { reasoningOf } from '../formulas.ts';
import type { Located } from '../located.ts';
import { summaryOf } from '../provenance.ts';
import { signalsBehind } from '../result-signals.ts';
import { UNSETTLED } from '../settlement.ts';
import { recommendationOf, type Recommendation } from './recommendation.ts';

/** Decisions of one report: they are in memory. */
export const RECOMMENDATIONS_MAX = 10_000;

export interface RecommendationsAsked {
  readonly instrument: string;
  readonly partition: number;
  /** Market times, microseconds: from the first on, before the second. */
  readonly fromUs: number;
  readonly toUs: number;
}

export interface RecommendationsReport {
  readonly document: readonly string[];
  readonly instrument: string;
  readonly from: string;
  readonly to: string;
  readonly recommendations: readonly Recommendation[];
}

/** What the document is, and what it is not. */
export const DOCUMENT: readonly string[] = [
  'These are probabilities, computed by published formulas from trades that were recorded. They are not predictions, and not advice.',
  'The items are those of Article 20 of Regulation (EU) No 596/2014 and of Delegated Regulation (EU) 2016/958 that the log records: time, assumptions, substantiation, validity, who, and outcome.',
  'Not recorded here, and to be added by whoever publishes: interests and conflicts of interest, the competent authority, and to whom it was disseminated.',
  'Times of production are market times of the tape; times of publication are by the clock of the engine that sent the event.',
];

/** Where a report reads. */
export type ReportLog = Pick<
  EventLog,
  'range' | 'boundsOfDecisions' | 'firstAtOrAfter' | 'endOf' | 'activation' | 'signalAt'
>;

/** The recorded checkpoints that have decisions, by event id. */
export type CheckpointsLookup = (
  decisions: readonly LocatedDecision[],
  tapeId: string,
) => Promise<ReadonlyMap<string, CheckpointReference>>;

/**
 * The decisions of an instrument in a period, each with its assumptions and substantiation. Reads only the parts of the
 * logs that belong to the period, and the outcomes up to the last one of these decisions.
 *
 * @throws TapeproofError USAGE for a period with too many decisions; CHECK_FAILED for a broken chain; UNREACHABLE.
 */
export async function recommendationsReport(
  log: ReportLog,
  asked: RecommendationsAsked,
  checkpointsIn?: CheckpointsLookup,
): Promise<RecommendationsReport> {
  const { instrument, fromUs, toUs } = asked;
  const decisions = await decisionsIn(log, asked);
  const report = { document: DOCUMENT, instrument, from: isoTimeOf(fromUs), to: isoTimeOf(toUs) };
  if (decisions.length === 0) return { ...report, recommendations: [] };
  const results = await eventsById(log, 'StrategyResult', decisions);
  const snapshots = await eventsById(log, 'IndicatorSnapshot', decisions);
  const outcomes = await outcomesOf(log, decisions);
  const signals = await signalsBehind(log, [...results.values()]);
  const inForce = await activationsOf(log, decisions);
  const [first] = inForce.values();
  const checkpoints = await checkpointsIn?.(decisions, first?.activation.event.tapeId ?? '');
  return {
    ...report,
    recommendations: decisions.map((decision) => {
      const { event } = decision;
      const held = event.contributions.map(({ resultId }) => required(results.get(resultId), resultId, event));
      const snapshotId = held[0]?.event.causes[0] ?? '';
      const snapshot = required(snapshots.get(snapshotId), snapshotId, event);
      const { activation, configuration } = required(inForce.get(event.eventId), event.configHash, event);
      const chain = {
        ...UNSETTLED,
        outcome: undefined,
        pendingUntil: undefined,
        decision,
        results: held,
        signals,
        snapshot,
      };
      return recommendationOf({
        ...{ decision, results: held, snapshot, configuration },
        activation: summaryOf(activation),
        outcome: outcomes.get(event.eventId),
        checkpoint: checkpoints?.get(event.eventId),
        reasoning: reasoningOf(chain, configuration),
      });
    }),
  };
}

async function decisionsIn(
  log: ReportLog,
  { instrument, partition, fromUs, toUs }: RecommendationsAsked,
): Promise<LocatedDecision[]> {
  const [begin, end] = [
    await lastDecisions(log, partition, instrument, ({ event }) => event.eventTime < fromUs),
    await lastDecisions(log, partition, instrument, ({ event }) => event.eventTime < toUs),
  ];
  const decisions = new Map<string, LocatedDecision>();
  for await (const decision of log.range('ProbabilityDecision', partition, begin.next, end.next)) {
    const { event } = decision;
    const isAsked = event.instrument === instrument && event.eventTime >= fromUs && event.eventTime < toUs;
    // A restarted engine may repeat its last events: the first copy counts.
    if (isAsked && !decisions.has(event.eventId)) decisions.set(event.eventId, decision);
    if (decisions.size > RECOMMENDATIONS_MAX) {
      throw new TapeproofError(
        'USAGE',
        `There are more than ${RECOMMENDATIONS_MAX.toLocaleString('en')} decisions for ${instrument} in that time: ask for a shorter one.`,
      );
    }
  }
  return [...decisions.values()];
}

/** The events of the instrument and type that have the same places on the tape as the decisions, by id. */
async function eventsById<Name extends DerivedName>(
  log: ReportLog,
  name: Name,
  decisions: readonly LocatedDecision[],
): Promise<ReadonlyMap<string, Located<EventTypes[Name]>>> {
  const found = new Map<string, Located<EventTypes[Name]>>();
  const { partition, first, last, instrument } = extentOf(decisions);
  const topic = TOPIC_OF_DERIVED[name];
  const from = await log.firstAtOrAfter(topic, partition, first);
  for await (const located of log.range(name, partition, from, await log.endOf(topic, partition))) {
    const { eventId, tape, instrument: of } = located.event;
    if (tape.offset > last) break;
    if (of === instrument && !found.has(eventId)) found.set(eventId, located);
  }
  return found;
}

/** The outcomes so far, by the id of the decision. */
async function outcomesOf(
  log: ReportLog,
  decisions: readonly LocatedDecision[],
): Promise<ReadonlyMap<string, Located<Outcome>>> {
  const waiting = new Set(decisions.flatMap(({ event }) => (event.direction === 'NEUTRAL' ? [] : [event.eventId])));
  const lastDueUs = Math.max(...decisions.map(({ event }) => event.eventTime + event.hitRule.horizonMs * 1_000));
  const found = new Map<string, Located<Outcome>>();
  const { partition, first, instrument } = extentOf(decisions);
  const topic = TOPIC_OF_DERIVED.Outcome;
  const from = await log.firstAtOrAfter(topic, partition, first);
  for await (const located of log.range('Outcome', partition, from, await log.endOf(topic, partition))) {
    const { forecastId, instrument: of, dueTime, causes } = located.event;
    if (waiting.delete(forecastId)) found.set(forecastId, located);
    // A trade resolves an instrument's forecasts in the order they fall due.
    const isPast = of === instrument && causes[1]?.startsWith('trade-') === true && dueTime > lastDueUs;
    if (waiting.size === 0 || isPast) break;
  }
  return found;
}

interface InForce {
  readonly activation: LoggedActivation;
  readonly configuration: EngineConfiguration;
}

/** The activation of each decision. While the first and the last of a stretch have the same one, so have those between. */
async function activationsOf(
  log: ReportLog,
  decisions: readonly LocatedDecision[],
): Promise<ReadonlyMap<string, InForce>> {
  const found = new Map<string, InForce>();
  const parsed = new Map<string, EngineConfiguration>();
  const inForceAt = async ({ event }: LocatedDecision): Promise<InForce> => {
    const activation = required(await log.activation(event), event.configHash, event);
    const { activationId, configuration: text }: EngineActivated = activation.event;
    const configuration = parsed.get(activationId) ?? parseConfiguration(JSON.parse(text));
    parsed.set(activationId, configuration);
    return { activation, configuration };
  };
  const settle = async (stretch: readonly LocatedDecision[]): Promise<void> => {
    const [first, last] = [stretch[0], stretch.at(-1)];
    if (first === undefined || last === undefined) return;
    const [atFirst, atLast] = [await inForceAt(first), await inForceAt(last)];
    if (atFirst.activation.offset === atLast.activation.offset) {
      for (const { event } of stretch) found.set(event.eventId, atFirst);
      return;
    }
    if (stretch.length === 2) {
      found.set(first.event.eventId, atFirst).set(last.event.eventId, atLast);
      return;
    }
    const middle = Math.floor(stretch.length / 2);
    await settle(stretch.slice(0, middle));
    await settle(stretch.slice(middle));
  };
  await settle(decisions);
  return found;
}

function extentOf(decisions: readonly LocatedDecision[]) {
  const offsets = decisions.map(({ event }) => event.tape.offset);
  const [decision] = decisions;
  if (decision === undefined) throw new RangeError('a report needs a decision');
  const { tape, instrument } = decision.event;
  return { partition: tape.partition, instrument, first: Math.min(...offsets), last: Math.max(...offsets) };
}

function required<Value>(value: Value | undefined, what: string, { eventId }: DerivedEvent): Value {
  if (value !== undefined) return value;
  throw new TapeproofError(
    'CHECK_FAILED',
    `The chain of ${eventId} is broken: ${JSON.stringify(what)}, which it names, is not in the log.`,
  );
}
