import { SingleBar } from 'cli-progress';
import type { StackReport } from '../stack/main.ts';

/**
 * Shows what the stack does, on standard error: what lasts on a line of its own; what does not on one line that the next
 * text replaces, and only on a terminal.
 */
export function stackProgress(): StackReport {
  return ({ subject, text, lasting }) => {
    const line = `${subject} ${text}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${line}${lasting ? '\n' : ''}`);
    else if (lasting) process.stderr.write(`${line}\n`);
  };
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** What is counted, for example `trades`. */
  readonly unit: string;
  readonly count: number;
}

export interface ProgressBar {
  update(progress: Progress): void;
  stop(): void;
}

/** A bar with rate and time left on a terminal, a line every quarter elsewhere; on standard error. */
export function progressBar(title: string): ProgressBar {
  const startedMs = performance.now();
  const rate = (count: number) => Math.round((count * 1000) / Math.max(1, performance.now() - startedMs));
  if (!process.stderr.isTTY) {
    let quarter = 0;
    return {
      update({ done, total, unit, count }) {
        const reached = total === 0 ? 4 : Math.floor((done * 4) / total);
        if (reached <= quarter) return;
        quarter = reached;
        process.stderr.write(
          `${title}: ${reached * 25} %, ${count.toLocaleString('en')} ${unit}, ${rate(count).toLocaleString('en')}/s\n`,
        );
      },
      stop() {
        // Every line was complete.
      },
    };
  }
  const bar = new SingleBar({
    format: `${title} {bar} {percentage} % | {count} {unit} | {rate}/s | {eta_formatted} left`,
    hideCursor: true,
    barsize: 30,
    stream: process.stderr,
  });
  let started = false;
  return {
    update({ done, total, unit, count }) {
      const payload = { count: count.toLocaleString('en'), unit, rate: rate(count).toLocaleString('en') };
      if (started) bar.update(done, payload);
      else bar.start(total, done, payload);
      started = true;
    },
    stop() {
      if (started) bar.stop();
    },
  };
}
