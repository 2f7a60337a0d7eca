import { createLog } from '../../platform/log.ts';
import { runProjector } from '../../projectors/main.ts';
import { stackConnections } from './stack.ts';

/** A projector running in this process. */
export interface RunningProjector {
  /** Rejects with the error that stopped it. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export function startProjector(name: string): RunningProjector {
  const controller = new AbortController();
  const ended = runProjector({
    name,
    connections: stackConnections(),
    log: createLog('test', 'silent'),
    signal: controller.signal,
  });
  ended.catch(() => undefined);
  return {
    ended,
    stop() {
      controller.abort();
      return ended;
    },
  };
}
