/**
 * The closed list of what a log line can be about: `event.action` of the Elastic Common Schema. docs/logs.md is generated
 * from it. A sampled kind may happen thousands of times a second: see `Log.sampled`.
 */

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** A process that logs and is measured. */
export type Service = 'engine' | 'projector' | 'ingest-live';

export interface LogEventDefinition {
  readonly level: LogLevel;
  /** Written at most a few times a second; the next line says how many were left out. */
  readonly sampled: boolean;
  readonly at: readonly Service[];
  /** For people: one sentence. */
  readonly meaning: string;
}

const ALL = ['engine', 'projector', 'ingest-live'] as const;
const READERS = ['engine', 'projector'] as const;
const ENGINE = ['engine'] as const;
const PROJECTOR = ['projector'] as const;
const LIVE = ['ingest-live'] as const;

const always = <Level extends LogLevel>(level: Level, at: readonly Service[], meaning: string) =>
  ({ level, sampled: false, at, meaning }) as const;
const sampled = <Level extends LogLevel>(level: Level, at: readonly Service[], meaning: string) =>
  ({ level, sampled: true, at, meaning }) as const;

export const LOG_EVENTS = {
  'http-listening': always('info', ALL, 'The process answers /metrics, /health and /ready at url.full.'),
  stopping: always(
    'info',
    ALL,
    'The process was asked to end, and does; where Kafka does not answer, what is left to the next start.',
  ),
  'kafka-up': always('info', ALL, 'Kafka answers, for the first time or again.'),
  'kafka-down': always('warn', ALL, 'Kafka does not answer any more: reading and writing wait.'),
  'registry-up': always('info', ALL, 'The schema registry answers, for the first time or again.'),
  'registry-down': always('warn', ALL, 'The schema registry does not answer any more; known schemas are still used.'),
  'registry-changed': always(
    'error',
    ALL,
    'The schema registry gives ids another meaning than the log, or none: nothing is read with it or appended until it is mended.',
  ),
  'registry-agrees': always('info', ALL, 'The schema registry means by its ids what the log means again.'),
  'postgres-up': always('info', PROJECTOR, 'Postgres answers, for the first time or again.'),
  'postgres-down': always('warn', PROJECTOR, 'Postgres does not answer any more: its projectors wait.'),
  'redis-up': always('info', PROJECTOR, 'Redis answers, for the first time or again.'),
  'redis-down': always('warn', PROJECTOR, 'Redis does not answer any more: its projectors wait.'),

  'consumer-started': always('info', READERS, 'The consumer asks to join its group.'),
  'consumer-joined': always(
    'info',
    READERS,
    'The consumer is a member of its group, at its first join or after a rebalance.',
  ),
  'partitions-assigned': always('info', READERS, 'The partitions that this member has after a join.'),
  'partitions-revoked': always('info', READERS, 'Partitions that this member had and has no more.'),
  'offsets-committed': sampled(
    'info',
    READERS,
    'What was applied downstream is committed up to tapeproof.next_offset.',
  ),
  'commit-failed': always(
    'warn',
    READERS,
    'Kafka did not take the offsets of what was applied: they are sent again; told at most once in ten seconds.',
  ),
  'partition-paused': always(
    'warn',
    READERS,
    'A batch could not be applied: nothing is committed, its partition waits and tries again.',
  ),
  stalled: always(
    'error',
    READERS,
    'A partition has lag and nothing of it was committed for 20 seconds: the line, and /ready, say what it waits for.',
  ),
  'stall-ended': always('info', READERS, 'What was stalled gets further again.'),
  'foreign-record': sampled(
    'warn',
    READERS,
    'A record of a derived topic is not an event that belongs there (a tombstone, another schema): it is passed over.',
  ),
  'consumer-left': always('info', READERS, 'The consumer committed what was applied and left its group.'),
  'consumer-crashed': always('warn', READERS, 'The Kafka client gave up and begins again by itself.'),
  'consumer-stopped': always('error', READERS, 'The consumer cannot go on; the process ends.'),
  'kafka-client': always('warn', ALL, 'What the Kafka client says; the same sentence at most once in ten seconds.'),

  'strategy-executed': sampled('info', ENGINE, 'A strategy gave a result, and Kafka acknowledged it.'),
  'probability-emitted': sampled('info', ENGINE, 'Results were pooled into a decision, and Kafka acknowledged it.'),
  'outcome-evaluated': sampled(
    'info',
    ENGINE,
    'A forecast was resolved as HIT, MISS or VOID, and Kafka acknowledged it.',
  ),
  'trade-set-aside': sampled(
    'warn',
    ENGINE,
    'A trade of the tape decides nothing or does not count, or a record changed what it counts for; tapeproof.set_aside says how.',
  ),
  'anchor-written': sampled('info', ENGINE, 'The state at a tape offset was written.'),
  recovered: always('info', ENGINE, 'State was restored, and what was derived again is what the outputs hold.'),
  'output-lost': always(
    'warn',
    ENGINE,
    'Records that the engine wrote are gone: it derives them again, or stops and says what to do.',
  ),
  'hand-over-awaited': always(
    'error',
    ENGINE,
    'Another engine version is in force from here on: this partition waits.',
  ),
  'engine-progress': always(
    'info',
    ENGINE,
    'What the process did since its start; every ten seconds while there is any.',
  ),
  'engine-stopped': always('info', ENGINE, 'The engine ended as asked.'),
  'dead-letter': sampled(
    'warn',
    ALL,
    'A record could not be used; dead.letters keeps it, unless tapeproof.kept is false.',
  ),
  conflict: always(
    'error',
    READERS,
    'Two different records claim one identity: an engine stops, a projector records it.',
  ),

  'projector-started': always('info', PROJECTOR, 'The projector writes a generation of its read model.'),
  'generation-changed': always(
    'info',
    PROJECTOR,
    'A rebuild put another generation in place; the projector goes on with that.',
  ),
  'sink-recovered': always('info', PROJECTOR, 'The store takes deliveries again, after it refused some.'),
  'eviction-on': always(
    'error',
    PROJECTOR,
    'Redis may drop keys by itself since its maxmemory-policy was changed: the read model may get holes.',
  ),
  'eviction-off': always('info', PROJECTOR, 'Redis drops no keys by itself any more.'),
  'store-moved': always('info', PROJECTOR, 'The store stands elsewhere than expected; reading goes on from there.'),

  'live-connected': always('info', LIVE, 'A connection to the venue is up.'),
  'live-disconnected': always(
    'warn',
    LIVE,
    'A connection to the venue ended or, where event.reason is HANDSHAKE, never came up.',
  ),
  'live-closed': always('info', LIVE, 'The process ends and closed its connection to the venue.'),
  'live-reconnect-scheduled': always('info', LIVE, 'The next attempt to connect, after a pause.'),
  'live-resumed': always('info', LIVE, 'Where an instrument goes on, by what the tape holds.'),
  'live-trades-appended': sampled('info', LIVE, 'Kafka acknowledged trades of an instrument.'),
  'live-append-failed': always('warn', LIVE, 'Kafka did not take a batch; what the tape holds is read again.'),
  'live-gap-opened': always('warn', LIVE, 'Trade ids are missing; newer trades wait for them.'),
  'live-gap-filled': always('info', LIVE, 'All missing trades came.'),
  'live-gap-declared': always('error', LIVE, 'Missing trades cannot be had: a TradeGap is on the tape.'),
  'live-late-trade': sampled('warn', LIVE, 'A trade of a declared gap came after all.'),
  'live-rate-limited': always(
    'warn',
    LIVE,
    'The venue asks for fewer requests; the next one waits as long as it says.',
  ),
  'live-history-failed': sampled('warn', LIVE, 'A request for past trades failed.'),
  'live-trade-unasked': sampled('warn', LIVE, 'The venue sent a trade of an instrument that was not asked for.'),
  'live-trade-forgotten': sampled('warn', LIVE, 'Too many trades wait: this one is asked for again later.'),
} as const satisfies Readonly<Record<string, LogEventDefinition>>;

type Definitions = typeof LOG_EVENTS;
export type LogAction = keyof Definitions;
export type SampledAction = {
  [Action in LogAction]: Definitions[Action]['sampled'] extends true ? Action : never;
}[LogAction];
export type EveryAction = Exclude<LogAction, SampledAction>;
