import { plain } from './consumer-errors.ts';

/** How often a member sends a heartbeat. */
export const HEARTBEAT_INTERVAL_MS = 1_000;

/** Heartbeats while a batch is handled. A failing one reveals a rebalance or a lost connection. */
export interface Pulse {
  /** Sends one now. Never rejects. */
  readonly beat: () => Promise<void>;
  /** The error of the first heartbeat that failed. */
  error(): Error | undefined;
  /** Stops sending, and waits for the one under way. */
  end(): Promise<void>;
}

/** @param onError called with the error of each failed heartbeat. */
export function startPulse(heartbeat: () => Promise<void>, onError: (error: Error) => void): Pulse {
  let first: Error | undefined;
  let beating: Promise<void> | undefined;
  const beat = async (): Promise<void> => {
    try {
      await heartbeat();
    } catch (thrown) {
      const error = plain(thrown);
      first ??= error;
      onError(error);
    }
  };
  const timer = setInterval(() => {
    beating = beat();
  }, HEARTBEAT_INTERVAL_MS);
  return {
    beat,
    error: () => first,
    async end() {
      clearInterval(timer);
      await beating;
    },
  };
}
