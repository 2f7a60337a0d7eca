import { TapeproofError, type ErrorCode } from '../errors.ts';

/** How far down the causes of an error it is looked. */
const CAUSES_MAX = 8;

interface Failure {
  readonly code: ErrorCode;
  /** What is wrong and what to do, behind the broker's own words. */
  readonly sentence: string;
}

const TOO_LARGE: Failure = {
  code: 'CONFIGURATION',
  sentence:
    'Kafka takes no record batch of this size, because max.message.bytes was lowered: run "npx tapeproof topics check", then "npx tapeproof topics apply"',
};
const NOT_ALLOWED: Failure = {
  code: 'CONFIGURATION',
  sentence: "Kafka does not allow this user to do that: give it the right in Kafka's access control lists",
};
const LOG_IN: Failure = {
  code: 'CONFIGURATION',
  sentence: 'Kafka refuses the log-in: check the user, its secret and the SASL mechanism',
};
const BAD_SETTING: Failure = {
  code: 'CONFIGURATION',
  sentence:
    "Kafka refuses a topic's settings or its number of partitions or replicas: change what the broker's policy forbids",
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
  sentence:
    'Kafka has fewer replicas in sync than min.insync.replicas asks for: bring its other brokers back, or run "npx tapeproof topics check"',
};
const DISK: Failure = {
  code: 'UNREACHABLE',
  sentence: "Kafka cannot write to its disk: look for a full or broken disk in the broker's log",
};
const NO_TOPIC: Failure = {
  code: 'UNREACHABLE',
  sentence: 'Kafka does not have the topic or its partition: run "npx tapeproof topics apply"',
};

/** By Kafka's own name of the error. Whatever is missing here is an outage. */
const FAILURES: Readonly<Record<string, Failure>> = {
  MESSAGE_TOO_LARGE: TOO_LARGE,
  RECORD_LIST_TOO_LARGE: TOO_LARGE,
  TOPIC_AUTHORIZATION_FAILED: NOT_ALLOWED,
  GROUP_AUTHORIZATION_FAILED: NOT_ALLOWED,
  CLUSTER_AUTHORIZATION_FAILED: NOT_ALLOWED,
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: NOT_ALLOWED,
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: NOT_ALLOWED,
  SASL_AUTHENTICATION_FAILED: LOG_IN,
  UNSUPPORTED_SASL_MECHANISM: LOG_IN,
  ILLEGAL_SASL_STATE: LOG_IN,
  INVALID_CONFIG: BAD_SETTING,
  POLICY_VIOLATION: BAD_SETTING,
  INVALID_PARTITIONS: BAD_SETTING,
  INVALID_REPLICATION_FACTOR: BAD_SETTING,
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

/** Of kafkajs, for an error that has no name of Kafka's. */
const FAILURES_BY_CLASS: Readonly<Record<string, Failure>> = {
  KafkaJSSASLAuthenticationError: LOG_IN,
  KafkaJSServerDoesNotSupportApiKey: TOO_OLD,
};

/** What Kafka answered where it is not away: the right sentence, and whether it may pass. Undefined for an outage. */
export function refusalByKafka(error: unknown): TapeproofError | undefined {
  for (const { name, type, apiId, message, topic } of causesOf(error)) {
    const failure = FAILURES[type ?? apiId ?? ''] ?? FAILURES_BY_CLASS[name];
    if (failure === undefined) continue;
    const place = topic === undefined ? '' : ` for topic ${topic}`;
    return new TapeproofError(failure.code, `${failure.sentence} (its answer${place}: ${type ?? apiId ?? message}).`, {
      cause: error,
    });
  }
  return undefined;
}

interface ClientError {
  readonly name: string;
  readonly message: string;
  /** Of kafkajs. */
  readonly type: string | undefined;
  /** Of @platformatic/kafka. */
  readonly apiId: string | undefined;
  readonly topic: string | undefined;
}

/** An error, what caused it, and those that it gathers. */
function* causesOf(error: unknown, depth = 0): Generator<ClientError> {
  if (!(error instanceof Error) || depth > CAUSES_MAX) return;
  const { name, message, cause } = error;
  const { type, apiId, topic, errors } = error as unknown as Readonly<Record<string, unknown>>;
  yield { name, message, type: textOf(type), apiId: textOf(apiId), topic: textOf(topic) };
  yield* causesOf(cause, depth + 1);
  if (Array.isArray(errors)) for (const gathered of errors) yield* causesOf(gathered, depth + 1);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
