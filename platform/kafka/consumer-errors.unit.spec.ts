import { describe, expect, it } from 'vitest';
import { isMissingCoordinator } from './consumer-errors.ts';

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
