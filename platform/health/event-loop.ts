import { monitorEventLoopDelay } from 'node:perf_hooks';

const PRECISION_MS = 20;
const WINDOW_MS = 10_000;
/** A consumer whose event loop is blocked for this long loses its membership in the group. */
const DELAY_MS_MAX = 10_000;
const NS_PER_MS = 1e6;

export interface EventLoopWatch {
  /** Longest delay of the last ten to twenty seconds, milliseconds. */
  readonly delayMs: number;
  readonly isResponsive: boolean;
  close(): void;
}

export function watchEventLoop(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: PRECISION_MS });
  histogram.enable();
  let previousMs = 0;
  const timer = setInterval(() => {
    previousMs = histogram.max / NS_PER_MS;
    histogram.reset();
  }, WINDOW_MS);
  timer.unref();
  const delayMs = () => Math.round(Math.max(previousMs, histogram.max / NS_PER_MS));
  return {
    get delayMs() {
      return delayMs();
    },
    get isResponsive() {
      return delayMs() < DELAY_MS_MAX;
    },
    close() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
