import type { Calibration, ContextSignal, Watermark, EventTypes, TradeGap } from '../contracts/generated/events.ts';
import { isoTimeOf } from '../contracts/iso-time.ts';
import { shown } from '../contracts/statement-text.ts';
import { AMENDMENTS_KEPT_MAX, type AmendedSince } from './amended-since.ts';
import type { AuditReport } from './audit.ts';
import type { Forecast } from './chain.ts';
import { signalsOfResult } from './result-signals.ts';
import type { AmendmentRecord, Located } from './event-log.ts';
import { provenanceLines } from './provenance-text.ts';
import { REMARKS, type CountedTrade, type Remark } from './evidence.ts';

const HASH_DIGITS = 12;
/** Gaps that are shown one by one. */
const GAPS_SHOWN_MAX = 5;
/** Events behind a signal that are named. */
const CAUSES_SHOWN_MAX = 5;
/** Amendments that are shown one by one. */
const AMENDMENTS_SHOWN_MAX = 5;

/** The text of a remark, after the number of its trades. */
const REMARK_WORDS: Readonly<Record<Remark, string>> = {
  duplicates: 'left out: repetitions of a trade',
  suspicious: 'left out: marked as suspect by their source',
  outside: 'left out: outside trading hours',
  refused: 'left out: refused, see "tapeproof dead-letters"',
  cancelled: 'left out: taken back by a later record',
  corrected: 'counted with corrected figures',
  released: 'vouched for by a later record, and counted from there on',
  late: 'counted, although they came after newer ones',
  ahead: 'stamped after this snapshot: they did not move the clock',
};

interface Node {
  readonly lines: readonly string[];
  readonly children: readonly Node[];
}

/** An audit for people: the chain as a tree, what was checked, and what was not. */
export function auditText(report: AuditReport): string {
  const failed = report.checks.filter((check) => !check.passed).length;
  return [
    ...treeLines(outcomeNode(report)),
    '',
    ...provenanceLines(report.provenance),
    'Checked:',
    ...report.checks.map(
      (check) => `  ${check.passed ? '✓' : '✗'} ${check.name}: ${check.detail} [rests on ${check.restsOn}]`,
    ),
    ...remarkLines(report),
    ...sinceLines(report.amendedSince),
    'Not checked:',
    ...report.notChecked.map((line) => `  · ${line}`),
    '',
    ...verdictLines(report, failed),
  ].join('\n');
}

function verdictLines({ checks, notDerived }: AuditReport, failed: number): string[] {
  if (failed > 0) return [`${failed} of ${checks.length} checks FAILED: the decision log and the tape do not agree.`];
  const passed = `${checks.length} of ${checks.length} checks passed`;
  if (notDerived.length === 0) return [`${passed}.`];
  return [
    `PARTLY CHECKED: ${passed}, but not everything was derived again:`,
    ...notDerived.map(({ engineVersion, gitCommit, eventIds }) => {
      const place =
        gitCommit === 'unknown' ? 'its activation names no commit' : `run this in its build, commit ${gitCommit}`;
      return `  · ${eventIds.join(', ')}: engine ${engineVersion} derived ${eventIds.length === 1 ? 'it' : 'them'}; ${place}`;
    }),
  ];
}

/** The remarks on the trades in the snapshot's range. */
function remarkLines({ trades: { remarks } }: AuditReport): string[] {
  const lines = REMARKS.flatMap((remark) => {
    const remarked = remarks[remark];
    if (remarked === undefined) return [];
    const { count, first } = remarked;
    const named = first.map(({ tradeId, offset }) => `${tradeId} @ ${offset}`).join(', ');
    return [`  · ${count.toLocaleString('en')} ${REMARK_WORDS[remark]} (${named}${count > first.length ? ', …' : ''})`];
  });
  return lines.length === 0 ? [] : ['In its range of the tape:', ...lines];
}

/** Later amendments on the tape, and that the decision does not change. */
function sinceLines({ counts, first }: AmendedSince): string[] {
  const { TradeCancelled: cancelled, TradeCorrected: corrected, TradeReleased: released } = counts;
  const all = cancelled + corrected + released;
  if (all === 0) return [];
  const parts = [
    ...(cancelled > 0 ? [`${cancelled.toLocaleString('en')} of these trades taken back`] : []),
    ...(corrected > 0 ? [`${corrected.toLocaleString('en')} corrected`] : []),
    ...(released > 0 ? [`${released.toLocaleString('en')} vouched for`] : []),
  ];
  const more = all - Math.min(first.length, AMENDMENTS_SHOWN_MAX);
  return [
    `Since then ${parts.join(', ')}: the decision is not changed.`,
    ...first.slice(0, AMENDMENTS_SHOWN_MAX).map((amendment) => `  · ${amendmentText(amendment)}`),
    ...(more > 0 ? [`  · and ${more.toLocaleString('en')} more: --json lists the first ${AMENDMENTS_KEPT_MAX}`] : []),
  ];
}

