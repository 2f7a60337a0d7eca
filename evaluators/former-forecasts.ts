import type { Direction } from '../contracts/generated/events.ts';
import type { HitRuleState, OutcomeEvaluatorState, PointState } from './outcomes/outcome-evaluator.ts';

const US_PER_MS = 1_000;

/** A pending forecast in the states of engine versions 1 to 3; up to 2 there was no least move in points. */
type PendingForecastOfForm3 = readonly [
  forecastId: string,
  kind: string,
  strategy: string | null,
  direction: Direction,
  probability: number,
  forecastTime: number,
  dueTime: number,
  graceUs: number,
  minMoveBps: number,
  referencePrice: string,
  minMovePoints?: string | null,
];

export type PendingOfForm3 = readonly PendingForecastOfForm3[];

/** The pending forecasts in the state of engine version 4: not in runs. */
export type PendingOfForm4 = readonly { readonly rule: HitRuleState; readonly points: readonly PointState[] }[];

/**
 * The pending forecasts, by rule and then by snapshot, in their order. They have no evidence and no reference rate:
 * nothing is learned from them.
 */
export function pendingFromForm3(pending: PendingOfForm3): PendingOfForm4 {
  const groups = new Map<string, { rule: HitRuleState; points: PointState[] }>();
  for (const entry of pending) {
    const [forecastId, , strategy, direction, probability, forecastTime, , , , referencePrice] = entry;
    const rule = ruleOf(entry);
    const key = JSON.stringify(rule);
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { rule, points: [] }));
    const forecast = [forecastId, strategy, direction, probability, null, null] as const;
    const last = group.points.at(-1);
    if (last !== undefined && last[0] === forecastTime && last[1] === referencePrice) {
      group.points[group.points.length - 1] = [last[0], last[1], null, null, [...last[4], forecast]];
    } else {
      group.points.push([forecastTime, referencePrice, null, null, [forecast]]);
    }
  }
  return [...groups.values()];
}

export function pendingFromForm4(pending: PendingOfForm4): OutcomeEvaluatorState {
  return pending.map(({ rule, points }) => ({ rule, points: [points] }));
}

function ruleOf(entry: PendingForecastOfForm3): HitRuleState {
  const [, , , , , forecastTime, dueTime, graceUs, minMoveBps, , minMovePoints = null] = entry;
  return {
    kind: 'MOVE',
    horizonMs: (dueTime - forecastTime) / US_PER_MS,
    graceMs: graceUs / US_PER_MS,
    minMoveBps,
    minMovePoints,
  };
}
