import { describe, expect, it } from 'vitest';
import { connectionsFrom } from './connections.ts';

describe('connectionsFrom', () => {
  it('uses the variables that are set and omits the rest', () => {
    expect(
      connectionsFrom({ TAPEPROOF_KAFKA_BROKERS: 'one:9092, [::1]:9093', TAPEPROOF_REDIS_URL: 'redis://127.0.0.1:1' }),
    ).toEqual({ kafkaBrokers: ['one:9092', '[::1]:9093'], redisUrl: 'redis://127.0.0.1:1' });
    expect(connectionsFrom({ TAPEPROOF_KAFKA_BROKERS: '', OTHER: 'x' })).toEqual({});
  });

  it.each([
    ['TAPEPROOF_KAFKA_BROKERS', 'localhost'],
    ['TAPEPROOF_KAFKA_BROKERS', 'localhost:0'],
    ['TAPEPROOF_KAFKA_BROKERS', 'localhost:65536'],
    ['TAPEPROOF_KAFKA_BROKERS', 'one:9092,'],
    ['TAPEPROOF_KAFKA_BROKERS', 'http://one:9092'],
    ['TAPEPROOF_REGISTRY_URL', 'localhost:8081'],
    ['TAPEPROOF_REGISTRY_URL', 'redis://one'],
    ['TAPEPROOF_POSTGRES_URL', 'mysql://one/two'],
    ['TAPEPROOF_REDIS_URL', 'nonsense'],
  ])('refuses %s=%s, naming the variable', (name, value) => {
    expect(() => connectionsFrom({ [name]: value })).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    expect(() => connectionsFrom({ [name]: value })).toThrow(name);
  });

  it('keeps passwords to itself', () => {
    expect(() => connectionsFrom({ TAPEPROOF_POSTGRES_URL: 'mysql://user:secret@one' })).not.toThrow('secret');
    expect(() => connectionsFrom({ TAPEPROOF_POSTGRES_URL: 'mysql://user:secret@one' })).toThrow();
  });
});
