import { describe, expect, it } from 'vitest';
import { TapeproofError } from '../errors.ts';
import { createLog } from '../log.ts';
import { noTelemetry } from '../telemetry.ts';
import { assignmentText, without } from './assignment.ts';
import { ConsumerTelemetry } from './consumer-telemetry.ts';

function subject() {
  const lines: Record<string, unknown>[] = [];
  const log = createLog('engine', 'info', { write: (line) => lines.push(JSON.parse(line) as (typeof lines)[number]) });
  const telemetry = noTelemetry();
  const health = () => telemetry.health.parts.get('consumer');
  return { report: new ConsumerTelemetry('group', log, telemetry), lines, health };
}

describe('ConsumerTelemetry', () => {
  it('is not ready from a crash to the next join, and dead after a permanent error', () => {
    const { report, lines, health } = subject();
    report.started();
    expect(health()).toMatchObject({ alive: true, ready: false });
    report.joined('member', { 'raw.trades': [2, 0] });
    expect(health()).toEqual({ alive: true, ready: true, detail: 'has raw.trades 0,2' });
    report.crashed(new Error('too many retries'));
    expect(health()).toMatchObject({ alive: true, ready: false });
    expect(lines.at(-1)).toMatchObject({ 'event.action': 'consumer-crashed', 'error.message': 'too many retries' });
    report.joined('member', { 'raw.trades': [2, 0] });
    expect(health()).toMatchObject({ ready: true });
    report.stopped(new TapeproofError('CONFLICT', 'other bytes'));
    expect(health()).toEqual({ alive: false, ready: false, detail: 'other bytes' });
    expect(lines.slice(-2).map((line) => line['event.action'])).toEqual(['conflict', 'consumer-stopped']);
  });

  it('logs an outage once in a while, however many partitions meet it', () => {
    const { report, lines } = subject();
    for (let partition = 0; partition < 20; partition += 1) {
      report.paused({ topic: 'raw.trades', partition }, 1, new TapeproofError('UNREACHABLE', 'Redis does not answer'));
    }
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ 'event.action': 'partition-paused', 'event.reason': 'UNREACHABLE' });
  });

  it('logs once in a while that offsets are not accepted', () => {
    const { report, lines } = subject();
    for (let attempt = 0; attempt < 20; attempt += 1) report.notCommitted(new Error('no coordinator'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ 'event.action': 'commit-failed', 'error.message': 'no coordinator' });
  });
});

describe('assignments', () => {
  it('are compared by partition', () => {
    expect(without({ a: [1, 2], b: [0] }, { a: [2, 3] })).toEqual({ a: [1], b: [0] });
    expect(without({ a: [1] }, { a: [1] })).toEqual({});
    expect(assignmentText({ a: [10, 9], b: [], c: [0] })).toBe('a 9,10; c 0');
    expect(assignmentText({ b: [] })).toBe('no partitions');
  });
});
