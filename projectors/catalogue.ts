import { candles } from './candles/projector.ts';
import { postgresHistory } from './postgres-history/projector.ts';
import type { Projector } from './projector.ts';
import { redisLatest } from './redis-latest/projector.ts';
import { scores } from './scores/projector.ts';

/** Every projector of this build. A new one is a folder and a line. */
export const PROJECTORS: readonly Projector[] = [redisLatest, postgresHistory, candles, scores];
