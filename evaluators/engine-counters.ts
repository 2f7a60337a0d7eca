/** The work of the engine process since its start. */
export interface EngineCounters {
  /** Tape records processed live, each for the first time. */
  records: number;
  /** Derived events sent. */
  events: number;
  deadLetters: number;
  anchors: number;
  recoveries: number;
  /** Tape records processed again during recovery. */
  recovered: number;
  /** Events derived again and found equal to those in the outputs. */
  compared: number;
  /** Trades before the first activation that were skipped. */
  skipped: number;
}

export function newCounters(): EngineCounters {
  return { records: 0, events: 0, deadLetters: 0, anchors: 0, recoveries: 0, recovered: 0, compared: 0, skipped: 0 };
}
