import { z } from 'zod';
import { clamp, exp, ln, logit, sigmoid } from '../arithmetic.ts';
import { defineStrategy, neutral } from './strategy.ts';

/**
 * What a strategy is made with, handed to one that lives outside the repository and can import nothing of it.
 * `docs/backtest.md` explains how.
 */
export const STRATEGY_KIT = { defineStrategy, neutral, z, clamp, exp, ln, logit, sigmoid };

export type StrategyKit = typeof STRATEGY_KIT;
