import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 25;
/** A limit against hanging, not a measure of speed: machines are shared. */
const DEADLINE_MS = 150_000;

/**
 * Waits for a condition; its errors count as "not yet".
 *
 * @param what a sentence for the failure: "3 trades have arrived".
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  let lastError: unknown;
  while (true) {
    const lookedAt = Date.now();
    try {
      if (await holds()) return;
    } catch (error) {
      lastError = error;
    }
    const now = Date.now();
    if (now > deadline) {
      throw new Error(`Waited ${deadlineMs} ms in vain: ${what}`, { cause: lastError });
    }
    // A costly condition is looked at less often: it must not slow what it waits for.
    await sleep(Math.max(POLL_MS, now - lookedAt));
  }
}
