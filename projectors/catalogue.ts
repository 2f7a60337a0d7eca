import { candles } from './candles/projector.ts';
import { oracleCheck } from './oracle-check/projector.ts';
import { postgresHistory } from './postgres-history/projector.ts';
import type { Projector } from './projector.ts';
import { redisLatest } from './redis-latest/projector.ts';
import { scores } from './scores/projector.ts';

/** Every projector of this build. A new projector is a folder and a line here. */
export const PROJECTORS: readonly Projector[] = [redisLatest, postgresHistory, candles, scores, oracleCheck];
