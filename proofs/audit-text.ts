import type { ClockTick, EventTypes, Trade, TradeGap } from '../contracts/generated/events.ts';
import type { AuditReport } from './audit.ts';
import type { Located } from './event-log.ts';
import { timeText } from './time-text.ts';

const HASH_DIGITS = 12;
/** Gaps that are shown one by one. */
const GAPS_SHOWN_MAX = 5;

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
    'Checked:',
    ...report.checks.map((check) => `  ${check.passed ? '✓' : '✗'} ${check.name}: ${check.detail}`),
    'Not checked:',
    ...report.notChecked.map((line) => `  · ${line}`),
    '',
    failed === 0
      ? `${report.checks.length} of ${report.checks.length} checks passed.`
      : `${failed} of ${report.checks.length} checks FAILED: the decision log and the tape do not agree.`,
  ].join('\n');
}

function outcomeNode(report: AuditReport): Node {
  const { outcome, pendingUntil, resolvingTrade, voidingTick } = report;
  const forecast = forecastNode(report);
  if (pendingUntil !== undefined) {
    return {
      lines: [`outcome pending: due at the first trade at or after ${timeText(pendingUntil)}`],
      children: [forecast],
    };
  }
  if (outcome === undefined) return forecast;
  const { event } = outcome;
  const move =
    event.moveBps === null
      ? 'no trade in time'
      : `${event.moveBps} bp from ${event.referencePrice.toString()} to ${event.observedPrice?.toString() ?? ''}`;
  return {
    lines: [`${event.verdict}  ${event.eventId}  ${move}`, placeText(outcome)],
    children: [
      ...(resolvingTrade === undefined ? [] : [tradeNode('resolving trade', resolvingTrade)]),
      ...(voidingTick === undefined ? [] : [tickNode(voidingTick)]),
      forecast,
    ],
  };
}

function forecastNode(report: AuditReport): Node {
  const { decision, results } = report;
  const evidence = snapshotNode(report);
  const resultNodes = results.map((result) => resultNode(result));
  if (decision === undefined) {
    const [result] = resultNodes;
    return result === undefined ? evidence : { ...result, children: [evidence] };
  }
  const { event } = decision;
  return {
    lines: [
      `decision  ${event.eventId}  ${forecastText(event)}`,
      placeText(decision),
      event.reasoning,
      ruleText(event),
    ],
    children: [...resultNodes, evidence],
  };
}

function resultNode(result: Located<EventTypes['StrategyResult']>): Node {
  const { event } = result;
  return {
    lines: [`${event.strategy}  ${event.eventId}  ${forecastText(event)}`, placeText(result), event.reasoning],
    children: [],
  };
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
      placeText(snapshot),
      `VWAP ${event.vwap.toPrecision(10)} ± ${event.vwapDeviation.toPrecision(6)}, point of control ${event.pointOfControl.toString()}, value area ${event.valueAreaLow.toString()} to ${event.valueAreaHigh.toString()}, range ${range}`,
    ],
    children: [
      {
        lines: [
          `${trades.count.toLocaleString('en')} trades on the tape, offsets ${trades.firstOffset} to ${trades.lastOffset}`,
        ],
        children: listed,
      },
      ...gapNodes(trades),
    ],
  };
}

/** What the tape says is missing among the trades. */
function gapNodes({ gaps, missing }: AuditReport['trades']): Node[] {
  if (gaps.length === 0) return [];
  const more = gaps.length - GAPS_SHOWN_MAX;
  return [
    {
      lines: [
        missing === 0
          ? 'what was missing in this range came later, within it'
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
      placeText({ ...gap, event: { eventTime: toTime } }),
    ],
    children: [],
  };
}

function tickNode(tick: Located<ClockTick>): Node {
  const { venue, instruments } = tick.event;
  return {
    lines: [`tick  ${instruments.length} instruments of ${venue} are known up to here`, placeText(tick)],
    children: [],
  };
}

function tradeNode(label: string, trade: Located<Trade>): Node {
  const { event } = trade;
  return {
    lines: [
      `${label}  ${event.tradeId}  ${event.price.toString()} × ${event.size.toString()} ${event.side}`,
      placeText({ ...trade, event: { eventTime: event.eventTime } }),
    ],
    children: [],
  };
}

function forecastText(event: EventTypes['ProbabilityDecision'] | EventTypes['StrategyResult']): string {
  return `${event.direction}  p ${event.probability}  confidence ${event.confidence} ${event.level}`;
}

function ruleText({ hitRule }: EventTypes['ProbabilityDecision']): string {
  return `hit when the price has moved that way by more than ${hitRule.minMoveBps} bp of ${hitRule.referencePrice.toString()} after ${hitRule.horizonMs / 1_000} s`;
}

function placeText({ topic, partition, offset, hash, event }: Located<{ readonly eventTime: number }>): string {
  return `${topic}-${partition} @ ${offset}  ${timeText(event.eventTime)}  #${hash.slice(0, HASH_DIGITS)}`;
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
