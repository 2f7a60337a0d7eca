import type { AuditResponse } from '../contract/audit.ts';
import type { DecisionsQuery, Decision } from '../contract/decisions.ts';
import type { SparklinePoint } from '../contract/instruments.ts';
import type { ActivationsResponse, DeadLettersResponse, PipelineResponse, ServiceState } from '../contract/pipeline.ts';
import type { ScoreSpansQuery, ScoresQuery, SkillQuery, TrialsResponse } from '../contract/scores.ts';
import type { ProfileResponse, SeriesPoint } from '../contract/series.ts';

/** What the API reads, and how: the ports that tests replace. Each call may throw an ApiProblem. */
export interface ReadModels {
  readonly latest: LatestStates;
  readonly history: History;
  readonly log: LogReads;
  /** Computed anew at most every few seconds, whoever asks. */
  pipeline(): Promise<PipelineResponse>;
  /** As last probed; costs nothing. */
  services(): readonly ServiceState[];
}

/** The fields of an instrument in Redis; an unchanged instrument is the same object as in the read before. */
export type StoredState = Readonly<Record<string, string>>;

/** Redis. */
export interface LatestStates {
  /** By instrument. Instruments of partitions where nothing changed are not read again. */
  read(): Promise<ReadonlyMap<string, StoredState>>;
}

export interface LatestSnapshot {
  readonly snapshotId: string;
  readonly timeUs: number;
}

/** A page of decisions is bounded below these in descending order. */
export interface DecisionPosition {
  readonly timeUs: number;
  readonly sequence: number;
}

/** A decision and its place among those of its instrument. */
export interface PlacedDecision extends DecisionPosition {
  readonly decision: Decision;
}

/** One row of the view `scores`: numbers as Postgres gives them. */
export interface StoredScore {
  readonly instrument: string;
  readonly forecast: string;
  readonly hitRuleKind: 'MOVE' | 'FIRST_TOUCH';
  readonly horizonMs: number;
  readonly leastMove: string;
  readonly configHash: string;
  readonly engineVersion: string;
  readonly hits: number;
  readonly misses: number;
  readonly voids: number;
  readonly effectiveN: number;
  /** Null without weight, or without a reference rate in every outcome. */
  readonly hitRate: number | null;
  readonly meanPublished: number | null;
  readonly referenceRate: number | null;
  readonly brierPublished: number | null;
  readonly brierReference: number | null;
  readonly logLossPublished: number | null;
  readonly skillAgainstReference: number | null;
  readonly regret: number | null;
}

export type StoredGroup = Pick<
  StoredScore,
  'instrument' | 'forecast' | 'hitRuleKind' | 'horizonMs' | 'leastMove' | 'configHash' | 'engineVersion'
>;

/** Sums of one bin of probability of a group, by overlap weight. */
export interface StoredBin extends StoredGroup {
  readonly bin: number;
  readonly n: number;
  readonly weight: number;
  readonly hitWeight: number;
  readonly publishedSum: number;
}

/** The outcomes of a group, in the order of the log, as blocks of nearly equal overlap weight w. */
export interface StoredSkill {
  readonly group: StoredGroup;
  readonly n: number;
  /** Hits and misses with a reference rate. */
  readonly referenced: number;
  /** Of each block Σ w, Σ w·(loss of p0 − loss), Σ w·(loss of p0). */
  readonly blocks: readonly (readonly [weight: number, avoided: number, referenceLoss: number])[];
}

/** Sums of the outcomes of a span, by overlap weight w: losses are Σ w·(p − o)². */
export interface StoredSpan {
  readonly index: number;
  readonly n: number;
  readonly weight: number;
  readonly hitWeight: number;
  readonly publishedLoss: number;
  readonly referenceLoss: number;
  readonly rawLoss: number;
  readonly calibratedLoss: number;
  /** Hits and misses with a reference rate. */
  readonly referenced: number;
}

export interface Spans {
  readonly group: StoredGroup;
  readonly fromUs: number;
  readonly spanUs: number;
  /** Before the first span. */
  readonly before: Omit<StoredSpan, 'index'>;
  readonly spans: readonly StoredSpan[];
}

/** Postgres. */
export interface History {
  /** Prices of the latest snapshots of each instrument, oldest first. */
  sparklines(instruments: readonly string[]): Promise<ReadonlyMap<string, readonly SparklinePoint[]>>;
  /** Undefined without one. */
  latestSnapshot(instrument: string): Promise<LatestSnapshot | undefined>;
  /** Market time of the first snapshot at or after a time; undefined without one. */
  firstSnapshotUs(instrument: string, fromUs: number): Promise<number | undefined>;
  /** The last snapshot of each of `spans` equal spans of [fromUs, toUs), oldest first. */
  series(
    instrument: string,
    range: { readonly fromUs: number; readonly spanUs: number; readonly spans: number },
  ): Promise<readonly SeriesPoint[]>;
  /** Newest first, at most `count`. */
  decisions(
    instrument: string,
    query: Omit<DecisionsQuery, 'cursor' | 'limit'>,
    before: DecisionPosition | undefined,
    count: number,
  ): Promise<readonly PlacedDecision[]>;
  scores(query: ScoresQuery): Promise<{ readonly rows: readonly StoredScore[]; readonly total: number }>;
  /** By group and bin; the first `groupsMax` groups. */
  bins(query: ScoresQuery): Promise<{ readonly rows: readonly StoredBin[]; readonly total: number }>;
  /** By group; the first ones. */
  skills(
    instrument: string,
    query: SkillQuery,
  ): Promise<{ readonly rows: readonly StoredSkill[]; readonly total: number }>;
  /** Undefined where there is no outcome. */
  scoreSpans(instrument: string, query: ScoreSpansQuery): Promise<Spans | undefined>;
}

/** Kafka and the schema registry. */
export interface LogReads {
  audit(eventId: string, isVerified: boolean): Promise<AuditResponse>;
  /** The text of a .tlog-proof file. */
  proof(eventId: string): Promise<string>;
  /** At a snapshot of the instrument. */
  profile(instrument: string, snapshotId: string): Promise<ProfileResponse>;
  /** @param before - the dead letter after which the page begins. */
  deadLetters(before: string | undefined, limit: number): Promise<Omit<DeadLettersResponse, 'nextCursor'> & Paged>;
  activations(): Promise<ActivationsResponse>;
  trials(before: string | undefined, limit: number): Promise<Omit<TrialsResponse, 'nextCursor'> & Paged>;
}

export interface Paged {
  /** Identity of the last entry where more follow. */
  readonly next: string | undefined;
}
