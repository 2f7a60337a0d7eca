import { z } from 'zod';
import { clamp, exp, ln, logit, sigmoid } from '../arithmetic.ts';
import { defineStrategy, neutral } from './strategy.ts';

/**
 * The tools for making a strategy, passed to one outside the repository, which can import nothing from it.
 * `docs/backtest.md` explains how.
 */
export const STRATEGY_KIT = { defineStrategy, neutral, z, clamp, exp, ln, logit, sigmoid };

export type StrategyKit = typeof STRATEGY_KIT;
