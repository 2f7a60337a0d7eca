import { describe, expect, it } from 'vitest';
import { TOPICS } from '../../contracts/topics.ts';
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
