import type { EventTypes, RecordName } from './generated/events.ts';

/** The names of all topics. */
export const TAPE_TOPIC = 'raw.trades';
export const DERIVED_TOPICS = [
  'indicator.snapshots',
  'strategy.results',
  'probability.decisions',
  'decision.outcomes',
] as const;
export type DerivedTopic = (typeof DERIVED_TOPICS)[number];

/** One value for each output. */
export function perTopic<Value>(valueOf: (topic: DerivedTopic) => Value): Record<DerivedTopic, Value> {
  return Object.fromEntries(DERIVED_TOPICS.map((topic) => [topic, valueOf(topic)])) as Record<DerivedTopic, Value>;
}

export const ANCHORS_TOPIC = 'engine.anchors';
export const STATES_TOPIC = 'engine.states';
export const DEAD_LETTERS_TOPIC = 'dead.letters';
export const CHECKPOINTS_TOPIC = 'engine.checkpoints';
/** Configurations that were tried on data that existed already; nothing is derived from it. */
export const TRIALS_TOPIC = 'research.trials';

export type TopicName =
  | typeof TAPE_TOPIC
  | DerivedTopic
  | typeof ANCHORS_TOPIC
  | typeof STATES_TOPIC
  | typeof DEAD_LETTERS_TOPIC
  | typeof CHECKPOINTS_TOPIC
  | typeof TRIALS_TOPIC;

/** Partitions of every topic, unless the operator chose another number before the topics were first created. */
export const DEFAULT_PARTITIONS = 6;

export interface TopicDefinition {
  readonly name: TopicName;
  /** Record types that the topic carries. */
  readonly records: readonly RecordName[];
  /** Topic settings, sent at creation and compared by `topics check`; `max.message.bytes` may be more. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Kept for ever: the tape is the only input, and the log of events derived from it is the proof. */
const KEPT = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  // Kafka 4 refuses whole batches for stamps an hour ahead: one odd row of a file must not stop the tape.
  // trade-rules.ts defines a sane stamp.
  'message.timestamp.after.max.ms': '9223372036854775807',
  'message.timestamp.before.max.ms': '9223372036854775807',
  // A record's time is its market time.
  'message.timestamp.type': 'CreateTime',
  'compression.type': 'producer',
  // A replica without the newest records must not become the leader: they would be gone.
  'unclean.leader.election.enable': 'false',
  // A producer's batch, a state chunk and a dead letter's payload must fit, whatever the broker's default.
  'max.message.bytes': '1048588',
} as const;
/** Manifests are read backward from the end: small segments keep that cheap. */
const SMALL_SEGMENTS = { ...KEPT, 'segment.bytes': '16777216' } as const;

export const TOPICS: readonly TopicDefinition[] = [
  {
    name: TAPE_TOPIC,
    records: [
      'Trade',
      'EngineActivated',
      'Watermark',
      'TradeGap',
      'TradeCancelled',
      'TradeCorrected',
      'TradeReleased',
      'ContextSignal',
    ],
    settings: KEPT,
  },
  { name: 'indicator.snapshots', records: ['IndicatorSnapshot'], settings: KEPT },
  { name: 'strategy.results', records: ['StrategyResult'], settings: KEPT },
  { name: 'probability.decisions', records: ['ProbabilityDecision'], settings: KEPT },
  { name: 'decision.outcomes', records: ['Outcome'], settings: KEPT },
  { name: ANCHORS_TOPIC, records: ['EngineAnchor'], settings: SMALL_SEGMENTS },
  { name: STATES_TOPIC, records: ['EngineState'], settings: KEPT },
  { name: DEAD_LETTERS_TOPIC, records: ['DeadLetter'], settings: KEPT },
  { name: CHECKPOINTS_TOPIC, records: ['LogCheckpoint'], settings: SMALL_SEGMENTS },
  { name: TRIALS_TOPIC, records: ['ResearchTrial'], settings: KEPT },
];

/**
 * Registry subject of a record type in a topic. The tape carries several types in one order, so its subjects name the
 * record; every other topic has one type and the conventional subject.
 */
export function subjectOf(topic: TopicName, record: RecordName): string {
  return topic === TAPE_TOPIC ? `${topic}-com.tapeproof.events.${record}` : `${topic}-value`;
}

/** The topic that each derived record type goes to. */
export const TOPIC_OF_DERIVED = {
  IndicatorSnapshot: 'indicator.snapshots',
  StrategyResult: 'strategy.results',
  ProbabilityDecision: 'probability.decisions',
  Outcome: 'decision.outcomes',
} as const satisfies Partial<Record<RecordName, DerivedTopic>>;

export type DerivedName = keyof typeof TOPIC_OF_DERIVED;
export type DerivedEvent = EventTypes[DerivedName];
