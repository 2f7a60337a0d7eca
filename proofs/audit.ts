import type { EventTypes, Outcome, TradeGap } from '../contracts/generated/events.ts';
import type { DerivedEvent } from '../contracts/topics.ts';
import { TapeproofError } from '../platform/errors.ts';
import {
  ENGINE_VERSION,
  hasTheseFormulas,
  parseConfiguration,
  type EngineConfiguration,
} from '../evaluators/configuration.ts';
import { sha256Hex } from '../contracts/codec.ts';
import { reasoningOf } from './formulas.ts';
import { isVerifiable, notDerivedOf, verify, type NotDerived, type VerifyPorts } from './verify.ts';
import { admissionOf, type Admission } from './admission.ts';
import type { LoggedActivation } from './activation-log.ts';
import { amendedSince, type AmendedSince } from './amended-since.ts';
import { checkChain, checkTrades, type Check } from './audit-checks.ts';
import type { Chain, Forecast } from './chain.ts';
import { parseEventId, type EventId } from './event-id.ts';
import type { EventLog, Located } from './event-log.ts';
import { evidenceOf, type CountedTrade, type Evidence } from './evidence.ts';
import { sentMsOf, type Checkpointed, type ForecastTimes } from './checkpoints/witnessed-before.ts';
import { provenanceOf, type Provenance } from './provenance.ts';
import { checkRivals } from './rival-records.ts';
import { signalsBehind } from './result-signals.ts';
import { settlementOf, UNSETTLED, type Settlement } from './settlement.ts';

/** The input of an audit: the log in Kafka, or a test's own. */
export type AuditedLog = Pick<
  EventLog,
  | 'find'
  | 'follow'
  | 'outcomeOf'
  | 'activation'
  | 'market'
  | 'amendmentsAfter'
  | 'endOfTape'
  | 'rivalsOf'
  | 'sumsBefore'
  | 'signalAt'
>;

/** Records of the tape after a decision in which amendments are searched for, unless it is derived again. */
const AMENDMENTS_SEARCHED_RECORDS = 20_000;
/** Records of the tape from a snapshot's first trade to its last that are all read; of more, those since an anchor. */
const ADDED_UP_RECORDS_MAX = 20_000;

/** The trades behind a snapshot, from the tape itself. */
export interface TradeEvidence {
  /** Offsets of the tape that the snapshot covers by its own figures. */
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** Trades of the instrument there that count, each once; with an anchor, those of the session before it and all since. */
  readonly count: number;
  /** Tape offset of the anchor whose state has the sums before it; null where every trade was read. */
  readonly anchoredAt: number | null;
  readonly first: CountedTrade;
  readonly last: CountedTrade;
  /** Every one of them; empty unless requested. */
  readonly all: readonly CountedTrade[];
  /** Remarks on trades that were left out there, and on some that count. */
  readonly remarks: Evidence['remarks'];
  /** Trades of the instrument that happened and are not on the tape there. */
  readonly missing: number;
  /** The gaps on the tape; a gap that was filled later is among them. */
  readonly gaps: readonly Located<TradeGap>[];
}

/** An outcome's chain down to the trades, with the checks on the way. */
export interface AuditReport extends Chain {
  readonly asked: string;
  readonly provenance: Provenance;
  readonly trades: TradeEvidence;
  /** By event id: the formula with its figures behind each forecast, for people. */
  readonly reasoning: Readonly<Record<string, string>>;
  /** Later amendments of these trades and of the resolving one. */
  readonly amendedSince: AmendedSince;
  readonly checks: readonly Check[];
  /** Events that were to be derived again and could not be: the checks are only a part of what was asked for. */
  readonly notDerived: readonly NotDerived[];
  readonly notChecked: readonly string[];
}

export interface AuditOptions {
  /** Keep every trade, not only the first and the last. */
  readonly listTrades: boolean;
  /** Derive the chain again from the nearest anchor, reading with these, and compare the bytes. */
  readonly verifyWith: VerifyPorts | undefined;
  /** Looks the recorded checkpoints of the forecast up, or those of the snapshot. */
  readonly checkpointedIn?: CheckpointLookup;
}

/** @param times - undefined for an event that has no outcome. @returns null while no checkpoint has it. */
export type CheckpointLookup = (
  located: Located<DerivedEvent>,
  tapeId: string,
  times: ForecastTimes | undefined,
) => Promise<Checkpointed | null>;

/**
 * Walks an event's chain straight from Kafka and checks each link.
 *
 * @throws TapeproofError USAGE for a malformed id, NOT_FOUND for an unknown one, CHECK_FAILED for a broken chain.
 */
