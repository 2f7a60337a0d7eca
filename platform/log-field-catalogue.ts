/**
 * The closed list of fields of log lines, each with its type as Elasticsearch keeps it. docs/logs.md and the index
 * template (observability/elastic) are generated from it, and the compiler refuses any other field.
 */

/** As in Elasticsearch: `keyword` is exact text, `match_only_text` sentences to search in, `wildcard` long text. */
export type FieldType = 'keyword' | 'match_only_text' | 'wildcard' | 'long' | 'double' | 'boolean' | 'date';

export interface FieldDefinition {
  readonly type: FieldType;
  /** For people: one sentence. */
  readonly meaning: string;
}

const keyword = (meaning: string) => ({ type: 'keyword', meaning }) as const;
const long = (meaning: string) => ({ type: 'long', meaning }) as const;
const double = (meaning: string) => ({ type: 'double', meaning }) as const;
const boolean = (meaning: string) => ({ type: 'boolean', meaning }) as const;

/** In every line, and what an error adds: fields of the Elastic Common Schema that the log itself writes. */
export const BASE_FIELDS = {
  '@timestamp': { type: 'date', meaning: 'When the line was written.' },
  message: { type: 'match_only_text', meaning: 'One sentence for people.' },
  'log.level': keyword('One of trace, debug, info, warn and error.'),
  'service.name': keyword(
    'The process: engine, the name of a projector, ingest-live, checkpoints, dashboard, witness.',
  ),
  'process.pid': long('Its number on its machine.'),
  'ecs.version': keyword('Of the Elastic Common Schema.'),
  'event.dataset': keyword('The same as service.name.'),
  'event.kind': keyword('Always event.'),
  'event.action': keyword('The kind of line.'),
  'error.type': keyword('The class of an error.'),
  'error.code': keyword('Its code, where it has one.'),
  'error.message': { type: 'match_only_text', meaning: 'What it says.' },
  'error.stack_trace': { type: 'wildcard', meaning: 'Where it came from, with its causes.' },
  'tapeproof.suppressed': long('Lines of this kind that sampling left out since the one before.'),
} as const satisfies Readonly<Record<string, FieldDefinition>>;

