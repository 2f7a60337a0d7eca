import type { EngineActivated, IndicatorSnapshot, Trade } from '../../contracts/generated/events.ts';
import type { TapeContent } from '../../contracts/tape-content.ts';
import type { TapeWindow } from '../projector.ts';
import { CountedTrades, type Doubt } from './counted-trades.ts';
import { compared, textOf, type Divergence } from './indicators.ts';
import { indicatorRulesOf, type IndicatorRules } from './rules.ts';

/** Records of a window: of a longer one the trades would not fit in memory beside each other. */
export const WINDOW_RECORDS_MAX = 400_000;
/** Records before a window that are searched for a trade which it should begin with. */
const LOOK_BACK_RECORDS = 1_000;
/** Versions of the engine with the definitions that are checked here. */
const CHECKED_ENGINE_VERSIONS: readonly string[] = ['4', '5'];

/**
 * Why a sampled snapshot was not checked: its engine's definitions are others · its window is too long, or no longer on
 * the tape · its configuration is not on the tape, or another one came into force within the window · a trade has a
 * schema that its activation does not list · a time stamp was released by an operator, or its standing rests on trades
 * before the window.
 */
export type NotChecked = 'ENGINE_VERSION' | 'WINDOW_TOO_LONG' | 'TAPE_GONE' | 'CONFIGURATION' | 'ACTIVATION' | Doubt;

/** The result for one snapshot. */
export type Verdict =
  | { readonly kind: 'NOT_CHECKED'; readonly reason: NotChecked }
  | {
      readonly kind: 'AGREES' | 'DIVERGES';
      readonly trades: number;
      readonly divergences: readonly Divergence[];
      readonly leftOut: readonly string[];
    };

/**
 * A snapshot's indicators, recomputed from the trades in its window on the tape. A little before it is read, too: a sum
 * that began in the middle of its session would agree with the window that it claims.
 */
export class Recomputation implements TapeWindow {
  readonly configHash: string;
  readonly from: number;
  readonly to: number;
  private readonly snapshot: IndicatorSnapshot;
  private rules: IndicatorRules | undefined;
  private counted: CountedTrades | undefined;
  /** Admissible trades of the instrument before the window. */
  private earlier: { readonly timeUs: number; readonly session: number; readonly offset: number }[] = [];
  private firstRead: number | undefined;
  private refusal: NotChecked | undefined;
  private result: Verdict | undefined;

  constructor(snapshot: IndicatorSnapshot) {
    const { firstOffset, tape, engineVersion, configHash } = snapshot;
    this.snapshot = snapshot;
    this.configHash = configHash;
    if (!CHECKED_ENGINE_VERSIONS.includes(engineVersion)) this.refusal = 'ENGINE_VERSION';
    else if (windowRecordsOf(snapshot) > WINDOW_RECORDS_MAX) this.refusal = 'WINDOW_TOO_LONG';
    this.from = Math.max(0, firstOffset - LOOK_BACK_RECORDS);
    // A refused one reads nothing.
    this.to = this.refusal === undefined ? tape.offset + 1 : this.from;
  }

  begin(activation: EngineActivated | undefined): void {
    const { instrument, eventTime, lastOffset } = this.snapshot;
    this.rules = activation === undefined ? undefined : indicatorRulesOf(activation, instrument);
    if (this.rules === undefined) this.refusal ??= 'CONFIGURATION';
    else this.counted = new CountedTrades(this.rules, this.rules.sessionAt(eventTime), lastOffset);
  }

  take(offset: number, content: TapeContent): void {
    this.firstRead ??= offset;
    const { counted, snapshot } = this;
    if (counted === undefined || counted.isComplete) return;
    if (content.kind === 'activation') this.takeActivation(offset, content.activation);
    else if (content.kind === 'watermark') {
      const { watermark, fingerprint } = content;
      if (offset >= snapshot.firstOffset && watermark.instruments.includes(snapshot.instrument)) {
        counted.hear(watermark, fingerprint);
      }
    } else if (content.kind === 'trade') {
      const { trade, fingerprint } = content;
      if (trade.instrument !== snapshot.instrument) return;
      if (offset < snapshot.firstOffset) this.takeEarlier(trade, fingerprint, offset);
      else counted.take(trade, fingerprint, offset);
    } else if (content.kind === 'amendment') {
      const { amendment, name, fingerprint } = content;
      if (offset >= snapshot.firstOffset && amendment.instrument === snapshot.instrument) {
        counted.amend(amendment, name, fingerprint);
      }
    }
  }

