import { rangeBreakout } from './range-breakout.ts';
import type { Strategy } from './strategy.ts';
import { vwapReversion } from './vwap-reversion.ts';

/** Every strategy, in the order of their results. Which are enabled is configuration. */
export const STRATEGIES: readonly Strategy[] = [vwapReversion, rangeBreakout];
