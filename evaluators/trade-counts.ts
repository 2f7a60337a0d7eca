/**
 * The fate of a trade of an instrument.
 *
 * - `ON_TIME`: counted; it resolves forecasts and may trigger a snapshot. `LATE`: before the clock; counted only.
 * - `AHEAD`: stamped beyond the clock's bound: it waits for others to confirm that time has advanced.
 * - Not counted: `DUPLICATE`, the same id and time again · `TOO_LATE`, of a session before the previous one · `OUTSIDE`
 *   trading hours · `SUSPICIOUS`, marked so by its source · `REFUSED`, for a price that the configuration does not
 *   allow · `UNJUDGED`, older than the identities that memory holds.
 */
export type TradeFate =
  'ON_TIME' | 'LATE' | 'AHEAD' | 'DUPLICATE' | 'TOO_LATE' | 'OUTSIDE' | 'SUSPICIOUS' | 'REFUSED' | 'UNJUDGED';

/** Numbers of trades of an instrument by fate, since the beginning of the tape. */
export interface TradeCounts {
  /** Trades counted into the sums of a session: on time, late, or ahead. */
  readonly counted: number;
  readonly onTime: number;
  readonly late: number;
  /** Beyond the clock's bound: those that wait, and those that were passed by; not those that others confirmed. */
  readonly ahead: number;
  readonly duplicates: number;
  readonly tooLate: number;
  readonly outside: number;
  readonly suspicious: number;
  readonly refused: number;
  readonly unjudged: number;
  /** Trades ahead whose time stamps were disproved: dead letters. */
  readonly setAside: number;
  /** Trades taken back, corrected, and vouched for by later records. */
  readonly cancelled: number;
  readonly corrected: number;
  readonly released: number;
  /** Such records without an effect: they name a trade that no sum held. */
  readonly unmatched: number;
  /** Event times of the first and the last trade counted, microseconds; null before. */
  readonly firstTradeUs: number | null;
  readonly lastTradeUs: number | null;
}

/** Counts of trades that were set aside or decide nothing. */
export const SET_ASIDE_KINDS = [
  'late',
  'ahead',
  'duplicates',
  'tooLate',
  'outside',
  'suspicious',
  'refused',
  'unjudged',
  'setAside',
  'cancelled',
  'corrected',
  'released',
  'unmatched',
] as const satisfies readonly (keyof TradeCounts)[];
export type SetAsideKind = (typeof SET_ASIDE_KINDS)[number];

/** The meaning of each count, for people. */
export const SET_ASIDE_WORDS: Readonly<Record<SetAsideKind, string>> = {
  late: 'late: it came after a newer one, counts into its session and decides nothing',
  ahead: "ahead: stamped beyond the clock's bound, and no other trades have confirmed that time",
  duplicates: 'duplicate: this id with this time was counted before',
  tooLate: 'too late: its session is older than the previous one, so it counts into none',
  outside: 'outside trading hours: it does not count',
  suspicious: 'suspicious: its source marks the print, so it does not count',
  refused: 'refused: its price is not above 0, which the configuration does not allow',
  unjudged: 'not judged: older than the identities that memory holds, so it does not count',
  setAside: 'set aside: its stamp was far ahead, and no other trade confirmed it',
  cancelled: 'cancelled: the sums leave it out from here on',
  corrected: 'corrected: the sums hold the new figures from here on',
  released: 'released: its stamp is vouched for, so it counts',
  unmatched: 'without effect: the record names a trade that no sum holds',
};

/** The count for a fate. */
export const COUNTED_AS = {
  ON_TIME: 'onTime',
  LATE: 'late',
  AHEAD: 'ahead',
  DUPLICATE: 'duplicates',
  TOO_LATE: 'tooLate',
  OUTSIDE: 'outside',
  SUSPICIOUS: 'suspicious',
  REFUSED: 'refused',
  UNJUDGED: 'unjudged',
} as const satisfies Readonly<Record<TradeFate, 'onTime' | SetAsideKind>>;

export const NOTHING_SEEN: TradeCounts = {
  counted: 0,
  onTime: 0,
  late: 0,
  ahead: 0,
  duplicates: 0,
  tooLate: 0,
  outside: 0,
  suspicious: 0,
  refused: 0,
  unjudged: 0,
  setAside: 0,
  cancelled: 0,
  corrected: 0,
  released: 0,
  unmatched: 0,
  firstTradeUs: null,
  lastTradeUs: null,
};
