import { ProtocolError, ResponseError } from '@platformatic/kafka';
import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { TapeproofError } from '../errors.ts';
import { kafkaUnreachable } from './client.ts';
import { hasLostIdentity, isFailedBroker, isRefusedForGood } from './kafka-failure.ts';

/** As kafkajs creates them: the protocol's error within the error that counts the retries. */
function failure(type: string): Error {
  const protocol = Object.assign(new Error('the broker says no'), { type });
  return new Error('retries exceeded', { cause: protocol });
}

describe('kafkaUnreachable', () => {
  it.each([
    ['MESSAGE_TOO_LARGE', 'CONFIGURATION', 'max.message.bytes'],
    ['RECORD_LIST_TOO_LARGE', 'CONFIGURATION', 'max.message.bytes'],
    ['TOPIC_AUTHORIZATION_FAILED', 'UNREACHABLE', 'does not authorise this process for a topic'],
    ['GROUP_AUTHORIZATION_FAILED', 'UNREACHABLE', 'does not authorise this process for a consumer group'],
    ['SASL_AUTHENTICATION_FAILED', 'UNREACHABLE', 'the credentials of this process'],
    ['UNSUPPORTED_SASL_MECHANISM', 'UNREACHABLE', 'SASL mechanism'],
    ['POLICY_VIOLATION', 'CONFIGURATION', 'policy'],
    ['INVALID_CONFIG', 'CONFIGURATION', 'settings'],
    ['INVALID_TIMESTAMP', 'CONFIGURATION', 'topics apply'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'UNREACHABLE', 'topics apply'],
    ['NOT_ENOUGH_REPLICAS', 'UNREACHABLE', 'min.insync.replicas'],
    ['INVALID_REPLICATION_FACTOR', 'UNREACHABLE', 'start the others'],
    ['KAFKA_STORAGE_ERROR', 'UNREACHABLE', 'disk'],
  ])('explains %s, and never advises to start the services', (type, code, words) => {
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
    expect(kafkaUnreachable(new AggregateError([other])).message).toContain('docs/security.md');
  });

  it.each(['REQUEST_TIMED_OUT', 'NETWORK_EXCEPTION', undefined])('treats %s as an outage', (type) => {
    const error = kafkaUnreachable(type === undefined ? new Error('connect ECONNREFUSED') : failure(type));
    expect(error).toMatchObject({ code: 'UNREACHABLE', message: expect.stringContaining('stack up') as string });
  });
});

describe('a failure of ours within a client’s error', () => {
  it.each([
    ['UNREACHABLE', false],
    ['CONFIGURATION', true],
  ] as const)('stays what it is: %s, for good %s', (code, forGood) => {
    const ours = new TapeproofError(code, 'The file of the token is empty.');
    const error = new Error('SASL authentication failed.', { cause: ours });
    expect(kafkaUnreachable(error)).toBe(ours);
    expect(isRefusedForGood(error)).toBe(forGood);
  });
});

describe('isRefusedForGood', () => {
  it.each([
    ['SASL_AUTHENTICATION_FAILED', true],
    ['TOPIC_AUTHORIZATION_FAILED', true],
    ['MESSAGE_TOO_LARGE', true],
    ['NOT_ENOUGH_REPLICAS', false],
    ['UNKNOWN_TOPIC_OR_PARTITION', false],
    ['REQUEST_TIMED_OUT', false],
  ])('%s: %s', (type, forGood) => {
    expect(isRefusedForGood(failure(type))).toBe(forGood);
  });

  it.each([
    ['self-signed certificate in certificate chain', 'TAPEPROOF_KAFKA_CA_FILE'],
    ['SASL SCRAM-SHA-512 authentication failed', 'TAPEPROOF_KAFKA_PASSWORD'],
    ['SASL PLAIN mechanism is not supported by the server', 'TAPEPROOF_KAFKA_SASL_MECHANISM'],
  ])('knows a refusal that has no name: %s', (message, variable) => {
    const error = new Error('retries exceeded', { cause: new Error(message) });
    expect(isRefusedForGood(error)).toBe(true);
    expect(kafkaUnreachable(error).message).toContain(variable);
  });
});

describe('hasLostIdentity', () => {
  it('knows the answers that only another producer gets past, also within a response of several', () => {
    const [outOfOrder, notLeader] = [45, 6];
    const response = (code: number) => new ResponseError(0, 9, { '/responses/0': [code, null] }, {});
    expect(hasLostIdentity(new ProtocolError('INVALID_PRODUCER_EPOCH'))).toBe(true);
    expect(hasLostIdentity(response(outOfOrder))).toBe(true);
    expect(hasLostIdentity(response(notLeader))).toBe(false);
    expect(hasLostIdentity(new Error('connection lost'))).toBe(false);
  });
});

describe('isFailedBroker', () => {
  const { KafkaJSConnectionError, KafkaJSNonRetriableError, KafkaJSProtocolError } = kafkajs;
  const answered = (type: string, retriable: boolean): Error =>
    new KafkaJSProtocolError(Object.assign(new Error('the broker says no'), { type, code: 1, retriable }));

  it.each([
    ['no connection', new KafkaJSConnectionError('connect ECONNREFUSED', { broker: '127.0.0.1:1' }), true],
    ['a broker that left', Object.assign(new Error('Broker 3 not found'), { retriable: true }), true],
    ['another leader', answered('NOT_LEADER_FOR_PARTITION', true), true],
    ['a missing topic', answered('UNKNOWN_TOPIC_OR_PARTITION', true), false],
    ['a right that is missing', answered('TOPIC_AUTHORIZATION_FAILED', false), false],
    ['wrong use', new KafkaJSNonRetriableError('Invalid topic'), false],
    ['a mistake of ours', new TypeError('no'), false],
  ])('%s: %s', (_, error, isFailed) => {
    expect(isFailedBroker(error)).toBe(isFailed);
  });
});
