// Generated from contracts/events/*.avsc by `npm run generate`. Do not edit.

import {
  writeArray,
  writeBoolean,
  writeBytes,
  writeDecimal,
  writeDouble,
  writeInt,
  writeLong,
  writeMap,
  writeNullable,
  writeSymbol,
  writeText,
  type Writer,
} from '../plain-writer.ts';
import type {
  AuthorityTime,
  Calibration,
  ConfidenceLevel,
  ContextSignal,
  Contribution,
  DeadLetter,
  DeadLetterReason,
  DeadLetterSource,
  Direction,
  EngineActivated,
  EngineAnchor,
  EngineState,
  EventTypes,
  ForecastKind,
  HitRule,
  HitRuleKind,
  IndicatorSnapshot,
  LogCheckpoint,
  Outcome,
  ProbabilityDecision,
  ResearchTrial,
  SourceKind,
  StrategyResult,
  TakerSide,
  TapePosition,
  TapeRange,
  Trade,
  TradeCancelled,
  TradeCorrected,
  TradeGap,
  TradeGapReason,
  TradeReleased,
  TrialKind,
  Verdict,
  Watermark,
  WitnessTime,
} from './events.ts';

function writeContextSignal(value: ContextSignal): void {
  writeText(value.signalId);
  writeText(value.kind);
  writeText(value.source);
  writeNullable(value.instrument, writeText);
  writeLong(value.eventTime);
  writeDouble(value.value);
  writeDouble(value.confidence);
  writeLong(value.validFrom);
  writeLong(value.validUntil);
  writeNullable(value.textHash, writeText);
  writeNullable(value.link, writeText);
  writeArray(value.causes, writeText);
  writeLong(value.receivedAt);
}

function writeSourceKind(value: SourceKind): void {
  writeSymbol(['TOPIC', 'FILE'], value);
}

function writeDeadLetterSource(value: DeadLetterSource): void {
  writeSourceKind(value.kind);
  writeText(value.name);
  writeNullable(value.partition, writeInt);
  writeLong(value.position);
}

function writeDeadLetterReason(value: DeadLetterReason): void {
  writeSymbol(['UNDECODABLE', 'UNKNOWN_SCHEMA', 'SCHEMA_NOT_ACCEPTED', 'MALFORMED', 'NOT_A_NUMBER', 'NOT_POSITIVE', 'OUT_OF_BOUNDS', 'PRECISION', 'TIME_OUT_OF_BOUNDS', 'CLOCK_LEAD', 'INSTRUMENT_MALFORMED', 'INSTRUMENT_NOT_ALLOWED', 'WRONG_PARTITION', 'SIDE_UNKNOWN', 'TRADE_ID_MALFORMED'], value);
}

function writeDeadLetter(value: DeadLetter): void {
  writeText(value.deadLetterId);
  writeDeadLetterSource(value.source);
  writeText(value.reader);
  writeDeadLetterReason(value.reason);
  writeText(value.detail);
  writeBytes(value.payload);
  writeLong(value.payloadBytes);
  writeText(value.payloadHash);
}

function writeEngineActivated(value: EngineActivated): void {
  writeText(value.tapeId);
  writeText(value.activationId);
  writeText(value.engineVersion);
  writeText(value.gitCommit);
  writeText(value.configuration);
  writeText(value.configHash);
  writeMap(value.writerFingerprints, writeText);
  writeArray(value.acceptedTapeSchemas, writeText);
  writeNullable(value.actor, writeText);
  writeNullable(value.reason, writeText);
  writeNullable(value.approver, writeText);
  writeNullable(value.hasUncommittedChanges, writeBoolean);
  writeArray(value.revokes, writeText);
}

function writeTapePosition(value: TapePosition): void {
  writeInt(value.partition);
  writeLong(value.offset);
}

