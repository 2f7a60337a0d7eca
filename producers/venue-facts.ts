import type { LiveVenue, VenueFacts } from './venue.ts';

/** What a venue gives, as data and in words. */
export interface VenueSheet extends Omit<VenueFacts, 'note'> {
  readonly name: string;
  readonly description: string;
  readonly tradeIds: LiveVenue['tradeIds'];
  /** STREAM: by WebSocket, with requests for what it missed; POLL: by requests alone. */
  readonly transport: 'STREAM' | 'POLL';
  /** EACH: every missing trade is known, by its id; INTERRUPTIONS: only those around an interruption. */
  readonly gapsDetected: 'EACH' | 'INTERRUPTIONS';
  readonly note: string | null;
  /** Empty where a library knows them. */
  readonly endpoints: LiveVenue['endpoints'];
  readonly words: Readonly<Record<'tradeIds' | 'side' | 'times' | 'backfill' | 'provenOn', string>>;
}

const SIDES: Readonly<Record<VenueFacts['side'], string>> = {
  TAKER: "the taker's",
  MAKER: "the maker's, reversed",
  NONE: 'none',
};
const BACKFILLS: Readonly<Record<VenueFacts['backfill'], string>> = {
  ALL: 'requested, whichever they are',
  WHERE_SERVED: 'requested where the exchange serves them, else a gap',
  NEWEST: 'requested while among the newest, else a gap',
  NONE: 'a gap on the tape',
};
const PROOFS: Readonly<Record<VenueFacts['provenOn'], string>> = {
  CAPTURE: 'captured frames',
  DOCUMENTATION: 'documentation only',
};

export function sheetOf({ name, description, tradeIds, facts, endpoints, stream }: LiveVenue): VenueSheet {
  const isDense = tradeIds === 'DENSE';
  return {
    name,
    description,
    tradeIds,
    transport: stream === undefined ? 'POLL' : 'STREAM',
    gapsDetected: isDense ? 'EACH' : 'INTERRUPTIONS',
    ...facts,
    note: facts.note ?? null,
    endpoints,
    words: {
      tradeIds: isDense ? 'numbered: each gap is known' : 'unique: gaps are known around interruptions',
      side: SIDES[facts.side],
      times: facts.timeResolution === 'us' ? 'µs' : facts.timeResolution,
      backfill: BACKFILLS[facts.backfill],
      provenOn: PROOFS[facts.provenOn],
    },
  };
}
