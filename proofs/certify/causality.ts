import type { Outcome, StrategyResult, ProbabilityDecision } from '../../contracts/generated/events.ts';
import type { TapeContent } from '../../contracts/tape-content.ts';
import type { DerivedEvent } from '../../contracts/topics.ts';
import { parseEventId } from '../event-id.ts';

/** Records of the tape whose kind and time are kept: a trade may wait so long for its time to be proven. */
const RECORDS_KEPT = 262_144;
const US_PER_MS = 1_000;
const TAPE_CAUSE = /^(trade|watermark|tick|signal)-(\d{1,9})-(\d{1,15})-0$/;
const OTHER = 0;
const TRADE = 1;
const WATERMARK = 2;
const SIGNAL = 3;
const KIND_OF: Readonly<Record<string, number>> = {
  trade: TRADE,
  watermark: WATERMARK,
  tick: WATERMARK,
  signal: SIGNAL,
};

/** A directed forecast without an outcome yet. */
interface Forecast {
  readonly forecastTime: number;
  readonly dueTime: number;
}

/**
 * Checks that each event of a partition rests only on what was on the tape before it: by the events and the tape alone,
 * without the engine's code. Every cause that an event names must exist, at or before the event's own place on the tape,
 * and an outcome must not come before its forecast is due.
 */
export class Causality {
  readonly #partition: number;
  readonly #from: number;
  readonly #kinds = new Uint8Array(RECORDS_KEPT);
  readonly #timesUs = new Float64Array(RECORDS_KEPT);
  readonly #pending = new Map<string, Forecast>();
  readonly #atThisRecord = new Set<string>();
  #offset = -1;
  /** In the ids of this record's events. */
  #place = '';
  #beforeRange = 0;

  /** @param from - first tape offset of the range. */
  constructor(partition: number, from: number) {
    this.#partition = partition;
    this.#from = from;
  }

  /** Causes named that lie before the range, or too far back: that they precede the event is checked, not that they exist. */
  get beforeRange(): number {
    return this.#beforeRange;
  }

