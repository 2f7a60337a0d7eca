import type { Connections } from '../platform/connections.ts';
import type { Log } from '../platform/log.ts';

/** What every measurement is given. */
export interface Bench {
  readonly connections: Connections;
  readonly log: Log;
  /** How often each figure is measured. */
  readonly runs: number;
  /** Trades on the tape. */
  readonly trades: number;
}
