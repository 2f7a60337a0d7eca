import { causesOf } from '../causes.ts';
import { isPassing, TapeproofError, type ErrorCode } from '../errors.ts';
import { tlsRefusal } from '../security/tls.ts';

interface Failure {
  readonly code: ErrorCode;
  /** Sometimes resolves itself, as during a broker's start: a reader retries for a while. */
  readonly passes?: true;
  /** What is wrong and what to do, besides the broker's own words. */
  readonly sentence: string;
}

const TOO_LARGE: Failure = {
  code: 'CONFIGURATION',
  sentence:
    'Kafka takes no record batch of this size, because max.message.bytes was lowered: run "npx tapeproof topics check", then "npx tapeproof topics apply"',
};
// A process refused while it runs waits, as for Postgres and Redis: somebody may correct the password or the rule.
const LOG_IN: Failure = {
  code: 'UNREACHABLE',
  sentence:
    'Kafka does not accept the credentials of this process: check TAPEPROOF_KAFKA_USERNAME and TAPEPROOF_KAFKA_PASSWORD, or issuer, audience and expiry of its token',
};
const NO_MECHANISM: Failure = {
  code: 'UNREACHABLE',
  sentence:
    'Kafka does not offer the SASL mechanism of this process: set TAPEPROOF_KAFKA_SASL_MECHANISM to one that it offers',
};
const BAD_SETTING: Failure = {
  code: 'CONFIGURATION',
  sentence:
    "Kafka refuses a topic's settings or its number of partitions or replicas: change what the broker's policy forbids",
};
const TOO_FEW_BROKERS: Failure = {
  code: 'UNREACHABLE',
  sentence:
    'Kafka has fewer brokers running than a topic is to have replicas: start the others, then run the command again',
};
const TOO_OLD: Failure = {
  code: 'CONFIGURATION',
  sentence: 'Kafka does not know this kind of request: use a broker of version 3.7 or newer',
};
const REFUSED_RECORD: Failure = {
  code: 'CONFIGURATION',
  sentence:
    'Kafka refuses a record by the topic\'s settings: run "npx tapeproof topics check", then "npx tapeproof topics apply"',
};
const REPLICAS: Failure = {
  code: 'UNREACHABLE',
  passes: true,
  sentence:
    'Kafka has fewer replicas in sync than min.insync.replicas asks for: bring its other brokers back, or run "npx tapeproof topics check"',
};
const DISK: Failure = {
  code: 'UNREACHABLE',
  passes: true,
  sentence: "Kafka cannot write to its disk: look for a full or broken disk in the broker's log",
};
const NO_TOPIC: Failure = {
  code: 'UNREACHABLE',
  passes: true,
  sentence: 'Kafka does not have the topic or its partition: run "npx tapeproof topics apply"',
};

/** By Kafka's own name of the error. Errors missing here are outages. */
const FAILURES: Readonly<Record<string, Failure>> = {
  MESSAGE_TOO_LARGE: TOO_LARGE,
  RECORD_LIST_TOO_LARGE: TOO_LARGE,
  TOPIC_AUTHORIZATION_FAILED: notAllowed('a topic'),
  GROUP_AUTHORIZATION_FAILED: notAllowed('a consumer group'),
  CLUSTER_AUTHORIZATION_FAILED: notAllowed('the cluster'),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: notAllowed('a transaction'),
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: notAllowed('a token'),
  SASL_AUTHENTICATION_FAILED: LOG_IN,
  UNSUPPORTED_SASL_MECHANISM: NO_MECHANISM,
  ILLEGAL_SASL_STATE: LOG_IN,
  INVALID_CONFIG: BAD_SETTING,
  POLICY_VIOLATION: BAD_SETTING,
  INVALID_PARTITIONS: BAD_SETTING,
  INVALID_REPLICATION_FACTOR: TOO_FEW_BROKERS,
  INVALID_REPLICA_ASSIGNMENT: BAD_SETTING,
  INVALID_REQUEST: BAD_SETTING,
  INVALID_TOPIC_EXCEPTION: BAD_SETTING,
  UNSUPPORTED_VERSION: TOO_OLD,
  UNSUPPORTED_FOR_MESSAGE_FORMAT: TOO_OLD,
  INVALID_TIMESTAMP: REFUSED_RECORD,
  INVALID_RECORD: REFUSED_RECORD,
  UNSUPPORTED_COMPRESSION_TYPE: REFUSED_RECORD,
  INVALID_REQUIRED_ACKS: REFUSED_RECORD,
  NOT_ENOUGH_REPLICAS: REPLICAS,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: REPLICAS,
  KAFKA_STORAGE_ERROR: DISK,
  UNKNOWN_TOPIC_OR_PARTITION: NO_TOPIC,
};