/** Fields that a line may be given. */
export const LOG_FIELDS = {
  'event.id': keyword('The identity of the event that the line is about, to paste into audit.'),
  'event.reason': keyword('Why, by a code or in words.'),
  'log.logger': keyword('The part of a library that speaks.'),
  'url.full': { type: 'wildcard', meaning: 'Where the process answers.' },
  'http.response.status_code': long('Of an answer.'),

  'tapeproof.tape.partition': long('The partition of the tape that holds the cause.'),
  'tapeproof.tape.offset': long('The place of the cause on the tape.'),
  'tapeproof.instrument': keyword('An instrument, as SYMBOL@venue.'),
  'tapeproof.strategy': keyword('A strategy, or DECISION for pooled decisions.'),
  'tapeproof.direction': keyword('LONG, SHORT or NEUTRAL.'),
  'tapeproof.probability': double('That the forecast comes true, calibrated.'),
  'tapeproof.confidence': double('From 0 to 1.'),
  'tapeproof.verdict': keyword('HIT, MISS or VOID.'),
  'tapeproof.forecast_id': keyword('The result or decision that an outcome resolves.'),
  'tapeproof.set_aside': keyword('How a trade does not count, or why a signal has no effect.'),
  'tapeproof.signal_kind': keyword('The kind of a signal, such as NEWS_SENTIMENT.'),
  'tapeproof.signal_id': keyword('Identity of a signal within its kind.'),
  'tapeproof.valid_until_us': long('Market time from which a signal is in force no more, microseconds since 1970.'),
  'tapeproof.trade_id': keyword('The id that the source gave a trade.'),
  'tapeproof.event_time_us': long('Event time of a trade, microseconds since 1970.'),

  'tapeproof.group': keyword('A consumer group.'),
  'tapeproof.member': keyword('A member of it.'),
  'tapeproof.join': long('How often the process has joined the group.'),
  'tapeproof.partitions': keyword('Topics and partitions, in words.'),
  'tapeproof.topic': keyword('A topic.'),
  'tapeproof.partition': long('A partition of that topic.'),
  'tapeproof.offset': long('A place in that partition.'),
  'tapeproof.next_offset': long('The first record that is not yet applied.'),
  'tapeproof.from_sequence': long('The first sequence of a range of events.'),
  'tapeproof.next_sequence': long('The first sequence after it.'),
  'tapeproof.from_offset': long('The first record of a batch.'),
  'tapeproof.expected_offset': long('Where a projector expected its store to stand.'),
  'tapeproof.found_offset': long('Where the store stands.'),
  'tapeproof.attempts': long('How often a batch was tried.'),
  'tapeproof.broker': keyword('A broker’s address.'),
  'tapeproof.reader': keyword('Who read a record.'),
  'tapeproof.kept': boolean('Whether dead.letters has the record.'),
  'tapeproof.conflicts': long('Records of a batch that contradict stored ones.'),
  'tapeproof.generation': long('Of a read model.'),

  'tapeproof.activation': keyword('The activation in force.'),
  'tapeproof.engine_version': keyword('An engine version.'),
  'tapeproof.fate': keyword('What a foreign record is.'),
  'tapeproof.reason': keyword('Why an anchor was not used.'),
  'tapeproof.state_bytes': long('Size of the state behind an anchor.'),
  'tapeproof.state_hash': keyword('SHA-256 of it.'),
  'tapeproof.state_pages': long('Pages that the state consists of.'),
  'tapeproof.state_pages_written': long('Pages that the anchor before did not have.'),
  'tapeproof.recovered_from': long('The anchor that a recovery continued from, by its tape offset.'),
  'tapeproof.derived_again_from': long('The anchor from which that one was derived again.'),
  'tapeproof.compared': long('Events derived again and found equal.'),
  'tapeproof.duration_ms': long('How long it took, milliseconds.'),
  'tapeproof.records': long('Tape records processed since the start.'),
  'tapeproof.events': long('Events sent since the start.'),
  'tapeproof.dead_letters': long('Dead letters since the start.'),
  'tapeproof.anchors': long('Anchors written since the start.'),
  'tapeproof.recoveries': long('Recoveries since the start.'),
  'tapeproof.recovered': long('Events derived again by recoveries since the start.'),
  'tapeproof.skipped': long('Records before the recovered state, since the start.'),

  'tapeproof.venue': keyword('An exchange.'),
  'tapeproof.connection': long('A connection to it, by number.'),
  'tapeproof.handshake_ms': long('How long the connection took to come up, milliseconds.'),
  'tapeproof.attempt': long('Of connecting again.'),
  'tapeproof.delay_ms': long('The pause before the next attempt, milliseconds.'),
  'tapeproof.trades': long('Trades of a batch.'),
  'tapeproof.origin': keyword('stream or history; of a checkpoint, the name of its log.'),
  'tapeproof.first_trade_id': keyword('The first missing trade.'),
  'tapeproof.last_trade_id': keyword('The last one missing, or the last one on the tape.'),
  'tapeproof.next_trade_id': keyword('The next one expected.'),
  'tapeproof.missing': long('How many trades are missing.'),

  'tapeproof.heads': long('Heads of logs signed in a round.'),
  'tapeproof.spans': long('A number of spans of a trace.'),
  'tapeproof.size': long('Events that a checkpoint covers.'),
  'tapeproof.source': keyword('Where trades come from.'),
  'tapeproof.format': keyword('The format of a file of trades.'),
  'tapeproof.tape_id': keyword('The identity of a tape.'),
} as const satisfies Readonly<Record<string, FieldDefinition>>;

interface ValueTypes {
  keyword: string;
  match_only_text: string;
  wildcard: string;
  date: string;
  long: number;
  double: number;
  boolean: boolean;
}

/** The fields of a line: those of the list, and an error, which becomes error.*. */
export type LogFields = {
  readonly [Name in keyof typeof LOG_FIELDS]?: ValueTypes[(typeof LOG_FIELDS)[Name]['type']] | null | undefined;
} & { readonly error?: unknown };
