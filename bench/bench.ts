import type { Connections } from '../platform/connections.ts';
import type { Log } from '../platform/log.ts';

/** The parameters of every measurement. */
export interface Bench {
  readonly connections: Connections;
  readonly log: Log;
  /** How often each figure is measured. */
  readonly runs: number;
  /** Trades on the tape. */
  readonly trades: number;
}
