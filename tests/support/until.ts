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
    try {
      if (await holds()) return;
    } catch (error) {
      lastError = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`Waited ${deadlineMs} ms in vain: ${what}`, { cause: lastError });
    }
    await sleep(POLL_MS);
  }
}
