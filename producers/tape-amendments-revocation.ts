import type { Trade } from '../contracts/generated/events.ts';
import { TradeIdentities } from '../contracts/trade-identities.ts';
import type { HeldAmendment } from './tape-amendments.ts';

/** The result of a revocation for the trades of one instrument. */
export interface RevocationCounts {
  /** Taken back now; in a dry run, those that would be. */
  readonly cancelled: number;
  /** Taken back before. */
  readonly alreadyCancelled: number;
  /** Already on the tape from another source: the file's own records of them have no effect, and they stay. */
  readonly heldFromElsewhere: number;
}

/**
 * Which trades of a partition a revocation takes back. It is fed the partition twice, in order: first the records that
 * concern the file, then every trade, because the first record of a trade counts, whoever appended it.
 */
export class Revocation {
  private readonly source: string;
  private readonly ofFile = new Map<string, TradeIdentities>();
  private readonly cancelled = new Map<string, TradeIdentities>();
  private readonly settled = new Map<string, TradeIdentities>();
  private readonly counted = new Map<string, { -readonly [Count in keyof RevocationCounts]: number }>();

  /** @param source `file:<hash>` */
  constructor(source: string) {
    this.source = source;
  }

  /** First pass: a trade of any source. */
  note({ source, instrument, tradeId, eventTime }: Trade): void {
    if (source === this.source) identitiesIn(this.ofFile, instrument).add(tradeId, eventTime);
  }

  /** First pass: an amendment. */
  noteAmendment({ name, amendment }: HeldAmendment): void {
    const { instrument, tradeId, eventTime } = amendment;
    if (name === 'TradeCancelled') identitiesIn(this.cancelled, instrument).add(tradeId, eventTime);
  }

  /** Whether a second pass is needed. */
  get isEmpty(): boolean {
    return this.ofFile.size === 0;
  }

  /** Second pass: whether to take a trade back. */
  takes({ source, instrument, tradeId, eventTime }: Trade): boolean {
    if (this.ofFile.get(instrument)?.has(tradeId, eventTime) !== true) return false;
    if (!identitiesIn(this.settled, instrument).add(tradeId, eventTime)) return false;
    const counts = this.countsOf(instrument);
    if (this.cancelled.get(instrument)?.has(tradeId, eventTime) === true) counts.alreadyCancelled += 1;
    else if (source !== this.source) counts.heldFromElsewhere += 1;
    else {
      counts.cancelled += 1;
      return true;
    }
    return false;
  }

  /** By instrument. */
  counts(): ReadonlyMap<string, RevocationCounts> {
    return this.counted;
  }

  private countsOf(instrument: string) {
    let counts = this.counted.get(instrument);
    if (counts === undefined) {
      this.counted.set(instrument, (counts = { cancelled: 0, alreadyCancelled: 0, heldFromElsewhere: 0 }));
    }
    return counts;
  }
}

function identitiesIn(map: Map<string, TradeIdentities>, instrument: string): TradeIdentities {
  let identities = map.get(instrument);
  if (identities === undefined) map.set(instrument, (identities = new TradeIdentities()));
  return identities;
}
