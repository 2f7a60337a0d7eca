import { newCounters, type EngineCounters } from '../../evaluators/engine-counters.ts';
import { runEngine } from '../../evaluators/main.ts';
import { createLog, type Log } from '../../platform/log.ts';
import { stackConnections } from './stack.ts';

/** An engine running in this process. */
export interface RunningEngine {
  readonly counters: EngineCounters;
  /** Rejects with the error that stopped it. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export function startEngine(log: Log = createLog('test', 'silent')): RunningEngine {
  const controller = new AbortController();
  const counters = newCounters();
  const ended = runEngine({
    ...{ connections: stackConnections(), counters, log },
    signal: controller.signal,
  });
  ended.catch(() => undefined);
  return {
    counters,
    ended,
    stop() {
      controller.abort();
      return ended;
    },
  };
}