export async function audit(
  log: AuditedLog,
  asked: string,
  { listTrades, verifyWith, checkpointedIn }: AuditOptions,
): Promise<AuditReport> {
  const walked = await walk(log, idOf(asked));
  const snapshot = walked.snapshot.event;
  const inForce = await inForceAt(log, snapshot);
  const admission = admissionOf(inForce.configuration, snapshot);
  const isLong = snapshot.lastOffset - snapshot.firstOffset > ADDED_UP_RECORDS_MAX;
  const isWhole = listTrades || verifyWith !== undefined || !isLong;
  const before = isWhole ? undefined : await log.sumsBefore(snapshot);
  const evidence = await evidenceOf(log, snapshot, admission, before);
  const chain: Chain = { ...walked, ...(await settled(log, walked, inForce, evidence)) };
  const { trades, gaps, missing, remarks, first } = evidence;
  const last = trades.at(-1);
  if (first === undefined || last === undefined) {
    throw new TapeproofError('CHECK_FAILED', `${snapshot.eventId} has no trades on the tape: the tape was cut.`);
  }
  const { firstOffset, lastOffset, tape, instrument } = snapshot;
  const resolving = chain.resolvingTrade?.event;
  const isInForceThroughout = inForce.offset < firstOffset || evidence.before !== undefined;
  const since = await amendedSince(
    log,
    tape,
    instrument,
    ({ tradeId, eventTime }) =>
      evidence.isBehind(tradeId, eventTime) || (tradeId === resolving?.tradeId && eventTime === resolving.eventTime),
    verifyWith === undefined ? AMENDMENTS_SEARCHED_RECORDS : Number.POSITIVE_INFINITY,
  );
  return {
    asked,
    ...chain,
    provenance: provenanceOf(
      chain,
      evidence.before === undefined ? trades : [first, ...trades],
      inForce.activation,
      await checkpointedIn?.(forecastOf(chain) ?? chain.snapshot, inForce.activation.event.tapeId, timesOf(chain)),
    ),
    trades: {
      firstOffset,
      lastOffset,
      count: trades.length + sessionCountBefore(evidence, admission, snapshot),
      anchoredAt: evidence.before?.offset ?? null,
      first,
      last,
      all: listTrades ? trades : [],
      remarks,
      missing,
      gaps,
    },
    reasoning: reasoningOf(chain, inForce.configuration),
    amendedSince: since,
    checks: [
      ...checkChain(chain, inForce.configuration),
      ...checkTrades(snapshot, evidence, admission, isInForceThroughout),
      await checkRivals(log, chain),
      ...(verifyWith === undefined || !isVerifiable(chain) ? [] : [await verify(chain, verifyWith)]),
    ],
    notDerived: verifyWith === undefined ? [] : await notDerivedOf(log, chain),
    notChecked: notChecked(snapshot, {
      ...{ missing, isInForceThroughout, since, isVerified: verifyWith !== undefined },
      anchoredAt: evidence.before?.offset,
    }),
  };
}

function sessionCountBefore(
  { before }: Evidence,
  { sessionOf }: Admission,
  { eventTime }: EventTypes['IndicatorSnapshot'],
): number {
  return before?.sessionOf(sessionOf(eventTime) ?? Number.NaN).count ?? 0;
}

/** The forecast of a chain; undefined for a snapshot's. */
function forecastOf({ decision, results }: Walked): Located<Forecast> | undefined {
  return decision ?? results[0];
}

function timesOf(chain: Walked): ForecastTimes | undefined {
  const forecast = forecastOf(chain);
  if (forecast === undefined || forecast.event.direction === 'NEUTRAL') return undefined;
  const { eventTime, hitRule } = forecast.event;
  return {
    sentMs: sentMsOf(forecast),
    dueUs: eventTime + hitRule.horizonMs * 1_000,
    outcomeSentMs: sentMsOf(chain.outcome),
  };
}

function notChecked(
  { engineVersion }: EventTypes['IndicatorSnapshot'],
  found: {
    readonly missing: number;
    readonly isInForceThroughout: boolean;
    readonly since: AmendedSince;
    readonly isVerified: boolean;
    readonly anchoredAt: number | undefined;
  },
): string[] {
  const { missing, isInForceThroughout, since, isVerified, anchoredAt } = found;
  return [
    'that the venue reported these trades exactly as they are on the tape',
    'that the rows in Postgres and the values in Redis agree: "tapeproof projector rebuild NAME" compares them',
    ...(missing === 0 ? [] : [`the effect that the ${missing.toLocaleString('en')} missing trades would have had`]),
    ...(anchoredAt === undefined
      ? []
      : [
          `each trade before tape offset ${anchoredAt.toLocaleString('en')}, and gaps and trades set aside there: the sums of the session up to there are those of the engine's state: add --verify to add up every trade`,
        ]),
    ...(isInForceThroughout
      ? []
      : ['the last digits of sums that began under an earlier activation, and the trades set aside under it']),
    ...(since.recordsNotSearched === 0
      ? []
      : [
          `whether these trades were amended in the last ${since.recordsNotSearched.toLocaleString('en')} records of the tape: add --verify`,
        ]),
    ...(engineVersion === ENGINE_VERSION ? [] : [foreignFormulas(engineVersion)]),
    ...(isVerified
      ? []
      : ['the profile and the range, and that the engine derives the same bytes again: add --verify']),
  ];
}

