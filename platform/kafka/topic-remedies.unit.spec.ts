import { describe, expect, it } from 'vitest';
import { TOPICS } from '../../contracts/topics.ts';
import { weakDefaults } from './durability.ts';
import { remedyOf } from './topics.ts';

const remedy = (topic: string, actual: string): string =>
  remedyOf({ topic, setting: 'partitions', expected: '6', actual });

describe('what to do about another number of partitions', () => {
  it('has engines write again only what they derive from the tape', () => {
    const again = TOPICS.filter(({ name }) => remedy(name, '3').includes('write it again from the tape'));
    expect(again.map(({ name }) => name)).toEqual([
      ...['indicator.snapshots', 'strategy.results', 'probability.decisions', 'decision.outcomes'],
      ...['engine.anchors', 'engine.states'],
    ]);
  });

  it.each(['dead.letters', 'research.trials', 'engine.checkpoints'])('keeps the records of %s', (topic) => {
    expect(remedy(topic, '3')).toMatch(/^raise it to 6 with Kafka's own tools, which keeps its records/);
    expect(remedy(topic, '9')).toMatch(/^copy its records .*topics recreate .*append them again: .*cannot be lowered$/);
  });
});

describe('what to do about a topic that one failed broker would stop or lose', () => {
  it.each([
    ['raw.trades', 'replicas', 'at least 3', /kafka-reassign-partitions\.sh.*topics apply/],
    ['engine.states', 'replicas', 'at least 3', /^stop the engines, run "npx tapeproof topics recreate engine.states"/],
    ['raw.trades', 'min.insync.replicas', 'at least 2', /^run "npx tapeproof topics apply"$/],
    ['raw.trades', 'min.insync.replicas', 'at most 1', /^lower it/],
    ['broker 2', 'min.insync.replicas', 'at least 2', /^set it in the broker's configuration/],
    ['broker 2', 'message.max.bytes', '1048588', /^raise it to 1048588/],
  ])('%s: %s %s', (topic, setting, expected, remedy) => {
    expect(remedyOf({ topic, setting, expected, actual: '1' })).toMatch(remedy);
  });

  it('names each weak default of a broker, and none that it does not show', () => {
    const settings = new Map([
      ['default.replication.factor', '1'],
      ['min.insync.replicas', '2'],
    ]);
    expect(weakDefaults(settings)).toEqual([
      { setting: 'default.replication.factor', expected: 'at least 3', actual: '1' },
    ]);
  });
});
