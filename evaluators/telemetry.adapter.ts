import type { Outcome, ProbabilityDecision, StrategyResult, Verdict } from '../contracts/generated/events.ts';
import { ANCHORS_TOPIC } from '../contracts/topics.ts';
import type { PassedOver } from '../platform/kafka/foreign-records.ts';
import type { Log } from '../platform/log.ts';
import type { LogFields } from '../platform/log-field-catalogue.ts';
import type { Metrics } from '../platform/metrics/metrics.ts';
import type { DerivedRecord } from './advance.ts';
import { FOREIGN_FATES, type ForeignEvent } from './foreign-events.ts';
import type { OutputComparison } from './output-comparison.adapter.ts';
import { ANCHOR_FAULTS, type RejectedAnchor } from './recovery.adapter.ts';

/** Replaces a strategy's name for pooled decisions. */
const DECISION = 'DECISION';

type VerdictCounts = Record<Verdict, number>;

/**
 * What is to be reported of events once Kafka has them. It holds no events but the few whose lines are written:
 * kept until then, thousands would outlive the collections of the young generation.
 */
export class UnsentReports {
  /** By strategy. */
  readonly verdicts = new Map<string, VerdictCounts>();
  /** Each writes a log line. */
  readonly lines: (() => void)[] = [];
}

/**
 * Reports the derived events after Kafka acknowledged them. Outcomes are counted in memory and shown at a scrape: an
 * event costs one addition here, and a log line only as often as sampling allows.
 */
export class EngineTelemetry {
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #counts = new Map<string, VerdictCounts>();

  constructor(log: Log, metrics: Metrics) {
    this.#log = log;
    this.#metrics = metrics;
    metrics.beforeScrape(() => {
      this.#show(metrics);
    });
  }

  /** Before an event is sent: what is to be reported of it after that. */
  derived({ type, event }: DerivedRecord, unsent: UnsentReports): void {
    if (type === 'StrategyResult') this.#result(event as StrategyResult, unsent);
    else if (type === 'ProbabilityDecision') this.#decision(event as ProbabilityDecision, unsent);
    else if (type === 'Outcome') this.#outcome(event as Outcome, unsent);
  }

  /** Kafka has the events. */
  acknowledged({ verdicts, lines }: UnsentReports): void {
    for (const [strategy, { HIT, MISS, VOID }] of verdicts) {
      const counts = countsOf(this.#counts, strategy);
      counts.HIT += HIT;
      counts.MISS += MISS;
      counts.VOID += VOID;
    }
    for (const write of lines) write();
  }

  /** What a comparison met among the outputs besides the events of this engine. */
  compared({ passedOver, repetitions }: OutputComparison): void {
    this.passedOver(passedOver);
    this.foreign(repetitions);
  }

  /** Records in the outputs that this engine did not append. */
  foreign(events: readonly ForeignEvent[]): void {
    for (const { topic, partition, offset, fate } of events) {
      this.#metrics.count('tapeproof_engine_foreign_events_total', { topic, partition, fate });
      this.#log.sampled('foreign-event')?.(
        `Another writer appended to ${topic}-${partition} at log offset ${offset}: ${FOREIGN_FATES[fate]}`,
        {
          'tapeproof.topic': topic,
          'tapeproof.partition': partition,
          'tapeproof.offset': offset,
          'tapeproof.fate': fate,
        },
      );
    }
  }

  /** A record that a comparison found among the outputs and that is not an event. */
  passedOver(records: readonly PassedOver[]): void {
    for (const { topic, partition, offset, detail } of records) {
      this.#metrics.count('tapeproof_foreign_records_total', { reader: 'engine', topic });
      this.#log.sampled('foreign-record')?.(`${topic}-${partition} offset ${offset} is passed over: ${detail}`, {
        'tapeproof.reader': 'engine',
        'tapeproof.topic': topic,
        'tapeproof.partition': partition,
        'tapeproof.offset': offset,
      });
    }
  }

  /** Anchors that a recovery passed over. */
  anchorsRejected(partition: number, rejected: readonly RejectedAnchor[]): void {
    for (const { anchor, fault } of rejected) {
      const { offset } = anchor.manifest.tape;
      this.#metrics.count('tapeproof_engine_anchors_rejected_total', { partition, reason: fault });
      this.#log.sampled('anchor-rejected')?.(
        `The anchor of partition ${partition} at ${offset} is not used: ${ANCHOR_FAULTS[fault]}`,
        {
          'tapeproof.tape.partition': partition,
          'tapeproof.tape.offset': offset,
          'tapeproof.topic': ANCHORS_TOPIC,
          'tapeproof.offset': anchor.logOffset,
          'tapeproof.reason': fault,
        },
      );
    }
  }

  #result(event: StrategyResult, { lines }: UnsentReports): void {
    const write = this.#log.sampled('strategy-executed');
    if (write === undefined) return;
    const { strategy, direction, probability } = event;
    lines.push(() => {
      write(`${strategy} forecasts ${direction} for ${event.instrument}, p ${probability}`, {
        ...placeOf(event),
        'tapeproof.strategy': strategy,
        'tapeproof.direction': direction,
        'tapeproof.probability': probability,
        'tapeproof.confidence': event.confidence,
      });
    });
  }

  #decision(event: ProbabilityDecision, { lines }: UnsentReports): void {
    const write = this.#log.sampled('probability-emitted');
    if (write === undefined) return;
    const { direction, probability } = event;
    lines.push(() => {
      write(`${direction} for ${event.instrument}, p ${probability}`, {
        ...placeOf(event),
        'tapeproof.direction': direction,
        'tapeproof.probability': probability,
        'tapeproof.confidence': event.confidence,
      });
    });
  }

  #outcome(event: Outcome, { verdicts, lines }: UnsentReports): void {
    const { verdict, forecastId } = event;
    const strategy = event.strategy ?? DECISION;
    countsOf(verdicts, strategy)[verdict] += 1;
    const write = this.#log.sampled('outcome-evaluated');
    if (write === undefined) return;
    lines.push(() => {
      write(`${verdict}: ${strategy} of ${event.instrument}`, {
        ...placeOf(event),
        'tapeproof.strategy': strategy,
        'tapeproof.verdict': verdict,
        'tapeproof.forecast_id': forecastId,
      });
    });
  }

  #show(metrics: Metrics): void {
    for (const [strategy, counts] of this.#counts) {
      for (const verdict of ['HIT', 'MISS', 'VOID'] as const) {
        metrics.countUpTo('tapeproof_engine_outcomes_total', { strategy, verdict }, counts[verdict]);
      }
      const decided = counts.HIT + counts.MISS;
      metrics.set('tapeproof_engine_hit_ratio_outcomes', { strategy }, decided);
      if (decided > 0) metrics.set('tapeproof_engine_hit_ratio', { strategy }, counts.HIT / decided);
    }
  }
}

function countsOf(all: Map<string, VerdictCounts>, strategy: string): VerdictCounts {
  let counts = all.get(strategy);
  if (counts === undefined) all.set(strategy, (counts = { HIT: 0, MISS: 0, VOID: 0 }));
  return counts;
}

function placeOf({ eventId, instrument, tape }: StrategyResult | ProbabilityDecision | Outcome): LogFields {
  return {
    'event.id': eventId,
    'tapeproof.instrument': instrument,
    'tapeproof.tape.partition': tape.partition,
    'tapeproof.tape.offset': tape.offset,
  };
}