function foreignFormulas(engineVersion: string): string {
  const formulas = hasTheseFormulas(engineVersion) ? '' : 'the formulas, and ';
  return `${formulas}that the same bytes are derived again: engine ${engineVersion} derived this, and this build is ${ENGINE_VERSION}`;
}

/** A configuration, and where on the tape it was put in force. */
interface InForce {
  readonly configuration: EngineConfiguration;
  readonly configHash: string;
  readonly offset: number;
  readonly activation: LoggedActivation;
}

/** The activation in force for an event. */
async function inForceAt(log: AuditedLog, event: DerivedEvent): Promise<InForce> {
  const { configHash, eventId } = event;
  const activation = await log.activation(event);
  if (activation === undefined || sha256Hex(activation.event.configuration) !== configHash) {
    throw new TapeproofError(
      'CHECK_FAILED',
      `No activation on the tape before ${eventId} has its configuration ${configHash}.`,
    );
  }
  const configuration = parseConfiguration(JSON.parse(activation.event.configuration));
  return { configuration, configHash, offset: activation.offset, activation };
}

/** The settlement of a chain's forecast, by the configuration in force then. */
async function settled(log: AuditedLog, walked: Walked, atSnapshot: InForce, evidence: Evidence): Promise<Settlement> {
  const { outcome, decision, results } = walked;
  const forecast = decision?.event ?? results[0]?.event;
  if (outcome === undefined || forecast === undefined) return UNSETTLED;
  const isSame = outcome.event.configHash === atSnapshot.configHash;
  const { configuration } = isSame ? atSnapshot : await inForceAt(log, outcome.event);
  const { eventTime, hitRule } = forecast;
  const registered = { offset: walked.snapshot.event.lastOffset, eventTime, hitRule, isKnown: evidence.isBehind };
  return settlementOf(log, outcome.event, registered, admissionOf(configuration, outcome.event));
}

function idOf(text: string): EventId {
  const id = parseEventId(text);
  if (id === undefined) {
    throw new TapeproofError(
      'USAGE',
      `${JSON.stringify(text.slice(0, 100))} is not an event id: event ids look like decision-3-10411-0 (or outcome-…, result-…, snapshot-…).`,
    );
  }
  return id;
}

type Walked = Omit<Chain, keyof Settlement>;

async function walk(log: AuditedLog, id: EventId): Promise<Walked> {
  const asked = await log.find(id);
  if (asked === undefined) {
    throw new TapeproofError(
      'NOT_FOUND',
      `There is no event ${id.text}: "tapeproof audit --latest INSTRUMENT" finds a decision, and views in Postgres list their ids.`,
    );
  }
  if (id.type === 'IndicatorSnapshot') {
    const snapshot = asked as Located<EventTypes['IndicatorSnapshot']>;
    return { outcome: undefined, pendingUntil: undefined, decision: undefined, results: [], signals: [], snapshot };
  }
  let outcome: Located<Outcome> | undefined;
  let forecast = asked as Located<Forecast>;
  if (id.type === 'Outcome') {
    outcome = asked as Located<Outcome>;
    const name = outcome.event.forecastKind === 'DECISION' ? 'ProbabilityDecision' : 'StrategyResult';
    forecast = required(
      await log.follow(name, outcome.event.forecastId),
      outcome.event.forecastId,
      outcome.event.eventId,
    );
  }
  const { eventTime, hitRule, direction } = forecast.event;
  const dueTime = eventTime + hitRule.horizonMs * 1_000;
  outcome ??= direction === 'NEUTRAL' ? undefined : await log.outcomeOf(forecast.event, dueTime);
  return {
    outcome,
    pendingUntil: direction !== 'NEUTRAL' && outcome === undefined ? dueTime : undefined,
    ...(await below(log, forecast)),
  };
}

/** From a forecast down to its snapshot. */
async function below(
  log: AuditedLog,
  forecast: Located<Forecast>,
): Promise<Pick<Chain, 'decision' | 'results' | 'signals' | 'snapshot'>> {
  const decision =
    'contributions' in forecast.event ? (forecast as Located<EventTypes['ProbabilityDecision']>) : undefined;
  const results: Located<EventTypes['StrategyResult']>[] = [];
  if (decision === undefined) results.push(forecast as Located<EventTypes['StrategyResult']>);
  for (const { resultId } of decision?.event.contributions ?? []) {
    results.push(required(await log.follow('StrategyResult', resultId), resultId, forecast.event.eventId));
  }
  const parent = results[0]?.event ?? forecast.event;
  const snapshotId = parent.causes[0] ?? '';
  const snapshot = required(await log.follow('IndicatorSnapshot', snapshotId), snapshotId, parent.eventId);
  return { decision, results, signals: await signalsBehind(log, results), snapshot };
}

function required<Event>(located: Located<Event> | undefined, id: string, by: string): Located<Event> {
  if (located === undefined) {
    throw new TapeproofError(
      'CHECK_FAILED',
      `The chain is broken: ${by} names ${JSON.stringify(id)}, and it is not in any topic.`,
    );
  }
  return located;
}
