import type { Log } from '../platform/log.ts';
import type { Telemetry } from '../platform/telemetry.ts';

/**
 * Whether a projector's store accepts and keeps deliveries: on /ready, as metrics, and in the log. Answering a probe
 * does not prove it: a read-only Postgres answers too.
 */
export class SinkHealth {
  readonly #projector: string;
  readonly #log: Log;
  readonly #telemetry: Telemetry;
  /** Why the last batch was refused, by topic and partition. */
  readonly #refusals = new Map<string, string>();
  #hazard: string | undefined;

  constructor(projector: string, log: Log, telemetry: Telemetry) {
    this.#projector = projector;
    this.#log = log;
    this.#telemetry = telemetry;
    this.#show();
  }

  refused(key: string, reason: string): void {
    this.#refusals.set(key, reason);
    this.#show();
  }

  accepted(key: string): void {
    if (!this.#refusals.delete(key)) return;
    this.#show();
    if (this.#refusals.size > 0) return;
    this.#log.event('sink-recovered', `${this.#projector}: the store accepts deliveries again`);
  }

  /** Forgets the failures of these partitions: another process may have them now, or had them. */
  assigned(keys: readonly string[]): void {
    for (const key of this.#refusals.keys()) if (!keys.includes(key)) this.#refusals.delete(key);
    this.#show();
  }

  /** @param hazard why the store may lose data; undefined where it does not. */
  hazard(hazard: string | undefined): void {
    if (hazard === this.#hazard) return;
    if (hazard !== undefined) this.#log.event('eviction-on', hazard);
    else {
      this.#log.event(
        'eviction-off',
        `Redis no longer evicts keys; "npx tapeproof projector rebuild ${this.#projector}" finds evicted ones`,
      );
    }
    this.#hazard = hazard;
    this.#show();
  }

  #show(): void {
    const { health, metrics } = this.#telemetry;
    const [refusal] = this.#refusals.values();
    const detail = refusal ?? this.#hazard ?? 'accepts deliveries';
    health.set('sink', { alive: true, ready: refusal === undefined && this.#hazard === undefined, detail });
    const labels = { projector: this.#projector };
    metrics.set('tapeproof_projector_sink_up', labels, refusal === undefined ? 1 : 0);
    metrics.set('tapeproof_projector_sink_evicts', labels, this.#hazard === undefined ? 0 : 1);
  }
}
