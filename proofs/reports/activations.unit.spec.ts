import { describe, expect, it } from 'vitest';
import { encodeBody, hashBody } from '../../contracts/codec.ts';
import type { EngineActivated } from '../../contracts/generated/events.ts';
import { parseConfiguration } from '../../evaluators/configuration.ts';
import { activationOf } from '../../evaluators/derive.ts';
import type { LoggedActivation } from '../activation-log.ts';
import { activationsCsv, activationsText } from './activations-text.ts';
import { activationsReport } from './activations.ts';
import { configurationChanges } from './configuration-changes.ts';

const identity = { tapeId: 'tape', gitCommit: 'abc' };
const first = activationOf(parseConfiguration({}), { ...identity, activationId: 'first' });
const second: EngineActivated = {
  ...activationOf(parseConfiguration({ cadenceMs: 2_000 }), { ...identity, activationId: 'second' }),
  ...{ actor: 'Ann\u001b[2K', reason: '-1+1', approver: null, hasUncommittedChanges: true, revokes: ['forged'] },
};
const forged = { ...first, activationId: 'forged', engineVersion: '999' };

function logged(partition: number, offset: number, event: EngineActivated, timestampMs: number): LoggedActivation {
  const hash = hashBody('EngineActivated', encodeBody('EngineActivated', event)).toString('hex');
  return { ...{ topic: 'raw.trades', partition, offset, hash, event }, timestampMs };
}

const report = activationsReport([
  [logged(0, 0, first, 1_000), logged(0, 7, forged, 3_000), logged(0, 9, second, 5_000)],
  [logged(1, 0, first, 2_000), logged(1, 3, { ...first, tapeId: 'other' }, 4_000)],
]);

describe('the activations of a tape', () => {
  it('are listed once each, in the order of their times, with their places and where they are missing', () => {
    expect(report.map(({ activationId, at, missingIn }) => [activationId, at, missingIn])).toEqual([
      ['first', '1970-01-01T00:00:01.000000Z', []],
      ['forged', '1970-01-01T00:00:03.000000Z', [1]],
      ['first', '1970-01-01T00:00:04.000000Z', [0]],
      ['second', '1970-01-01T00:00:05.000000Z', [1]],
    ]);
    expect(report[0]?.places.map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });

  it('name the keys of the configuration that changed, what is revoked, and what no engine accepts', () => {
    expect(report.map(({ changes }) => changes)).toEqual([
      null,
      [],
      [],
      [{ key: 'cadenceMs', from: '1000', to: '2000' }],
    ]);
    expect(report.map(({ revokedBy }) => revokedBy)).toEqual([null, 'second', null, null]);
    expect(report.map(({ fault }) => fault)).toEqual([null, null, 'the tape is tape', null]);
  });

  it('are shown so that nothing in them does harm', () => {
    const text = activationsText(report);
    expect(text).not.toContain('\u001b');
    expect(text).toContain('with uncommitted changes');
    expect(text).toContain('not stated; reason: not stated; approved by: not stated');
    expect(text).toContain('revoked by     second');
    expect(text).toContain('cadenceMs: 1000 → 2000');
    expect(activationsCsv(report)).toContain(`,'-1+1,`);
    expect(activationsText([])).toContain('There is no activation on the tape');
  });
});

it('keys of a configuration differ by name, wherever they are', () => {
  const [before, after] = ['{"a":{"b":[1,2]},"c":{},"d":1}', '{"a":{"b":[1,3,4]},"d":1}'];
  expect(configurationChanges(before, after)).toEqual([
    { key: 'a.b.1', from: '2', to: '3' },
    { key: 'a.b.2', from: null, to: '4' },
    { key: 'c', from: '{}', to: null },
  ]);
  expect(configurationChanges('no json', '{"a":1}')).toEqual([{ key: 'a', from: null, to: '1' }]);
});
