import { newsSentiment } from './news-sentiment.ts';
import { orderFlowImbalance } from './order-flow-imbalance.ts';
import { pointOfControlMagnet } from './point-of-control-magnet.ts';
import { rangeBreakout } from './range-breakout.ts';
import { sectorRotation } from './sector-rotation.ts';
import type { Strategy } from './strategy.ts';
import { valueAreaRejection } from './value-area-rejection.ts';
import { volumeMomentum } from './volume-momentum.ts';
import { vwapReversion } from './vwap-reversion.ts';

/** Every strategy, in the order of their results. Which are enabled is configuration. */
export const STRATEGIES: readonly Strategy[] = [
  vwapReversion,
  rangeBreakout,
  volumeMomentum,
  valueAreaRejection,
  pointOfControlMagnet,
  orderFlowImbalance,
  newsSentiment,
  sectorRotation,
];