/** One amendment in a line: what, when and by whom on the tape, and why. */
function amendmentText(record: AmendmentRecord): string {
  const { event, name, topic, partition, offset } = record;
  const figures = `${event.price.toString()} × ${event.size.toString()}`;
  const now =
    name === 'TradeCorrected'
      ? `is ${event.correctedPrice.toString()} × ${event.correctedSize.toString()} now`
      : name === 'TradeCancelled'
        ? 'was taken back'
        : 'was vouched for';
  const when = event.receivedAt === 0 ? '' : ` at ${isoTimeOf(event.receivedAt)}`;
  return `${event.tradeId}  ${figures} ${now} by ${shown(event.actor)}${when} (${topic}-${partition} @ ${offset}): ${shown(event.reason)}`;
}

function outcomeNode(report: AuditReport): Node {
  const { outcome, pendingUntil, resolvingTrade, voidingWatermark } = report;
  const forecast = forecastNode(report);
  if (pendingUntil !== undefined) {
    return {
      lines: [`outcome pending: due at the first trade at or after ${isoTimeOf(pendingUntil)}`],
      children: [forecast],
    };
  }
  if (outcome === undefined) return forecast;
  const { event } = outcome;
  const size = event.moveBps === null ? `${event.movePoints?.toString() ?? '?'} points` : `${event.moveBps} bp`;
  const move =
    event.observedPrice === null
      ? 'no trade in time'
      : `${size} from ${event.referencePrice.toString()} to ${event.observedPrice.toString()}`;
  return {
    lines: [`${event.verdict}  ${event.eventId}  ${move}`, placeText(outcome, outcome.event.eventTime)],
    children: [
      ...(resolvingTrade === undefined ? [] : [tradeNode('resolving trade', resolvingTrade)]),
      ...(voidingWatermark === undefined ? [] : [watermarkNode(voidingWatermark)]),
      forecast,
    ],
  };
}

function forecastNode(report: AuditReport): Node {
  const { decision, results, reasoning } = report;
  const evidence = snapshotNode(report);
  const resultNodes = results.map((result) => resultNode(result, report));
  if (decision === undefined) {
    const [result] = resultNodes;
    return result === undefined ? evidence : { ...result, children: [...result.children, evidence] };
  }
  const { event } = decision;
  return {
    lines: [
      `decision  ${event.eventId}  ${forecastText(event)}`,
      placeText(decision, decision.event.eventTime),
      ...reasoningLines(event, reasoning),
      ruleText(event),
    ],
    children: [...resultNodes, evidence],
  };
}

function resultNode(result: Located<EventTypes['StrategyResult']>, { reasoning, signals }: AuditReport): Node {
  const { event } = result;
  const name = `${event.strategy}  ${event.eventId}  ${forecastText(event)}`;
  return {
    lines: [name, placeText(result, result.event.eventTime), ...reasoningLines(event, reasoning)],
    children: signalsOfResult(event, signals).map(signalNode),
  };
}

function signalNode(signal: Located<ContextSignal>): Node {
  const { event } = signal;
  const { kind, value, confidence, instrument, validFrom, validUntil, source, link, textHash, causes } = event;
  return {
    lines: [
      `signal  ${kind}  ${value} with confidence ${confidence} about ${instrument ?? 'the whole market'}`,
      placeText(signal, event.eventTime),
      `valid ${isoTimeOf(validFrom)} to ${isoTimeOf(validUntil)}, from ${shown(source)}`,
      ...(textHash === null ? [] : [`text ${textHash}${link === null ? '' : ` at ${shown(link)}`}`]),
      ...(causes.length === 0 ? [] : [`computed from ${causes.length} events: ${causesText(causes)}`]),
    ],
    children: [],
  };
}

