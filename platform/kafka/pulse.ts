import { plain } from './consumer-errors.ts';

/** How often a member says that it lives. */
export const HEARTBEAT_INTERVAL_MS = 1_000;

/** Heartbeats while a batch is handled. A rebalance, or a lost connection, shows as a failing one. */
export interface Pulse {
  /** Sends one now. Never rejects. */
  readonly beat: () => Promise<void>;
  /** Of the first heartbeat that failed. */
  error(): Error | undefined;
  /** Sends no more, and waits for the one under way. */
  end(): Promise<void>;
}

/** @param onError told of each heartbeat that failed. */
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
