/**
 * The closed list of kinds of log line: `event.action` of the Elastic Common Schema. docs/logs.md is generated
 * from it. A sampled kind may happen thousands of times a second: see `Log.sampled`.
 */

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** A process that has logs and metrics. */
export type Service = 'engine' | 'projector' | 'ingest-live' | 'checkpoints' | 'dashboard';

/** A process that has a log: besides those, the witness, which knows no service and has no metrics. */
export type LogSource = Service | 'witness';

export interface LogEventDefinition {
  readonly level: LogLevel;
  /** Written at most a few times a second; the next line says how many were left out. */
  readonly sampled: boolean;
  readonly at: readonly LogSource[];
  /** For people: one sentence. */
  readonly meaning: string;
}

const ALL = ['engine', 'projector', 'ingest-live', 'checkpoints', 'dashboard'] as const;
const READERS = ['engine', 'projector'] as const;
const ENGINE = ['engine'] as const;
const PROJECTOR = ['projector'] as const;
const LIVE = ['ingest-live'] as const;
const WITNESS = ['witness'] as const;
const CHECKPOINTS = ['checkpoints'] as const;
const DASHBOARD = ['dashboard'] as const;
/** The processes with connections to Postgres and Redis. */
const OF_STORES = ['projector', 'dashboard'] as const;

const always = <Level extends LogLevel>(level: Level, at: readonly LogSource[], meaning: string) =>
  ({ level, sampled: false, at, meaning }) as const;
const sampled = <Level extends LogLevel>(level: Level, at: readonly LogSource[], meaning: string) =>
  ({ level, sampled: true, at, meaning }) as const;

