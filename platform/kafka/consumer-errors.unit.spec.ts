import { describe, expect, it } from 'vitest';
import { isLostCoordinator, isMissingCoordinator, isRebalance, lostCoordinator } from './consumer-errors.ts';

describe('a group whose coordinator cannot be asked for', () => {
  it('is an outage, although kafkajs takes it for permanent', () => {
    const named = Object.assign(new Error('other words'), { name: 'KafkaJSGroupCoordinatorNotFound' });
    expect(isMissingCoordinator(named)).toBe(true);
    // Seen in a log: wrapped, with the name of the general error.
    const wrapped = Object.assign(new Error('Failed to find group coordinator'), { name: 'KafkaJSNonRetriableError' });
    expect(isMissingCoordinator(wrapped)).toBe(true);
    expect(isMissingCoordinator(new Error('GROUP_AUTHORIZATION_FAILED'))).toBe(false);
  });
});

describe('a group whose coordinator is gone', () => {
  it('is joined anew by the error of a coordinator that says so', () => {
    const gone = Object.assign(new Error('Broker 1 not found in the cached metadata'), {
      name: 'KafkaJSBrokerNotFound',
    });
    expect([isLostCoordinator(gone), isRebalance(gone)]).toEqual([true, false]);
    const answer = lostCoordinator(gone);
    expect([isLostCoordinator(answer), isRebalance(answer)]).toEqual([false, true]);
    expect(answer.message).toBe(gone.message);
    expect(isLostCoordinator(new Error('connect ECONNREFUSED'))).toBe(false);
  });
});