function causesText(causes: readonly string[]): string {
  const more = causes.length - CAUSES_SHOWN_MAX;
  return `${causes.slice(0, CAUSES_SHOWN_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The origin of a forecast: the formula, and its evidence as calibrated by past outcomes. */
function reasoningLines({ eventId, calibration }: Forecast, reasoning: AuditReport['reasoning']): string[] {
  const formula = reasoning[eventId];
  return [...(formula === undefined ? [] : [formula]), ...(calibration === null ? [] : [calibrationText(calibration)])];
}

function calibrationText({
  referenceRate,
  evidence,
  slope,
  intercept,
  rawProbability,
  calibratedProbability,
  effectiveN,
  lastOutcomeOffset,
}: Calibration): string {
  const learned =
    lastOutcomeOffset === null
      ? 'no outcome was known yet'
      : `from ${effectiveN.toFixed(1)} effective outcomes, the last one at offset ${lastOutcomeOffset}`;
  return `reference rate ${referenceRate}, evidence ${evidence}: raw ${rawProbability}; slope ${slope}, intercept ${intercept} (${learned}): calibrated ${calibratedProbability}`;
}

function snapshotNode({ snapshot, trades }: AuditReport): Node {
  const { event } = snapshot;
  const range =
    event.rangeHigh === null || event.rangeLow === null
      ? 'not yet'
      : `${event.rangeLow.toString()} to ${event.rangeHigh.toString()}`;
  const listed =
    trades.all.length > 0
      ? trades.all.map((trade, index) => tradeNode(`trade ${index + 1}`, trade))
      : [tradeNode('first trade', trades.first), tradeNode('last trade', trades.last)];
  return {
    lines: [
      `snapshot  ${event.eventId}  ${event.instrument}  last ${event.lastPrice.toString()}`,
      placeText(snapshot, snapshot.event.eventTime),
      `VWAP ${event.vwap.toPrecision(10)} ± ${event.vwapDeviation.toPrecision(6)}, point of control ${event.pointOfControl.toString()}, value area ${event.valueAreaLow.toString()} to ${event.valueAreaHigh.toString()}, range ${range}`,
    ],
    children: [
      {
        lines: [
          `${trades.count.toLocaleString('en')} trades on the tape, offsets ${trades.firstOffset} to ${trades.lastOffset}${trades.anchoredAt === null ? '' : `; those before ${trades.anchoredAt} by the engine's state there`}`,
        ],
        children: listed,
      },
      ...gapNodes(trades),
    ],
  };
}

/** The trades that the tape's gaps report as missing. */
function gapNodes({ gaps, missing }: AuditReport['trades']): Node[] {
  if (gaps.length === 0) return [];
  const more = gaps.length - GAPS_SHOWN_MAX;
  return [
    {
      lines: [
        missing === 0
          ? 'missing trades of this range came later, within it'
          : `${missing.toLocaleString('en')} trades of this instrument are missing in this range`,
        ...(more > 0 ? [`the first ${GAPS_SHOWN_MAX} of ${gaps.length} gaps:`] : []),
      ],
      children: gaps.slice(0, GAPS_SHOWN_MAX).map(gapNode),
    },
  ];
}

function gapNode(gap: Located<TradeGap>): Node {
  const { firstTradeId, lastTradeId, missingTrades, reason, toTime } = gap.event;
  return {
    lines: [
      `gap  ${firstTradeId} to ${lastTradeId}  ${missingTrades.toLocaleString('en')} trades  ${reason}`,
      placeText(gap, toTime),
    ],
    children: [],
  };
}

function watermarkNode(watermark: Located<Watermark>): Node {
  const { venue, instruments } = watermark.event;
  return {
    lines: [
      `watermark  ${instruments.length} instruments of ${venue} are known up to here`,
      placeText(watermark, watermark.event.eventTime),
    ],
    children: [],
  };
}

function tradeNode(label: string, trade: CountedTrade): Node {
  const { event, correction } = trade;
  const corrected =
    correction === undefined
      ? ''
      : `, counted as ${correction.event.correctedPrice.toString()} × ${correction.event.correctedSize.toString()}`;
  return {
    lines: [
      `${label}  ${event.tradeId}  ${event.price.toString()} × ${event.size.toString()} ${event.side}${corrected}`,
      placeText(trade, event.eventTime),
    ],
    children: [],
  };
}

function forecastText(event: EventTypes['ProbabilityDecision'] | EventTypes['StrategyResult']): string {
  return `${event.direction}  p ${event.probability}  confidence ${event.confidence} ${event.level}`;
}

function ruleText({ hitRule }: EventTypes['ProbabilityDecision']): string {
  const { minMovePoints, minMoveBps, referencePrice, horizonMs } = hitRule;
  const least =
    minMovePoints === null
      ? `${minMoveBps} bp of ${referencePrice.toString()}`
      : `${minMovePoints.toString()} from ${referencePrice.toString()}`;
  return `hit when the price has moved that way by more than ${least} after ${horizonMs / 1_000} s`;
}

function placeText({ topic, partition, offset, hash }: Omit<Located<unknown>, 'event'>, eventTime: number): string {
  return `${topic}-${partition} @ ${offset}  ${isoTimeOf(eventTime)}  #${hash.slice(0, HASH_DIGITS)}`;
}

function treeLines(node: Node, first = '', rest = ''): string[] {
  const bar = node.children.length > 0 ? '│  ' : '   ';
  return [
    ...node.lines.map((line, index) => (index === 0 ? first + line : `${rest}${bar}${line}`)),
    ...node.children.flatMap((child, index) => {
      const lastChild = index === node.children.length - 1;
      return treeLines(child, `${rest}${lastChild ? '└─ ' : '├─ '}`, `${rest}${lastChild ? '   ' : '│  '}`);
    }),
  ];
}