  /** To be asked once the window was read; the same at each call. */
  get verdict(): Verdict {
    return (this.result ??= this.judge());
  }

  private takeEarlier(trade: Trade, fingerprint: string, offset: number): void {
    const session = this.counted?.sessionOf(trade);
    if (session === undefined || this.rules?.acceptedSchemas.has(fingerprint) !== true) return;
    this.earlier.push({ timeUs: trade.eventTime, session, offset });
  }

  private takeActivation(offset: number, { configHash }: EngineActivated): void {
    if (offset < this.snapshot.firstOffset) this.earlier = [];
    else if (configHash !== this.configHash) this.refusal ??= 'ACTIVATION';
  }

  private judge(): Verdict {
    const { counted, rules, snapshot, refusal } = this;
    if (refusal !== undefined || counted === undefined || rules === undefined) {
      return { kind: 'NOT_CHECKED', reason: refusal ?? 'CONFIGURATION' };
    }
    if ((this.firstRead ?? Number.POSITIVE_INFINITY) > snapshot.firstOffset) {
      return { kind: 'NOT_CHECKED', reason: 'TAPE_GONE' };
    }
    if (counted.doubt !== undefined) return { kind: 'NOT_CHECKED', reason: counted.doubt };
    const { divergences, leftOut } = compared(snapshot, counted, rules);
    const all = [...this.aboutCause(counted), ...this.aboutBeginning(counted, rules), ...divergences];
    const kind = all.length === 0 ? 'AGREES' : 'DIVERGES';
    return { kind, trades: counted.trades.length, divergences: all, leftOut };
  }

  /** The causing trade itself. */
  private aboutCause(counted: CountedTrades): Divergence[] {
    const { lastOffset, lastPrice, eventTime } = this.snapshot;
    const cause = counted.trades.at(-1);
    if (!counted.isComplete || cause === undefined) {
      return [{ field: 'lastOffset', published: String(lastOffset), recomputed: 'not the offset of a trade on time' }];
    }
    const isPrice = cause.price === lastPrice.toUnits();
    return [
      ...(isPrice ? [] : [{ field: 'lastPrice', published: lastPrice.toString(), recomputed: textOf(cause.price) }]),
      ...(cause.timeUs === eventTime
        ? []
        : [{ field: 'eventTime', published: String(eventTime), recomputed: String(cause.timeUs) }]),
    ];
  }

  /** A trade of the session before the window that must have counted: no later than the first one that did. */
  private aboutBeginning(counted: CountedTrades, rules: IndicatorRules): Divergence[] {
    const { beginning } = counted;
    if (beginning === undefined) return [];
    const session = rules.sessionAt(beginning.timeUs);
    const timesUs = [...this.earlier, ...counted.trades.slice(0, rules.confirmingTrades)].map(({ timeUs }) => timeUs);
    const missed = this.earlier.find(({ timeUs, session: own }, index) => {
      if (own !== session || timeUs > beginning.timeUs) return false;
      const following = timesUs.slice(index + 1, index + 1 + rules.confirmingTrades);
      return isTimely(timeUs, following, rules);
    });
    if (missed === undefined) return [];
    const { firstOffset } = this.snapshot;
    return [{ field: 'firstOffset', published: String(firstOffset), recomputed: String(missed.offset) }];
  }
}

/** False for a trade that may have been far ahead of the others' time, and so in a session that did not take it. */
function isTimely(timeUs: number, following: readonly number[], { clockStepUs, sessionAt }: IndicatorRules): boolean {
  const earliestUs = timeUs - clockStepUs;
  if (following.some((otherUs) => otherUs < earliestUs)) return false;
  return (sessionAt(timeUs) ?? 0) - (sessionAt(earliestUs) ?? Number.POSITIVE_INFINITY) <= 1;
}

/** Records of the tape, other instruments' included, that a snapshot's indicators cover. */
export function windowRecordsOf({ firstOffset, tape }: IndicatorSnapshot): number {
  return tape.offset - firstOffset + 1;
}
