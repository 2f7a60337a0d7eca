import { signal } from '@preact/signals';

const TICK_MS = 1_000;

/** The viewer's clock, for ages. */
export const nowMs = signal(Date.now());

/** Keeps the clock going. */
export function startClock(): void {
  setInterval(() => {
    nowMs.value = Date.now();
  }, TICK_MS);
}