  /** The next record of the tape: the events that follow are of its place. */
  record(offset: number, content: TapeContent): void {
    for (let missing = Math.max(this.#offset + 1, offset - RECORDS_KEPT); missing < offset; missing += 1) {
      this.#kinds[missing % RECORDS_KEPT] = OTHER;
    }
    this.#offset = offset;
    const at = offset % RECORDS_KEPT;
    if (content.kind === 'trade') {
      this.#kinds[at] = TRADE;
      this.#timesUs[at] = content.trade.eventTime;
    } else if (content.kind === 'watermark') {
      this.#kinds[at] = WATERMARK;
      this.#timesUs[at] = content.watermark.eventTime;
    } else if (content.kind === 'signal') {
      this.#kinds[at] = SIGNAL;
      this.#timesUs[at] = content.signal.validFrom;
    } else this.#kinds[at] = OTHER;
    if (this.#atThisRecord.size > 0) this.#atThisRecord.clear();
    this.#place = '';
  }

  /** How an event, in the order of the log, rests on something later than itself; undefined when it does not. */
  violation(event: DerivedEvent): string | undefined {
    const { tape, causes, eventId } = event;
    if (tape.partition !== this.#partition || tape.offset !== this.#offset) {
      return `it names the tape position ${tape.partition}-${tape.offset}, and was derived at ${this.#partition}-${this.#offset}`;
    }
    if (this.#place === '') this.#place = `-${this.#partition}-${this.#offset}-`;
    if (!eventId.includes(this.#place)) return `its id ${eventId} names another place of the tape`;
    if (causes.length === 0) return 'it names no cause';
    for (const cause of causes) {
      const wrong = this.#causeViolation(cause, event);
      if (wrong !== undefined) return wrong;
    }
    const wrong = this.#ownViolation(event);
    if (wrong === undefined) this.#remember(event);
    return wrong;
  }

  #causeViolation(cause: string, { eventTime }: DerivedEvent): string | undefined {
    // Nearly every cause. Their own places were checked when they came.
    if (this.#atThisRecord.has(cause) || this.#pending.has(cause)) return undefined;
    const match = TAPE_CAUSE.exec(cause);
    if (match !== null) {
      return this.#recordViolation(cause, KIND_OF[match[1] ?? ''] ?? OTHER, match, eventTime);
    }
    const id = parseEventId(cause);
    if (id === undefined) return `it names the cause ${JSON.stringify(cause)}, which is not a record`;
    const place = this.#placeViolation(cause, id.partition, id.tapeOffset);
    if (place !== undefined) return place;
    if (id.tapeOffset < this.#from) this.#beforeRange += 1;
    else return `it names the cause ${cause}, which was not there before it`;
    return undefined;
  }

  #recordViolation(
    cause: string,
    kind: number,
    [, , partition, offset]: RegExpExecArray,
    eventTime: number,
  ): string | undefined {
    const at = Number(offset);
    const place = this.#placeViolation(cause, Number(partition), at);
    if (place !== undefined) return place;
    if (at < this.#from || at <= this.#offset - RECORDS_KEPT) {
      this.#beforeRange += 1;
      return undefined;
    }
    if (this.#kinds[at % RECORDS_KEPT] !== kind) return `it names the cause ${cause}, and the tape has no such record`;
    const timeUs = this.#timesUs[at % RECORDS_KEPT] ?? Number.NaN;
    // A signal is in force for a while; a trade or a watermark is the very moment.
    if (kind === SIGNAL) return timeUs <= eventTime ? undefined : `its cause ${cause} was not in force yet`;
    if (timeUs !== eventTime) return `its time is not that of its cause ${cause}`;
    return undefined;
  }

  #placeViolation(cause: string, partition: number, offset: number): string | undefined {
    if (partition !== this.#partition) return `its cause ${cause} is in another partition`;
    if (offset > this.#offset) return `its cause ${cause} lies after it on the tape`;
    return undefined;
  }

  #ownViolation(event: DerivedEvent): string | undefined {
    if ('forecastId' in event) return this.#outcomeViolation(event);
    if ('lastOffset' in event) {
      const { firstOffset, lastOffset } = event;
      if (firstOffset > lastOffset || lastOffset > this.#offset) {
        return `its figures cover the tape up to offset ${lastOffset}, which lies after it`;
      }
      return undefined;
    }
    const lastOutcome = event.calibration?.lastOutcomeOffset ?? -1;
    return lastOutcome > this.#offset
      ? `its calibration rests on an outcome at tape offset ${lastOutcome}, which lies after it`
      : undefined;
  }

  #outcomeViolation(outcome: Outcome): string | undefined {
    const { forecastId, causes, dueTime, verdict, hitRuleKind, observedTime, eventTime } = outcome;
    if (causes[0] !== forecastId) return `its first cause is not its forecast ${forecastId}`;
    const forecast = this.#pending.get(forecastId);
    if (forecast === undefined) {
      const id = parseEventId(forecastId);
      if (id !== undefined && id.tapeOffset < this.#from) return undefined;
      return `its forecast ${forecastId} is not pending: it was resolved before, or has no direction`;
    }
    if (dueTime !== forecast.dueTime) return `its due time is not that of its forecast ${forecastId}`;
    const isBarrier = hitRuleKind === 'FIRST_TOUCH';
    const earliest = verdict !== 'VOID' && isBarrier ? forecast.forecastTime : dueTime;
    if ((observedTime ?? eventTime) < earliest) return `it decides its forecast ${forecastId} before that is due`;
    return undefined;
  }

  #remember(event: DerivedEvent): void {
    this.#atThisRecord.add(event.eventId);
    if ('forecastId' in event) this.#pending.delete(event.forecastId);
    else if (isForecast(event) && event.direction !== 'NEUTRAL') {
      const { eventTime, hitRule } = event;
      this.#pending.set(event.eventId, {
        forecastTime: eventTime,
        dueTime: eventTime + hitRule.horizonMs * US_PER_MS,
      });
    }
  }
}

function isForecast(event: DerivedEvent): event is StrategyResult | ProbabilityDecision {
  return 'hitRule' in event;
}
