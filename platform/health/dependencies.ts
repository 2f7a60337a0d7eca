import { withDeadline } from '../deadline.ts';
import type { Log } from '../log.ts';
import type { Telemetry } from '../telemetry.ts';
import type { PartHealth } from './board.ts';
import { reasonOf, type Dependency, type Probe } from './probe.ts';

/** Between the end of one check and the beginning of the next. */
const CHECK_INTERVAL_MS = 1_000;
/** A slower answer counts as none. */
const CHECK_DEADLINE_MS = 3_000;
/** Consecutive: one late answer on a busy machine is not an outage. */
const FAILURES_UNTIL_DOWN = 2;
/** A service that hangs must not delay the end of the process. */
const CLOSE_DEADLINE_MS = 500;
const SECONDS_PER_MS = 1e-3;
/** The state of a dependency before the first check of it has ended. */
const NOT_ASKED: PartHealth = { alive: true, ready: false, detail: 'not asked yet' };

/** False before the first check has ended, and where nobody checks. */
export function isKnownDown(part: PartHealth | undefined): boolean {
  return part !== undefined && !part.ready && part !== NOT_ASKED;
}

const NAMES: Readonly<Record<Dependency, string>> = {
  kafka: 'Kafka',
  registry: 'The schema registry',
  postgres: 'Postgres',
  redis: 'Redis',
};

/**
 * Watches the services that a process depends on: metrics at each check, a log line at each change.
 *
 * @returns what ends the watch and closes its connections.
 */
export function watchDependencies(
  probes: readonly Probe[],
  telemetry: Telemetry,
  log: Log,
): { close(): Promise<void> } {
  const watches = probes.map((probe) => new Watch(probe, telemetry, log));
  return {
    async close() {
      await Promise.all(watches.map((watch) => watch.close()));
    },
  };
}

class Watch {
  readonly #probe: Probe;
  readonly #telemetry: Telemetry;
  readonly #log: Log;
  #isUp: boolean | undefined;
  #failures = 0;
  #downSince = 0;
  /** Why it is down, as last said. */
  #saidReason: string | undefined;
  /** Of the last failure, where it is another one than was said. */
  #otherReason: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(probe: Probe, telemetry: Telemetry, log: Log) {
    this.#probe = probe;
    this.#telemetry = telemetry;
    this.#log = log;
    telemetry.health.set(probe.dependency, NOT_ASKED);
    void this.#check();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await withDeadline(this.#probe.close(), CLOSE_DEADLINE_MS, () => new Error('no answer')).catch(() => undefined);
  }

  async #check(): Promise<void> {
    const { dependency } = this.#probe;
    const startedAt = performance.now();
    let failure: string | undefined;
    try {
      await withDeadline(
        this.#probe.check(),
        CHECK_DEADLINE_MS,
        () => new Error(`no answer within ${CHECK_DEADLINE_MS} ms`),
      );
    } catch (error) {
      failure = reasonOf(error);
    }
    if (this.#closed) return;
    const seconds = (performance.now() - startedAt) * SECONDS_PER_MS;
    this.#telemetry.metrics.observe('tapeproof_dependency_check_seconds', { dependency }, seconds);
    if (failure === undefined) this.#succeeded();
    else this.#failed(failure);
    this.#timer = setTimeout(() => void this.#check(), CHECK_INTERVAL_MS);
    this.#timer.unref();
  }

  #succeeded(): void {
    const { dependency } = this.#probe;
    this.#failures = 0;
    if (this.#isUp === true) return;
    const outage =
      this.#isUp === undefined ? '' : ` again, after ${Math.round((Date.now() - this.#downSince) / 1_000)} s`;
    this.#isUp = true;
    this.#telemetry.metrics.set('tapeproof_dependency_up', { dependency }, 1);
    this.#telemetry.health.set(dependency, { alive: true, ready: true, detail: 'answers' });
    this.#log.event(`${dependency}-up`, `${NAMES[dependency]} answers${outage}`);
  }

  #failed(reason: string): void {
    const { dependency } = this.#probe;
    this.#failures += 1;
    // Before the first answer nothing is known to be up: no second check is needed.
    if (this.#isUp === true && this.#failures < FAILURES_UNTIL_DOWN) return;
    if (this.#isUp === false) {
      this.#failedAgain(reason);
      return;
    }
    this.#isUp = false;
    this.#downSince = Date.now();
    this.#telemetry.metrics.set('tapeproof_dependency_up', { dependency }, 0);
    this.#sayDown(reason);
  }

  /** It may be down for another reason now. One that does not last is not said: two may take turns. */
  #failedAgain(reason: string): void {
    if (reason === this.#saidReason) this.#otherReason = undefined;
    else if (reason === this.#otherReason) this.#sayDown(reason);
    else this.#otherReason = reason;
  }

  #sayDown(reason: string): void {
    const { dependency } = this.#probe;
    this.#saidReason = reason;
    this.#otherReason = undefined;
    this.#telemetry.health.set(dependency, { alive: true, ready: false, detail: reason });
    this.#log.event(`${dependency}-down`, `${NAMES[dependency]} does not answer: ${reason}`, {
      'event.reason': reason,
    });
  }
}
