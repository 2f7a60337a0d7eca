import type { Log } from '../platform/log.ts';
import type { Telemetry } from '../platform/telemetry.ts';
import type { ActivationTerms } from './activation-terms.ts';
import { ENGINE_VERSION } from './configuration.ts';

/** Name on the health board. */
const PART = 'activation';

/** A partition at the activation of another engine. */
export interface HandOver {
  readonly partition: number;
  /** Offset of the activation. */
  readonly offset: number;
  readonly foreign: ActivationTerms;
  /** Whether this engine derived up to there; if not, it waits for the other one to reach this engine's activation. */
  readonly isOurs: boolean;
}

/** Reports which partitions wait for another engine: once in the log, and on /ready and in the metrics while they wait. */
export class HandOverTelemetry {
  readonly #telemetry: Telemetry;
  readonly #log: Log;
  readonly #waiting = new Map<number, HandOver>();

  constructor(telemetry: Telemetry, log: Log) {
    this.#telemetry = telemetry;
    this.#log = log;
    this.#say();
  }

  /** @returns why the partition does not continue. */
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

  /** The partition continues, or now belongs to another process. */
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
        ? `no partition waits for an engine other than this one, version ${ENGINE_VERSION}`
        : `partitions ${partitions.join(',')} of the tape wait: ${adviceFor(first)}`;
    this.#telemetry.health.set(PART, { alive: true, ready: first === undefined, detail });
  }
}

function adviceFor({ foreign, isOurs }: HandOver): string {
  const { engineVersion } = foreign;
  if (engineVersion === ENGINE_VERSION) {
    return `the activation in force requires engine version ${ENGINE_VERSION} with schemas other than those that this build writes: run the build that it was activated with, of commit ${foreign.gitCommit}`;
  }
  const inForce = `engine version ${engineVersion} is in force, and this is ${ENGINE_VERSION}`;
  const back = `to continue with this one, put it in force with "npx tapeproof activate" and let version ${engineVersion} reach that place`;
  const revoked = isOurs ? `; if nobody ordered it, revoke it: ${revocationOf(foreign)}` : '';
  return `${inForce}: ${isOurs ? 'stop this engine and ' : ''}run version ${engineVersion}; ${back}${revoked}`;
}

/** A forged id may be anything, and people paste commands. */
function revocationOf({ activationId }: ActivationTerms): string {
  const id = /^[\w-]{1,64}$/.test(activationId) ? activationId : 'ID';
  return `"npx tapeproof activate --revoke ${id} --reason TEXT"`;
}
