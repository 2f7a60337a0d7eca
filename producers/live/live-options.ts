import { symbolOf as nameParts } from '../../contracts/instrument-name.ts';
import type { Connections } from '../../platform/connections.ts';
import { TapeproofError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { namedInstrument } from '../../platform/named-instrument.ts';
import type { Telemetry } from '../../platform/telemetry.ts';
import { quoted } from '../source.ts';
import type { Credentials, Endpoints, LiveVenue } from '../venue.ts';
import { VENUES } from '../venues/catalogue.ts';
import { venueNamed } from '../venues/named.ts';
import { suggestedInstrument } from './suggested-instrument.ts';
import type { LiveTelemetry } from './telemetry.ts';
import { LIVE_TIMING, type LiveTiming } from './timing.ts';

/** By default, more missing trades of an instrument than this are a gap at once. */
export const RESUME_TRADES_MAX = 500_000;
/** The most instruments of one process: their names must fit the stream's address, and REST must have time for each. */
export const LIVE_INSTRUMENTS_MAX = 200;

export interface LiveIngestOptions {
  /** A name in VENUES, or of an exchange by ccxt, `ccxt-kraken`. */
  readonly venue: string;
  /** `BTC-USDT` or `BTC-USDT@binance`. */
  readonly instruments: readonly string[];
  /** WebSocket, with REST for missed trades; or REST alone, which is the only way for a venue without a stream. */
  readonly transport: 'stream' | 'poll';
  /** Replaces the venue's own address. */
  readonly endpoints?: Partial<Endpoints> | undefined;
  /** More missing trades of an instrument than this are declared a gap and not requested. */
  readonly resumeTradesMax?: number | undefined;
  /** Of the venue's account, where it requires one. */
  readonly credentials?: Credentials | undefined;
  readonly timing?: Partial<LiveTiming> | undefined;
  readonly connections: Pick<Connections, 'kafkaBrokers' | 'registryUrl'>;
  readonly log: Log;
  /** On this signal, released trades are sent and the result is returned, within ten seconds. */
  readonly signal: AbortSignal;
  /** Logs, metrics and health of the process; without it nothing is reported. */
  readonly processTelemetry?: Telemetry | undefined;
  /** One appended trade of this many begins a trace; undefined for none. */
  readonly traceOneIn?: number | undefined;
  /** Its name among the checks of /ready; `venue` by default. */
  readonly healthPart?: string | undefined;
  /** Receives the events instead of the process's metrics, health and log. */
  readonly telemetry?: LiveTelemetry | undefined;
  /** Called about once a second, for a terminal. */
  readonly onStatus?: ((status: LiveStatus) => void) | undefined;
}

export interface LiveStatus {
  readonly tradesAppended: number;
  /** Over the last second or so. */
  readonly tradesPerSecond: number;
  /** Trades received that are not yet on their way to Kafka. */
  readonly waiting: number;
  readonly instruments: readonly InstrumentStatus[];
}

export interface InstrumentStatus {
  readonly instrument: string;
  /** Event time of the last trade that Kafka acknowledged, microseconds since 1970; undefined before the first. */
  readonly lastEventTimeUs: number | undefined;
  readonly tradesAppended: number;
  readonly missing: number;
  readonly isInSync: boolean;
}

export interface LiveIngestReport {
  /** False where a released trade did not reach Kafka in time at the end. */
  readonly complete: boolean;
  readonly seconds: number;
  /** Trades that Kafka acknowledged, by origin. */
  readonly tradesAppended: number;
  readonly fromHistory: number;
  readonly perInstrument: Readonly<Record<string, number>>;
  readonly watermarks: number;
  /** Gaps declared. */
  readonly gaps: number;
  /** Cancels and corrections of the venue on the tape. */
  readonly amendments: number;
  readonly deadLetters: number;
  /** Refused beyond the limit per second: only counted. */
  readonly deadLettersNotKept: number;
}

/** The options that choose what is taken from where. */
export type PlanOptions = Pick<
  LiveIngestOptions,
  'venue' | 'instruments' | 'transport' | 'endpoints' | 'resumeTradesMax' | 'timing'
>;

/** The validated options, with defaults filled in. */
export interface LivePlan {
  readonly venue: LiveVenue;
  readonly transport: 'stream' | 'poll';
  /** `BTC-USDT@binance` to BTCUSDT. */
  readonly symbols: ReadonlyMap<string, string>;
  readonly endpoints: Endpoints;
  readonly resumeTradesMax: number;
  readonly timing: LiveTiming;
}

/** @throws TapeproofError USAGE where an option names something that does not exist. */
export function planOf(options: PlanOptions): LivePlan {
  const venue = venueNamed(options.venue);
  if (venue === undefined) {
    const names = VENUES.map(({ name }) => name).join(', ');
    throw usage(`${quoted(options.venue)} is not a known venue: use one of ${names}, or ccxt:exchange.`);
  }
  const resumeTradesMax = options.resumeTradesMax ?? RESUME_TRADES_MAX;
  if (!Number.isSafeInteger(resumeTradesMax) || resumeTradesMax < 0) {
    throw usage(`${resumeTradesMax} is not a valid --resume-max: give a whole number, 0 or more.`);
  }
  const symbols = new Map(options.instruments.map((name) => symbolOf(name.trim(), venue)));
  if (symbols.size === 0) throw usage(`No instrument is named: give one or more, such as BTC-USDT.`);
  const most = Math.min(LIVE_INSTRUMENTS_MAX, venue.limits.instrumentsPerConnection);
  if (symbols.size > most) {
    throw usage(`${symbols.size} instruments are too many for one process: give at most ${most}, and start another.`);
  }
  return {
    venue,
    transport: venue.stream === undefined ? 'poll' : options.transport,
    symbols,
    endpoints: endpointsOf(venue, options.endpoints),
    resumeTradesMax,
    timing: { ...LIVE_TIMING, ...options.timing },
  };
}

function endpointsOf({ name, stream, endpoints }: LiveVenue, given: Partial<Endpoints> | undefined): Endpoints {
  if (stream === undefined && given?.webSocketUrl !== undefined) {
    throw usage(`The venue ${name} has no WebSocket here: omit its --ws-url.`);
  }
  return {
    webSocketUrl: addressOf(given?.webSocketUrl, endpoints.webSocketUrl, ['ws:', 'wss:']),
    restUrl: addressOf(given?.restUrl, endpoints.restUrl, ['http:', 'https:']),
  };
}

function symbolOf(name: string, venue: LiveVenue): readonly [instrument: string, symbol: string] {
  const instrument = namedInstrument(name.includes('@') || name === '' ? name : `${name}@${venue.name}`);
  if (nameParts(instrument).venue !== venue.name)
    throw usage(`${instrument} is not traded at the venue ${venue.name}.`);
  const symbol = venue.symbolOf(instrument);
  if (symbol !== undefined) return [instrument, symbol];
  const suggestion = suggestedInstrument(instrument, venue);
  const mend = suggestion === undefined ? 'name base and quote, like BTC-USDT.' : `did you mean ${suggestion}?`;
  throw usage(`The venue ${venue.name} has no symbol for ${instrument}: ${mend}`);
}

function addressOf(text: string | undefined, own: string, protocols: readonly string[]): string {
  if (text === undefined) return own;
  const address = text.replace(/\/+$/, '');
  if (URL.canParse(address) && protocols.includes(new URL(address).protocol)) return address;
  throw usage(
    `${quoted(text)} is not a valid address: it must begin with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}.`,
  );
}

function usage(message: string): TapeproofError {
  return new TapeproofError('USAGE', message);
}
