import { describe, expect, it } from 'vitest';
import { TOPICS } from '../contracts/topics.ts';
import { ROLES, type Role } from './kafka-principals.ts';
import { isAllowed, rulesOf, type Operation, type Resource } from './kafka-rules.ts';

function whoMay(operation: Operation, resource: Resource, name: string): readonly Role[] {
  return ROLES.filter((role) => isAllowed(role, operation, resource, name));
}

const SHARED: Readonly<Record<string, readonly Role[]>> = {
  'raw.trades': ['operator', 'ingest'],
  'dead.letters': ['operator', 'ingest', 'engine', 'projector'],
};

describe('the access rules of Kafka', () => {
  it.each(TOPICS.map(({ name }) => name))('give %s one writer, unless it is shared by design', (name) => {
    const writers = whoMay('WRITE', 'TOPIC', name);
    if (name in SHARED) expect(writers).toEqual(SHARED[name]);
    else expect(writers).toHaveLength(1);
    for (const nobodys of ['reader', 'operator', 'projector'] as const) {
      if (!(name in SHARED)) expect(writers).not.toContain(nobodys);
    }
  });

  it.each([
    'indicator.snapshots',
    'strategy.results',
    'probability.decisions',
    'decision.outcomes',
    'engine.anchors',
    'engine.states',
  ])('let only the engine write %s', (name) => {
    expect(whoMay('WRITE', 'TOPIC', name)).toEqual(['engine']);
  });

  it('let nobody delete the tape, and only the operator create, alter or delete any other topic', () => {
    expect(whoMay('DELETE', 'TOPIC', 'raw.trades')).toEqual([]);
    for (const { name } of TOPICS) {
      for (const operation of ['CREATE', 'ALTER_CONFIGS'] as const)
        expect(whoMay(operation, 'TOPIC', name)).toEqual(['operator']);
      if (name !== 'raw.trades') expect(whoMay('DELETE', 'TOPIC', name)).toEqual(['operator']);
      expect(whoMay('ALTER', 'TOPIC', name)).toEqual([]);
    }
  });

  it('give each group to the engine or the projectors alone', () => {
    expect(whoMay('READ', 'GROUP', 'tapeproof.engine.5')).toEqual(['engine']);
    expect(whoMay('READ', 'GROUP', 'tapeproof.candles.g1')).toEqual(['projector']);
    expect(whoMay('READ', 'GROUP', 'apicurio-registry')).toEqual([]);
  });

  it('let nobody alter the cluster, and name no topic but those of the contracts', () => {
    for (const operation of ['ALTER', 'ALTER_CONFIGS', 'CREATE'] as const) {
      expect(whoMay(operation, 'CLUSTER', 'kafka-cluster')).toEqual([]);
    }
    const named = ROLES.flatMap(rulesOf)
      .filter(({ resource }) => resource === 'TOPIC')
      .flatMap(({ names }) => names);
    expect(new Set(named)).toEqual(new Set(TOPICS.map(({ name }) => name)));
  });
});