export const LOG_EVENTS = {
  'http-listening': always('info', ALL, 'The process answers /metrics, /health and /ready at url.full.'),
  stopping: always(
    'info',
    ALL,
    'The process was asked to stop, and is stopping; where Kafka does not answer, the line says what is left to the next start.',
  ),
  'spans-lost': sampled(
    'warn',
    ALL,
    'The OpenTelemetry collector did not accept spans in time: they are lost, and nothing else is affected.',
  ),
  'kafka-up': always('info', ALL, 'Kafka answers, for the first time or again.'),
  'kafka-down': always('warn', ALL, 'Kafka no longer answers: reading and writing wait.'),
  'registry-up': always('info', ALL, 'The schema registry answers, for the first time or again.'),
  'registry-down': always('warn', ALL, 'The schema registry no longer answers; known schemas are still used.'),
  'registry-changed': always(
    'error',
    ALL,
    'The schema registry gives ids another meaning than the log, or none: nothing is read or appended until it is repaired.',
  ),
  'registry-agrees': always('info', ALL, 'The ids of the schema registry have the same meaning as in the log again.'),
  'postgres-up': always('info', OF_STORES, 'Postgres answers, for the first time or again.'),
  'postgres-down': always('warn', OF_STORES, 'Postgres no longer answers: its projectors wait.'),
  'redis-up': always('info', OF_STORES, 'Redis answers, for the first time or again.'),
  'redis-down': always('warn', OF_STORES, 'Redis no longer answers: its projectors wait.'),

  'consumer-started': always('info', READERS, 'The consumer asks to join its group.'),
  'dead-members-left': always(
    'info',
    READERS,
    'Members whose processes were killed on this machine left the group at once: it does not wait for their session timeout.',
  ),
  'consumer-joined': always(
    'info',
    READERS,
    'The consumer is a member of its group, at its first join or after a rebalance.',
  ),
  'partitions-assigned': always('info', READERS, 'The partitions that this member has after a join.'),
  'partitions-revoked': always('info', READERS, 'The partitions that this member no longer has.'),
  'offsets-committed': sampled(
    'info',
    READERS,
    'The offsets of records applied downstream are committed up to tapeproof.next_offset.',
  ),
  'commit-failed': always(
    'warn',
    READERS,
    'Kafka did not accept the offsets of applied records: they are sent again; reported at most once in ten seconds.',
  ),
  'partition-paused': always(
    'warn',
    READERS,
    'A batch could not be applied: nothing is committed, and its partition waits and retries.',
  ),
  stalled: always(
    'error',
    READERS,
    'A partition has lag and nothing of it was committed for 20 seconds, or for 300 in which other partitions were worked on: the line, and /ready, say what it waits for.',
  ),
  'stall-ended': always('info', READERS, 'A stalled partition makes progress again.'),
  'foreign-record': sampled(
    'warn',
    READERS,
    'A record of a derived topic is not an event that belongs there (a tombstone, another schema): it is passed over.',
  ),
  'consumer-left': always('info', READERS, 'The consumer committed the offsets of applied records and left its group.'),
  'consumer-crashed': always('warn', READERS, 'The Kafka client gave up and restarts itself.'),
  'consumer-stopped': always('error', READERS, 'The consumer cannot continue; the process ends.'),
  'kafka-client': always('warn', ALL, 'A message of the Kafka client; the same one at most once in ten seconds.'),

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
    'A trade of the tape decides nothing or does not count, or a record changed how it counts; tapeproof.set_aside names the kind.',
  ),
  'signal-set-aside': sampled(
    'warn',
    ENGINE,
    'A signal of the tape has no effect: it is repeated, expired or crowded out; tapeproof.set_aside names which.',
  ),
  'anchor-written': sampled('info', ENGINE, 'The state at a tape offset was written.'),
  'anchor-rejected': sampled(
    'error',
    ENGINE,
    'An anchor in the log was not derived again, and recovery does not use it; tapeproof.reason names why, tapeproof.offset its place in engine.anchors.',
  ),
  recovered: always('info', ENGINE, 'State was restored, and the events derived again equal those in the outputs.'),
  'foreign-event': sampled(
    'warn',
    ENGINE,
    'A record in an output of the engine is from another writer; tapeproof.fate names what it is, tapeproof.offset its place in the log.',
  ),
  'output-lost': always(
    'warn',
    ENGINE,
    'Records that the engine wrote are gone: it derives them again, or stops and says what to do.',
  ),
  'hand-over-awaited': always(
    'error',
    ENGINE,
    'Another engine version is in force from this offset on: this partition waits.',
  ),
  'engine-progress': always(
    'info',
    ENGINE,
    'Totals of the process since its start; every ten seconds while they change.',
  ),
  'engine-stopped': always('info', ENGINE, 'The engine stopped as requested.'),
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

  'root-differs': always(
    'error',
    PROJECTOR,
    "The stored events of an output are not those of the engine's anchor; tapeproof.from_sequence and tapeproof.next_sequence bound the ones in doubt.",
  ),
  'root-awaited': always(
    'warn',
    PROJECTOR,
    'An anchor names events that do not exist: they are gone, are being derived again, or somebody else wrote the anchor.',
  ),
  'roots-not-compared': always(
    'warn',
    PROJECTOR,
    'The stored events could not be compared with the anchors; the comparison is tried again.',
  ),
  'oracle-divergence': always(
    'error',
    PROJECTOR,
    'A published indicator is not what its definition gives over the trades on the tape; the line names the place.',
  ),
  'projector-started': always('info', PROJECTOR, 'The projector began to write a generation of its read model.'),
  'generation-changed': always(
    'info',
    PROJECTOR,
    'A rebuild put another generation in place; the projector continues with that one.',
  ),
  'sink-recovered': always('info', PROJECTOR, 'The store accepts deliveries again, after it refused some.'),
  'eviction-on': always(
    'error',
    PROJECTOR,
    'Redis may evict keys since its maxmemory-policy was changed: the read model may become incomplete.',
  ),
  'eviction-off': always('info', PROJECTOR, 'Redis no longer evicts keys.'),
  'store-moved': always(
    'info',
    PROJECTOR,
    'The position in the store is not the expected one; reading continues from the stored one.',
  ),

  'live-connected': always('info', LIVE, 'A connection to the venue is up.'),
  'live-disconnected': always(
    'warn',
    LIVE,
    'A connection to the venue ended or, where event.reason is HANDSHAKE, never came up.',
  ),
  'live-closed': always('info', LIVE, 'The process is stopping and closed its connection to the venue.'),
  'live-reconnect-scheduled': always('info', LIVE, 'The next attempt to connect is due after a pause.'),
  'live-notice': always(
    'warn',
    LIVE,
    'The venue refuses a subscription, asks for a new connection, or is under maintenance.',
  ),
  'live-resumed': always('info', LIVE, 'The trade after which an instrument continues, according to the tape.'),
  'live-trades-appended': sampled('info', LIVE, 'Kafka acknowledged trades of an instrument.'),
  'live-append-failed': always('warn', LIVE, 'Kafka did not accept a batch; the end of the tape is read again.'),
  'live-gap-opened': always('warn', LIVE, 'Trade ids are missing; newer trades wait for them.'),
  'live-gap-filled': always('info', LIVE, 'All missing trades arrived.'),
  'live-gap-declared': always('error', LIVE, 'Missing trades cannot be obtained: a TradeGap is on the tape.'),
  'live-late-trade': sampled('warn', LIVE, 'A trade of a declared gap arrived after all.'),
  'live-trade-amended': always(
    'info',
    LIVE,
    'A cancel or a correction of the venue is on the tape, or the tape had it; event.reason says which.',
  ),
  'live-amendment-unmatched': always(
    'warn',
    LIVE,
    'A cancel or a correction of the venue was not applied; its dead letter says why.',
  ),
  'live-rate-limited': always(
    'warn',
    LIVE,
    'The venue limits requests; the next one waits as long as the venue demands.',
  ),
  'live-history-failed': sampled('warn', LIVE, 'A request for past trades failed.'),
  'live-trade-unasked': sampled('warn', LIVE, 'The venue sent a trade of an instrument that was not requested.'),
  'live-trade-forgotten': sampled('warn', LIVE, 'Too many trades wait: this one is requested again later.'),

  'checkpoints-started': always('info', CHECKPOINTS, 'The process reads the logs up to where they were signed last.'),
  'checkpoints-signed': always(
    'info',
    CHECKPOINTS,
    'A round is over: so many heads were signed, cosigned and recorded.',
  ),
  'checkpoints-waiting': sampled('info', CHECKPOINTS, 'Nothing can be signed yet, with the reason.'),
  'log-differs': always(
    'error',
    CHECKPOINTS,
    'A log is not what was signed, or not what the engine says: it is not signed any more until somebody looks.',
  ),
  'checkpoint-foreign': always(
    'warn',
    CHECKPOINTS,
    'A record of engine.checkpoints is not signed with the keys of this process: it was passed over.',
  ),
  'witness-silent': sampled('warn', CHECKPOINTS, 'A witness did not answer: the heads were recorded without it.'),
  'witness-refuses': always(
    'error',
    CHECKPOINTS,
    'A witness does not cosign a head: it saw another history of that log, or does not know it.',
  ),
  'timestamp-silent': sampled(
    'warn',
    CHECKPOINTS,
    'No time stamp could be obtained or recorded: heads stay without one until the next attempt.',
  ),
  'timestamp-refused': sampled(
    'error',
    CHECKPOINTS,
    'A time-stamping authority rejected a request, or its time stamp must not be believed: it was not recorded.',
  ),
  'checkpoints-stopped': always('info', CHECKPOINTS, 'The process stopped as requested.'),
  'dashboard-listening': always('info', DASHBOARD, 'The dashboard answers at url.full.'),
  'dashboard-request-failed': sampled(
    'warn',
    DASHBOARD,
    'A request could not be answered, for a reason that is not the client’s; http.response.status_code is the answer.',
  ),
  'dashboard-viewer-cut': sampled(
    'warn',
    DASHBOARD,
    'A stream of events was ended: its client took them too slowly, or did not read at all.',
  ),
  'dashboard-stopped': always('info', DASHBOARD, 'The dashboard stopped as requested.'),

  'witness-listening': always('info', WITNESS, 'The witness takes checkpoints at url.full.'),
  'witness-cosigned': sampled('info', WITNESS, 'A checkpoint was kept and cosigned.'),
  'witness-refused': sampled('warn', WITNESS, 'A request was refused: http.response.status_code and the reason.'),
  'witness-inconsistent': always(
    'error',
    WITNESS,
    'The first checkpoint of its kind that does not continue what was cosigned of a log; the state folder keeps the request.',
  ),
  'witness-failed': always('error', WITNESS, 'A checkpoint could not be kept, so it was not cosigned.'),
  'witness-stopped': always('info', WITNESS, 'The witness stopped as requested.'),
} as const satisfies Readonly<Record<string, LogEventDefinition>>;

type Definitions = typeof LOG_EVENTS;
export type LogAction = keyof Definitions;
export type SampledAction = {
  [Action in LogAction]: Definitions[Action]['sampled'] extends true ? Action : never;
}[LogAction];
export type EveryAction = Exclude<LogAction, SampledAction>;