function writeEngineAnchor(value: EngineAnchor): void {
  writeText(value.tapeId);
  writeTapePosition(value.tape);
  writeText(value.tapeRecordHash);
  writeText(value.stateHash);
  writeInt(value.stateChunks);
  writeLong(value.stateBytes);
  writeMap(value.nextSequence, writeLong);
  writeMap(value.windowRoots, writeText);
  writeMap(value.windowCounts, writeLong);
  writeMap(value.treeRoots, writeText);
  writeMap(value.treeSizes, writeLong);
  writeNullable(value.previousAnchorHash, writeText);
  writeText(value.activationId);
  writeText(value.engineVersion);
  writeText(value.gitCommit);
  writeText(value.configHash);
}

function writeEngineState(value: EngineState): void {
  writeTapePosition(value.tape);
  writeInt(value.chunk);
  writeInt(value.chunks);
  writeBytes(value.bytes);
  writeNullable(value.pageHash, writeText);
}

function writeIndicatorSnapshot(value: IndicatorSnapshot): void {
  writeText(value.eventId);
  writeText(value.instrument);
  writeLong(value.eventTime);
  writeTapePosition(value.tape);
  writeLong(value.sequence);
  writeArray(value.causes, writeText);
  writeText(value.engineVersion);
  writeText(value.configHash);
  writeDecimal(value.lastPrice);
  writeDouble(value.vwap);
  writeDouble(value.vwapDeviation);
  writeDecimal(value.pointOfControl);
  writeDecimal(value.valueAreaLow);
  writeDecimal(value.valueAreaHigh);
  writeNullable(value.rangeHigh, writeDecimal);
  writeNullable(value.rangeLow, writeDecimal);
  writeDouble(value.barVolume);
  writeNullable(value.meanBarVolume, writeDouble);
  writeDouble(value.sessionVolume);
  writeLong(value.tradeCount);
  writeLong(value.firstOffset);
  writeLong(value.lastOffset);
  writeNullable(value.profileBinSize, writeDecimal);
  writeNullable(value.rangeFirstPrice, writeDecimal);
  writeNullable(value.takerBuyVolume, writeDouble);
  writeNullable(value.takerSellVolume, writeDouble);
  writeNullable(value.takerUnknownVolume, writeDouble);
}

function writeWitnessTime(value: WitnessTime): void {
  writeText(value.witness);
  writeLong(value.time);
}

function writeAuthorityTime(value: AuthorityTime): void {
  writeText(value.authority);
  writeLong(value.time);
  writeBoolean(value.isTrusted);
  writeBytes(value.token);
}

function writeLogCheckpoint(value: LogCheckpoint): void {
  writeText(value.origin);
  writeText(value.topic);
  writeInt(value.partition);
  writeLong(value.firstSequence);
  writeLong(value.size);
  writeText(value.root);
  writeArray(value.frontier, writeText);
  writeLong(value.logOffset);
  writeLong(value.signedAt);
  writeText(value.note);
  writeArray(value.cosignatures, writeWitnessTime);
  writeArray(value.timestamps, writeAuthorityTime);
}

function writeForecastKind(value: ForecastKind): void {
  writeSymbol(['STRATEGY', 'DECISION'], value);
}

function writeDirection(value: Direction): void {
  writeSymbol(['LONG', 'SHORT', 'NEUTRAL'], value);
}

function writeVerdict(value: Verdict): void {
  writeSymbol(['HIT', 'MISS', 'VOID'], value);
}

function writeHitRuleKind(value: HitRuleKind): void {
  writeSymbol(['MOVE', 'FIRST_TOUCH'], value);
}

function writeConfidenceLevel(value: ConfidenceLevel): void {
  writeSymbol(['LOW', 'MEDIUM', 'HIGH'], value);
}

