import type { EventTypes, Outcome, Trade, TradeGap } from '../contracts/generated/events.ts';
import { TapeproofError } from '../platform/errors.ts';
import { ENGINE_VERSION, parseConfiguration, type EngineConfiguration } from '../evaluators/configuration.ts';
import { sha256Hex } from '../contracts/codec.ts';
import { isVerifiable, verify, type VerifyPorts } from './verify.ts';
import { checkChain, checkTrades, type Check } from './audit-checks.ts';
import type { Chain } from './chain.ts';
import { parseEventId, type EventId } from './event-id.ts';
import type { EventLog, Located } from './event-log.ts';
import { evidenceOf, settlementOf, UNSETTLED } from './evidence.ts';

/** What an audit reads: the log in Kafka, or a test's own. */
export type AuditedLog = Pick<EventLog, 'find' | 'follow' | 'outcomeOf' | 'activation' | 'market'>;

export type Forecast = EventTypes['ProbabilityDecision'] | EventTypes['StrategyResult'];

/** The trades behind a snapshot, from the tape itself. */
export interface TradeEvidence {
  /** Offsets of the tape that the snapshot says it covers. */
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** Trades of the instrument there, each id once. */
  readonly count: number;
  readonly first: Located<Trade>;
  readonly last: Located<Trade>;
  /** Every one of them; empty unless asked for. */
  readonly all: readonly Located<Trade>[];
  /** Trades of the instrument that happened and are not on the tape there. */
  readonly missing: number;
  /** Where the tape says so; a gap that was filled later is among them. */
  readonly gaps: readonly Located<TradeGap>[];
}

/** An outcome's chain down to the trades, with what was checked on the way. */
export interface AuditReport extends Chain {
  readonly asked: string;
  readonly trades: TradeEvidence;
  readonly checks: readonly Check[];
  readonly notChecked: readonly string[];
}

export interface AuditOptions {
  /** Keep every trade, not only the first and the last. */
  readonly listTrades: boolean;
  /** Derive the chain again from the nearest anchor, reading with these, and compare the bytes. */
  readonly verifyWith: VerifyPorts | undefined;
}

/**
 * Walks an event's chain straight from Kafka and checks each link.
 *
 * @throws TapeproofError USAGE for a malformed id, NOT_FOUND for an unknown one, CHECK_FAILED for a broken chain.
 */
export async function audit(
  log: AuditedLog,
  asked: string,
  { listTrades, verifyWith }: AuditOptions,
): Promise<AuditReport> {
  const chain = await walk(log, idOf(asked));
  const { trades, gaps, missing } = await evidenceOf(log, chain.snapshot.event);
  const configuration = await configurationOf(log, chain.snapshot.event);
  const first = trades[0];
  const last = trades.at(-1);
  if (first === undefined || last === undefined) {
    throw new TapeproofError(
      'CHECK_FAILED',
      `${chain.snapshot.event.eventId} has no trades on the tape: the tape was cut.`,
    );
  }
  const { firstOffset, lastOffset } = chain.snapshot.event;
  return {
    asked,
    ...chain,
    trades: {
      firstOffset,
      lastOffset,
      count: trades.length,
      first,
      last,
      all: listTrades ? trades : [],
      missing,
      gaps,
    },
    checks: [
      ...checkChain(chain, configuration),
      ...checkTrades(chain.snapshot.event, trades, configuration),
      ...(verifyWith === undefined || !isVerifiable(chain) ? [] : [await verify(chain, verifyWith)]),
    ],
    notChecked: [
      'that the venue reported these trades as the tape holds them',
      'that the rows in Postgres and the values in Redis say the same: "tapeproof projector rebuild NAME" compares them',
      ...(missing === 0 ? [] : [`what the ${missing.toLocaleString('en')} trades that are missing would have changed`]),
      ...(chain.snapshot.event.engineVersion === ENGINE_VERSION
        ? []
        : [foreignFormulas(chain.snapshot.event.engineVersion)]),
      ...(verifyWith === undefined
        ? ['the profile and the range, and that the engine derives the same bytes again: add --verify']
        : []),
    ],
  };
}

function foreignFormulas(engineVersion: string): string {
  return `the formulas, and that the same bytes are derived again: engine ${engineVersion} derived this, and this build is ${ENGINE_VERSION}`;
}

/** The configuration that the tape puts in force for a snapshot. */
async function configurationOf(
  log: AuditedLog,
  snapshot: EventTypes['IndicatorSnapshot'],
): Promise<EngineConfiguration> {
  const activation = await log.activation(snapshot.tape.partition, snapshot.configHash, snapshot.tape.offset);
  if (activation === undefined || sha256Hex(activation.event.configuration) !== snapshot.configHash) {
    throw new TapeproofError(
      'CHECK_FAILED',
      `No activation on the tape before ${snapshot.eventId} has its configuration ${snapshot.configHash}.`,
    );
  }
  return parseConfiguration(JSON.parse(activation.event.configuration));
}

function idOf(text: string): EventId {
  const id = parseEventId(text);
  if (id === undefined) {
    throw new TapeproofError(
      'USAGE',
      `${JSON.stringify(text.slice(0, 100))} is no event id: one looks like decision-3-10411-0 (or outcome-…, result-…, snapshot-…).`,
    );
  }
  return id;
}

async function walk(log: AuditedLog, id: EventId): Promise<Chain> {
  const asked = await log.find(id);
  if (asked === undefined) {
    throw new TapeproofError(
      'NOT_FOUND',
      `There is no event ${id.text}: "tapeproof audit --latest INSTRUMENT" finds a decision, and views in Postgres list their ids.`,
    );
  }
  if (id.type === 'IndicatorSnapshot') {
    const snapshot = asked as Located<EventTypes['IndicatorSnapshot']>;
    return {
      ...UNSETTLED,
      outcome: undefined,
      pendingUntil: undefined,
      decision: undefined,
      results: [],
      snapshot,
    };
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
    ...(outcome === undefined ? UNSETTLED : await settlementOf(log, outcome.event, forecast.event)),
    pendingUntil: direction !== 'NEUTRAL' && outcome === undefined ? dueTime : undefined,
    ...(await below(log, forecast)),
  };
}

/** From a forecast down to its snapshot. */
async function below(
  log: AuditedLog,
  forecast: Located<Forecast>,
): Promise<Pick<Chain, 'decision' | 'results' | 'snapshot'>> {
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
  return { decision, results, snapshot };
}

function required<Event>(located: Located<Event> | undefined, id: string, by: string): Located<Event> {
  if (located === undefined) {
    throw new TapeproofError(
      'CHECK_FAILED',
      `The chain is broken: ${by} names ${JSON.stringify(id)}, and no topic holds it.`,
    );
  }
  return located;
}
