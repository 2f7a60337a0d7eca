import { SingleBar } from 'cli-progress';
import type { StackProgressListener } from '../stack/main.ts';

/**
 * Shows the stack's steps on standard error: lasting messages on separate lines; transient ones on one line that the
 * next text replaces, and only on a terminal.
 */
export function stackProgress(): StackProgressListener {
  return ({ subject, text, lasting }) => {
    const line = `${subject} ${text}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${line}${lasting ? '\n' : ''}`);
    else if (lasting) process.stderr.write(`${line}\n`);
  };
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** The unit counted, for example `trades`. */
  readonly unit: string;
  readonly count: number;
  /** The count for the rate, where it is less than the total: trades appended, without those already there. */
  readonly worked?: number;
  /** The current phase, where there are several; each that takes long gets a bar. */
  readonly phase?: string;
}

export interface ProgressBar {
  update(progress: Progress): void;
  stop(): void;
}

/** A named phase is shown once it has lasted this long: most end before they can be read. */
const PHASE_SHOWN_AFTER_MS = 2_000;

/** A bar with rate and time left on a terminal, a line every quarter elsewhere; on standard error. */
export function progressBar(title: string): ProgressBar {
  const show = process.stderr.isTTY ? barOf(title) : linesOf(title);
  let phase: string | undefined;
  let startedMs = 0;
  let countAtStart = 0;
  let hasBegun = false;
  return {
    update(progress) {
      if (!hasBegun || progress.phase !== phase) {
        // The initial count was done before this clock began: earlier, or by an earlier run.
        startedMs = performance.now();
        countAtStart = progress.worked ?? progress.count;
        hasBegun = true;
        phase = progress.phase;
        show.begin(phase === undefined || phase === '' ? title : `${title}, ${phase}`);
      }
      const elapsedMs = performance.now() - startedMs;
      if (phase !== undefined && phase !== '' && elapsedMs < PHASE_SHOWN_AFTER_MS) return;
      show.update(progress, rateOf((progress.worked ?? progress.count) - countAtStart, progress.unit, elapsedMs));
    },
    stop() {
      show.stop();
    },
  };
}

/** A shorter time gives no meaningful rate. */
const RATE_AFTER_MS = 100;

/** A rate per second, for people; empty where there is none. */
function rateOf(count: number, unit: string, elapsedMs: number): string {
  if (count <= 0 || elapsedMs < RATE_AFTER_MS) return '';
  return `${Math.round((count * 1_000) / elapsedMs).toLocaleString('en')} ${unit}/s`;
}

interface Display {
  begin(title: string): void;
  update(progress: Progress, rate: string): void;
  stop(): void;
}

function linesOf(title: string): Display {
  let quarter = 0;
  return {
    begin(named) {
      title = named;
      quarter = 0;
    },
    update({ done, total, unit, count }, rate) {
      const reached = total === 0 ? 4 : Math.floor((done * 4) / total);
      if (reached <= quarter) return;
      quarter = reached;
      process.stderr.write(
        `${title}: ${reached * 25} %, ${count.toLocaleString('en')} ${unit}${rate === '' ? '' : `, ${rate}`}\n`,
      );
    },
    stop() {
      // Every line was complete.
    },
  };
}

function barOf(title: string): Display {
  let bar: SingleBar | undefined;
  return {
    begin(named) {
      bar?.stop();
      bar = undefined;
      title = named;
    },
    update({ done, total, unit, count }, rate) {
      const payload = { count: count.toLocaleString('en'), unit, rate: rate === '' ? '–' : rate };
      if (bar !== undefined) {
        bar.update(done, payload);
        return;
      }
      bar = new SingleBar({
        format: `${title} {bar} {percentage} % | {count} {unit} | {rate} | {eta_formatted} left`,
        hideCursor: true,
        barsize: 30,
        stream: process.stderr,
      });
      bar.start(total, done, payload);
    },
    stop() {
      bar?.stop();
    },
  };
}
