import type { DeadLetter } from '../contracts/generated/events.ts';
import { reportDeadLetter } from '../platform/dead-letter-telemetry.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics/metrics.ts';
import type { SetAside, SignalSetAside } from './advance.ts';
import { SIGNAL_SET_ASIDE_WORDS } from './context/partition-context.ts';
import { SET_ASIDE_WORDS } from './trade-counts.ts';

/** Reports which records of a tape partition did not count, by log lines and metrics. */
export class RefusalTelemetry {
  readonly #partition: number;
  readonly #log: Log;
  readonly #metrics: Metrics;

  constructor(partition: number, log: Log, metrics: Metrics) {
    this.#partition = partition;
    this.#log = log;
    this.#metrics = metrics;
  }

  setAside(setAside: SetAside | SignalSetAside, offset: number): void {
    if ('signal' in setAside) this.#signalSetAside(setAside, offset);
    else this.#tradeSetAside(setAside, offset);
  }

  #signalSetAside({ kind: fate, signal }: SignalSetAside, offset: number): void {
    const { kind, signalId, instrument, validUntil } = signal;
    this.#metrics.count('tapeproof_engine_signals_set_aside_total', { kind, fate });
    const subject = instrument === null ? 'the whole market' : instrument;
    this.#log.sampled('signal-set-aside')?.(
      `Signal ${signalId} (${kind}) about ${subject}: ${SIGNAL_SET_ASIDE_WORDS[fate]}`,
      {
        'tapeproof.set_aside': fate,
        'tapeproof.signal_kind': kind,
        'tapeproof.signal_id': signalId,
        'tapeproof.valid_until_us': validUntil,
        ...(instrument === null ? {} : { 'tapeproof.instrument': instrument }),
        'tapeproof.tape.partition': this.#partition,
        'tapeproof.tape.offset': offset,
      },
    );
  }

  #tradeSetAside({ kind, instrument, tradeId, eventTime }: SetAside, offset: number): void {
    this.#metrics.count('tapeproof_engine_set_aside_total', { instrument, kind });
    this.#log.sampled('trade-set-aside')?.(`Trade ${tradeId} of ${instrument}: ${SET_ASIDE_WORDS[kind]}`, {
      'tapeproof.set_aside': kind,
      'tapeproof.instrument': instrument,
      'tapeproof.trade_id': tradeId,
      'tapeproof.event_time_us': eventTime,
      'tapeproof.tape.partition': this.#partition,
      'tapeproof.tape.offset': offset,
    });
  }

  deadLetter(letter: DeadLetter): void {
    const { detail, source } = letter;
    const sentence = () => `Tape record ${this.#partition}-${source.position} cannot be used: ${detail}`;
    const place = { 'tapeproof.tape.partition': this.#partition, 'tapeproof.tape.offset': source.position };
    reportDeadLetter({ metrics: this.#metrics, log: this.#log }, letter, sentence, place);
  }
}
