import { describe, expect, it } from 'vitest';
import { kafkaUnreachable } from './client.ts';

/** As kafkajs makes them: the protocol's error within the one that says how often it was tried. */
function failure(type: string): Error {
  const protocol = Object.assign(new Error('the broker says no'), { type });
  return new Error('retries exceeded', { cause: protocol });
}

describe('kafkaUnreachable', () => {
  it.each([
    ['MESSAGE_TOO_LARGE', 'CONFIGURATION', 'max.message.bytes'],
    ['RECORD_LIST_TOO_LARGE', 'CONFIGURATION', 'max.message.bytes'],
    ['TOPIC_AUTHORIZATION_FAILED', 'CONFIGURATION', 'access control lists'],
    ['GROUP_AUTHORIZATION_FAILED', 'CONFIGURATION', 'access control lists'],
    ['SASL_AUTHENTICATION_FAILED', 'CONFIGURATION', 'log-in'],
    ['POLICY_VIOLATION', 'CONFIGURATION', 'policy'],
    ['INVALID_CONFIG', 'CONFIGURATION', 'settings'],
    ['INVALID_TIMESTAMP', 'CONFIGURATION', 'topics apply'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'UNREACHABLE', 'topics apply'],
    ['NOT_ENOUGH_REPLICAS', 'UNREACHABLE', 'min.insync.replicas'],
    ['KAFKA_STORAGE_ERROR', 'UNREACHABLE', 'disk'],
  ])('says of %s what it is, and never to start the services', (type, code, words) => {
    const error = kafkaUnreachable(failure(type));
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) as string });
    expect(error.message).toContain(type);
    expect(error.message).not.toContain('stack up');
  });

  it('finds it among the errors that one gathers, and under the name of the other client', () => {
    const gathered = Object.assign(new Error('Topic creation errors'), {
      errors: [Object.assign(new Error('no'), { type: 'POLICY_VIOLATION', topic: 'raw.trades' })],
    });
    expect(kafkaUnreachable(gathered).message).toContain('for topic raw.trades: POLICY_VIOLATION');
    const other = Object.assign(new Error('no'), { apiId: 'TOPIC_AUTHORIZATION_FAILED' });
    expect(kafkaUnreachable(new AggregateError([other])).code).toBe('CONFIGURATION');
  });

  it.each(['REQUEST_TIMED_OUT', 'NETWORK_EXCEPTION', undefined])('takes %s for an outage', (type) => {
    const error = kafkaUnreachable(type === undefined ? new Error('connect ECONNREFUSED') : failure(type));
    expect(error).toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining('stack up') as string });
  });
});
