import kafkajs from 'kafkajs';

/** Kafka's number of the error. */
const NOT_COORDINATOR = 16;

/** True for the errors by which the broker makes a member rejoin. kafkajs rejoins when it meets one of them. */
export function isRebalance(error: unknown): boolean {
  return (
    error instanceof Error &&
    'type' in error &&
    ['REBALANCE_IN_PROGRESS', 'NOT_COORDINATOR_FOR_GROUP', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'].includes(
      String(error.type),
    )
  );
}

/**
 * True where no broker could be asked for the group's coordinator: an outage, at a moment at which kafkajs takes it for
 * permanent and stops.
 */
export function isMissingCoordinator(error: Error): boolean {
  return error.name === 'KafkaJSGroupCoordinatorNotFound' || error.message === 'Failed to find group coordinator';
}

/**
 * True where the broker that coordinated the group is no longer in its cluster: kafkajs looks for the new coordinator
 * only when it joins, and until then neither offsets nor heartbeats arrive.
 */
export function isLostCoordinator(error: Error): boolean {
  return error.name === 'KafkaJSBrokerNotFound';
}

/** The error by which a broker that no longer coordinates the group says so, in place of one that is gone. */
export function lostCoordinator({ message }: Error): Error {
  const answer = { type: 'NOT_COORDINATOR_FOR_GROUP', code: NOT_COORDINATOR, retriable: true };
  return new kafkajs.KafkaJSProtocolError(Object.assign(new Error(message), answer));
}

/** Mistakes in code: kafkajs would stop permanently on these while the process lived on. */
export function isProgrammingError(error: Error): boolean {
  return [TypeError, RangeError, ReferenceError, SyntaxError].some((type) => error instanceof type);
}

export function plain(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
