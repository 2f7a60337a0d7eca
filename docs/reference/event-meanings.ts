import type { RecordName } from '../../contracts/generated/events.ts';
import { TRACEPARENT_HEADER } from '../../contracts/traceparent.ts';
import { DERIVED_TOPICS, type TopicName } from '../../contracts/topics.ts';
import { LABEL_HEADER } from '../../platform/kafka/tape-label.ts';
import { UNTIMED_TOPICS } from '../../platform/kafka/outgoing-record.ts';

const EMITTED_AT_HEADER = 'emitted-at';

/** What each topic is for. */
export const TOPIC_MEANINGS: Readonly<Record<TopicName, string>> = {
  'raw.trades':
    'The tape: the only input. Trades, what amends them, watermarks, gaps and activations, in the order in which they were recorded.',
  'indicator.snapshots': 'The indicators of an instrument at one trade, one at each cadence.',
  'strategy.results': 'What each enabled strategy forecast from a snapshot, by each hit rule.',
  'probability.decisions': 'The pooled forecast from the results of one snapshot and hit rule.',
  'decision.outcomes': 'Whether a decision or a result came true: HIT, MISS or VOID.',
  'engine.anchors': 'Where the engine stood after a record of the tape, with the hashes that tie its state to the log.',
  'engine.states': "The engine's state at each anchor, in chunks and pages.",
  'dead.letters': 'Records and rows that could not be used, each with the reason.',
  'engine.checkpoints': 'Signed heads of the logs, with the cosignatures of witnesses and time stamps.',
  'research.trials': 'Configurations that were tried on data that existed already. Nothing is derived from it.',
};

/** What a record's key is; null where it has none. */
export const KEY_MEANINGS: Readonly<Record<RecordName, string | null>> = {
  Trade: 'the instrument',
  TradeCancelled: 'the instrument',
  TradeCorrected: 'the instrument',
  TradeReleased: 'the instrument',
  TradeGap: 'the instrument',
  ContextSignal: 'the instrument; null for one about the market',
  Watermark: null,
  EngineActivated: null,
  IndicatorSnapshot: 'the instrument',
  StrategyResult: 'the instrument',
  ProbabilityDecision: 'the instrument',
  Outcome: 'the instrument',
  EngineAnchor: 'partition and offset on the tape, PARTITION:OFFSET',
  EngineState: 'partition and offset on the tape and the number of the chunk, or partition and hash of a page',
  DeadLetter: "the letter's id, or the file's name",
  LogCheckpoint: "the log's origin",
  ResearchTrial: "the trial's id",
};

export type HeaderName = typeof EMITTED_AT_HEADER | typeof LABEL_HEADER | typeof TRACEPARENT_HEADER;

export const HEADER_MEANINGS: Readonly<Record<HeaderName, string>> = {
  [EMITTED_AT_HEADER]: 'when the process sent the record, by its own clock, ISO 8601; no part of the event',
  [LABEL_HEADER]: "JSON: the tape's partitions, and the fingerprint of the schema behind each of the registry's ids",
  [TRACEPARENT_HEADER]: 'W3C trace context of a sampled trade, and of what is derived from it',
};

/** The headers that a record may have. */
export function headersOf(topic: TopicName, record: RecordName): HeaderName[] {
  const headers: HeaderName[] = [];
  if (!UNTIMED_TOPICS.has(topic)) headers.push(EMITTED_AT_HEADER);
  if (record === 'EngineActivated' || record === 'EngineAnchor') headers.push(LABEL_HEADER);
  if (record === 'Trade' || DERIVED_TOPICS.some((derived) => derived === topic)) headers.push(TRACEPARENT_HEADER);
  return headers;
}