function writeOutcome(value: Outcome): void {
  writeText(value.eventId);
  writeText(value.instrument);
  writeLong(value.eventTime);
  writeTapePosition(value.tape);
  writeLong(value.sequence);
  writeArray(value.causes, writeText);
  writeText(value.engineVersion);
  writeText(value.configHash);
  writeText(value.forecastId);
  writeForecastKind(value.forecastKind);
  writeNullable(value.strategy, writeText);
  writeDirection(value.direction);
  writeDouble(value.probability);
  writeVerdict(value.verdict);
  writeLong(value.forecastTime);
  writeLong(value.dueTime);
  writeDecimal(value.referencePrice);
  writeNullable(value.observedPrice, writeDecimal);
  writeNullable(value.observedTime, writeLong);
  writeNullable(value.moveBps, writeDouble);
  writeNullable(value.resolvingTradeId, writeText);
  writeNullable(value.movePoints, writeDecimal);
  writeNullable(value.hitRuleKind, writeHitRuleKind);
  writeNullable(value.minMoveBps, writeDouble);
  writeNullable(value.minMovePoints, writeDecimal);
  writeNullable(value.level, writeConfidenceLevel);
  writeNullable(value.referenceRate, writeDouble);
  writeNullable(value.rawProbability, writeDouble);
  writeNullable(value.calibratedProbability, writeDouble);
  writeNullable(value.overlapWeight, writeDouble);
  writeNullable(value.forecastEngineVersion, writeText);
  writeNullable(value.forecastConfigHash, writeText);
}

function writeContribution(value: Contribution): void {
  writeText(value.strategy);
  writeText(value.resultId);
  writeDirection(value.direction);
  writeDouble(value.probability);
  writeDouble(value.confidence);
  writeDouble(value.weight);
  writeDouble(value.evidence);
}

function writeHitRule(value: HitRule): void {
  writeLong(value.horizonMs);
  writeDouble(value.minMoveBps);
  writeDecimal(value.referencePrice);
  writeNullable(value.minMovePoints, writeDecimal);
  writeHitRuleKind(value.kind);
  writeNullable(value.graceMs, writeLong);
}

function writeCalibration(value: Calibration): void {
  writeDouble(value.referenceRate);
  writeDouble(value.evidence);
  writeDouble(value.rawProbability);
  writeDouble(value.calibratedProbability);
  writeDouble(value.slope);
  writeDouble(value.intercept);
  writeArray(value.weights, writeDouble);
  writeDouble(value.effectiveN);
  writeNullable(value.lastOutcomeOffset, writeLong);
}

function writeProbabilityDecision(value: ProbabilityDecision): void {
  writeText(value.eventId);
  writeText(value.instrument);
  writeLong(value.eventTime);
  writeTapePosition(value.tape);
  writeLong(value.sequence);
  writeArray(value.causes, writeText);
  writeText(value.engineVersion);
  writeText(value.configHash);
  writeDirection(value.direction);
  writeDouble(value.probability);
  writeDouble(value.confidence);
  writeConfidenceLevel(value.level);
  writeArray(value.contributions, writeContribution);
  writeText(value.reasoning);
  writeHitRule(value.hitRule);
  writeNullable(value.calibration, writeCalibration);
}

function writeTrialKind(value: TrialKind): void {
  writeSymbol(['BACKTEST', 'WHAT_IF'], value);
}

function writeTapeRange(value: TapeRange): void {
  writeInt(value.partition);
  writeLong(value.from);
  writeLong(value.to);
}

function writeResearchTrial(value: ResearchTrial): void {
  writeText(value.trialId);
  writeTrialKind(value.kind);
  writeMap(value.gridPoint, writeText);
  writeLong(value.triedAt);
  writeText(value.actor);
  writeText(value.gitCommit);
  writeText(value.engineVersion);
  writeText(value.configHash);
  writeMap(value.strategies, writeText);
  writeNullable(value.tapeId, writeText);
  writeArray(value.ranges, writeTapeRange);
  writeArray(value.fileHashes, writeText);
  writeMap(value.selection, writeText);
  writeLong(value.n);
  writeDouble(value.effectiveN);
  writeNullable(value.brier, writeDouble);
  writeNullable(value.referenceBrier, writeDouble);
  writeNullable(value.skill, writeDouble);
  writeNullable(value.skillRatio, writeDouble);
  writeNullable(value.skewness, writeDouble);
  writeNullable(value.kurtosis, writeDouble);
}

