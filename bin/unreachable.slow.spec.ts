import { describe, expect, it } from 'vitest';
import { runCommand } from '../tests/support/command.ts';

describe('a command without services', () => {
  const nobody = {
    TAPEPROOF_KAFKA_BROKERS: '127.0.0.1:1',
    TAPEPROOF_REGISTRY_URL: 'http://127.0.0.1:1',
    TAPEPROOF_POSTGRES_URL: 'postgres://nobody@127.0.0.1:1/nothing',
    TAPEPROOF_REDIS_URL: 'redis://127.0.0.1:1',
  };
  const amendment = '--trade 1 --instrument A-B@c --reason test';

  it.each([
    'topics apply',
    'topics check',
    'activate',
    'audit decision-0-1-0',
    'certify',
    'scoreboard',
    'instruments',
    'dead-letters',
    'ingest file data/binance-sample/binance-spot-2025-03-25.jsonl.gz',
    'projector rebuild redis-latest',
    `tape cancel ${amendment}`,
    'tape revoke-file file:70fb695e7424a1b2 --reason test',
    'tape amendments',
  ])('%s reports at once that nothing listens at Kafka’s address', async (words) => {
    const { exitCode, stdout, stderr } = await runCommand(words.split(' '), nobody);
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    // The wait for a slow broker ends without a reason.
    expect(stderr).toMatch(/^tapeproof: Kafka does not answer \(.*ECONNREFUSED.*stack up/);
  });
});