/** For an error without a Kafka name, by the client libraries' messages. */
const FAILURES_BY_TEXT: readonly (readonly [text: RegExp, failure: Failure])[] = [
  [/mechanism is not supported|does not support the requested SASL/i, NO_MECHANISM],
  [/^KafkaJSSASLAuthenticationError|SASL (\S+ ){0,2}authentication failed|invalid credentials/i, LOG_IN],
  [/^KafkaJSServerDoesNotSupportApiKey/, TOO_OLD],
];

function notAllowed(what: string): Failure {
  return {
    code: 'UNREACHABLE',
    sentence: `Kafka does not authorise this process for ${what}: give its principal the rights that docs/security.md lists`,
  };
}

/** The sentence for an answer of a reachable Kafka, and whether the failure is transient. Undefined for an outage. */
export function refusalByKafka(error: unknown): TapeproofError | undefined {
  const ours = ownFailureIn(error);
  if (ours !== undefined) return ours;
  const tls = tlsRefusal(error, 'KAFKA');
  if (tls !== undefined) return new TapeproofError('UNREACHABLE', `Kafka ${tls}`, { cause: error });
  const found = failureIn(error);
  if (found === undefined) return undefined;
  const { failure, answer, topic } = found;
  const place = topic === undefined ? '' : ` for topic ${topic}`;
  return new TapeproofError(failure.code, `${failure.sentence} (its answer${place}: ${answer}).`, { cause: error });
}

/** Whether it is a refusal that retrying does not resolve until somebody has changed something. */
export function isRefusedForGood(error: unknown): boolean {
  const ours = ownFailureIn(error);
  if (ours !== undefined) return !isPassing(ours.code);
  if (tlsRefusal(error, 'KAFKA') !== undefined) return true;
  const found = failureIn(error);
  return found !== undefined && found.failure.passes !== true;
}

/** Whether a broker that was asked did not answer, or is not the one to ask any more: another one may be by now. */
export function isFailedBroker(error: unknown): boolean {
  if (refusalByKafka(error) !== undefined) return false;
  return causesOf(error).some((cause) => (cause as { readonly retriable?: unknown }).retriable === true);
}

/** Answers after which no batch of this producer is taken any more: the broker's memory of it is another. */
const LOST_IDENTITY: ReadonlySet<unknown> = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'PRODUCER_FENCED',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_ID_MAPPING',
]);

/** Whether the same batch succeeds only under another producer's identity, as after a broker lost its newest records. */
export function hasLostIdentity(error: unknown): boolean {
  return causesOf(error).some((cause) => LOST_IDENTITY.has((cause as { readonly apiId?: unknown }).apiId));
}

/** A failure of ours within a client's error: there was no token, because its issuer or its file gave none. */
function ownFailureIn(error: unknown): TapeproofError | undefined {
  return causesOf(error).find((cause) => cause instanceof TapeproofError);
}

interface Found {
  readonly failure: Failure;
  readonly answer: string;
  readonly topic: string | undefined;
}

function failureIn(error: unknown): Found | undefined {
  for (const cause of causesOf(error)) {
    const { name, message } = cause;
    // The error of kafkajs; of @platformatic/kafka.
    const { type, apiId, topic } = cause as unknown as Readonly<Record<string, unknown>>;
    const answer = [type, apiId].find((value) => typeof value === 'string');
    const failure =
      FAILURES[answer ?? ''] ?? FAILURES_BY_TEXT.find(([text]) => text.test(name) || text.test(message))?.[1];
    if (failure === undefined) continue;
    return { failure, answer: answer ?? message, topic: typeof topic === 'string' ? topic : undefined };
  }
  return undefined;
}