function writeStrategyResult(value: StrategyResult): void {
  writeText(value.eventId);
  writeText(value.instrument);
  writeLong(value.eventTime);
  writeTapePosition(value.tape);
  writeLong(value.sequence);
  writeArray(value.causes, writeText);
  writeText(value.engineVersion);
  writeText(value.configHash);
  writeText(value.strategy);
  writeDirection(value.direction);
  writeDouble(value.probability);
  writeDouble(value.confidence);
  writeConfidenceLevel(value.level);
  writeMap(value.indicators, writeDouble);
  writeText(value.reasoning);
  writeHitRule(value.hitRule);
  writeNullable(value.calibration, writeCalibration);
}

function writeTakerSide(value: TakerSide): void {
  writeSymbol(['BUY', 'SELL', 'UNKNOWN'], value);
}

function writeTrade(value: Trade): void {
  writeText(value.venue);
  writeText(value.instrument);
  writeText(value.tradeId);
  writeLong(value.eventTime);
  writeDecimal(value.price);
  writeDecimal(value.size);
  writeTakerSide(value.side);
  writeLong(value.receivedAt);
  writeText(value.source);
  writeBoolean(value.suspicious);
  writeArray(value.conditions, writeText);
}

function writeTradeCancelled(value: TradeCancelled): void {
  writeText(value.venue);
  writeText(value.instrument);
  writeText(value.tradeId);
  writeLong(value.eventTime);
  writeDecimal(value.price);
  writeDecimal(value.size);
  writeText(value.reason);
  writeText(value.actor);
  writeLong(value.receivedAt);
  writeText(value.source);
}

function writeTradeCorrected(value: TradeCorrected): void {
  writeText(value.venue);
  writeText(value.instrument);
  writeText(value.tradeId);
  writeLong(value.eventTime);
  writeDecimal(value.price);
  writeDecimal(value.size);
  writeDecimal(value.correctedPrice);
  writeDecimal(value.correctedSize);
  writeText(value.reason);
  writeText(value.actor);
  writeLong(value.receivedAt);
  writeText(value.source);
}

function writeTradeGapReason(value: TradeGapReason): void {
  writeSymbol(['NOT_SERVED', 'NO_ANSWER', 'BEYOND_LIMIT'], value);
}

function writeTradeGap(value: TradeGap): void {
  writeText(value.venue);
  writeText(value.instrument);
  writeText(value.firstTradeId);
  writeText(value.lastTradeId);
  writeLong(value.missingTrades);
  writeNullable(value.fromTime, writeLong);
  writeLong(value.toTime);
  writeTradeGapReason(value.reason);
  writeLong(value.receivedAt);
  writeText(value.source);
}

function writeTradeReleased(value: TradeReleased): void {
  writeText(value.venue);
  writeText(value.instrument);
  writeText(value.tradeId);
  writeLong(value.eventTime);
  writeDecimal(value.price);
  writeDecimal(value.size);
  writeText(value.reason);
  writeText(value.actor);
  writeLong(value.receivedAt);
  writeText(value.source);
}

function writeWatermark(value: Watermark): void {
  writeText(value.venue);
  writeArray(value.instruments, writeText);
  writeLong(value.eventTime);
  writeLong(value.receivedAt);
  writeText(value.source);
}

/** Writes the plain values of each record, field by field, in the order of its schema. */
export const WRITERS: { readonly [Name in keyof EventTypes]: Writer<EventTypes[Name]> } = {
  ContextSignal: writeContextSignal,
  DeadLetter: writeDeadLetter,
  EngineActivated: writeEngineActivated,
  EngineAnchor: writeEngineAnchor,
  EngineState: writeEngineState,
  IndicatorSnapshot: writeIndicatorSnapshot,
  LogCheckpoint: writeLogCheckpoint,
  Outcome: writeOutcome,
  ProbabilityDecision: writeProbabilityDecision,
  ResearchTrial: writeResearchTrial,
  StrategyResult: writeStrategyResult,
  Trade: writeTrade,
  TradeCancelled: writeTradeCancelled,
  TradeCorrected: writeTradeCorrected,
  TradeGap: writeTradeGap,
  TradeReleased: writeTradeReleased,
  Watermark: writeWatermark,
};
