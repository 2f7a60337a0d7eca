import type { EngineActivated } from '../contracts/generated/events.ts';
import type { Log } from '../platform/log.ts';
import type { Telemetry } from '../platform/telemetry.ts';
import { ENGINE_VERSION } from './configuration.ts';

/** Of the health board. */
const PART = 'activation';

/** A partition at the activation of an engine that this one is not. */
export interface HandOver {
  readonly partition: number;
  /** Offset of the activation. */
  readonly offset: number;
  readonly foreign: EngineActivated;
  /** Whether this engine derived up to there; else it waits for the other one to reach its own activation. */
  readonly isOurs: boolean;
}

/** Says which partitions wait for another engine: once in the log, and on /ready and in the metrics while it is so. */
export class HandOverTelemetry {
  readonly #telemetry: Telemetry;
  readonly #log: Log;
  readonly #waiting = new Map<number, HandOver>();

  constructor(telemetry: Telemetry, log: Log) {
    this.#telemetry = telemetry;
    this.#log = log;
    this.#say();
  }

  /** @returns why the partition does not go on. */
  waits(handOver: HandOver): string {
    const { partition, offset, foreign } = handOver;
    const sentence = `Partition ${partition} waits at offset ${offset}: ${adviceFor(handOver)}`;
    if (this.#waiting.get(partition)?.foreign.activationId !== foreign.activationId) {
      this.#log.event('hand-over-awaited', sentence, {
        'tapeproof.tape.partition': partition,
        'tapeproof.tape.offset': offset,
        'tapeproof.engine_version': foreign.engineVersion,
      });
    }
    this.#waiting.set(partition, handOver);
    this.#telemetry.metrics.set('tapeproof_engine_hand_over_awaited', { partition }, 1);
    this.#say();
    return sentence;
  }

  /** The partition goes on, or is another process's now. */
  ended(partition: number): void {
    if (!this.#waiting.delete(partition)) return;
    this.#telemetry.metrics.remove('tapeproof_engine_hand_over_awaited', { partition });
    this.#say();
  }

  #say(): void {
    const [first] = this.#waiting.values();
    const partitions = [...this.#waiting.keys()].toSorted((left, right) => left - right);
    const detail =
      first === undefined
        ? `no partition waits for another engine than this, version ${ENGINE_VERSION}`
        : `partitions ${partitions.join(',')} of the tape wait: ${adviceFor(first)}`;
    this.#telemetry.health.set(PART, { alive: true, ready: first === undefined, detail });
  }
}

function adviceFor({ foreign, isOurs }: HandOver): string {
  const { engineVersion } = foreign;
  if (engineVersion === ENGINE_VERSION) {
    return `the activation in force asks for engine version ${ENGINE_VERSION} with other schemas than this build writes: run the build that it was activated with, of commit ${foreign.gitCommit}`;
  }
  const inForce = `engine version ${engineVersion} is in force, and this is ${ENGINE_VERSION}`;
  const back = `to go on with this one, put it in force with "npx tapeproof activate" and let version ${engineVersion} reach that place`;
  return `${inForce}: ${isOurs ? 'stop this engine and ' : ''}run version ${engineVersion}; ${back}`;
}
