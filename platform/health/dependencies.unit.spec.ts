import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parsePrometheus } from '../../tests/support/prometheus-text.ts';
import { createLog } from '../log.ts';
import { noTelemetry } from '../telemetry.ts';
import { watchDependencies } from './dependencies.ts';
import type { Probe } from './probe.ts';

type Answer = 'good' | 'refused' | 'denied' | 'never';

function subject(answer: Answer = 'good') {
  const lines: Record<string, unknown>[] = [];
  const log = createLog('engine', 'info', { write: (line) => lines.push(JSON.parse(line) as (typeof lines)[number]) });
  const telemetry = noTelemetry();
  const state: { answer: Answer; checks: number; closed: boolean } = { answer, checks: 0, closed: false };
  const probe: Probe = {
    dependency: 'redis',
    check() {
      state.checks += 1;
      if (state.answer === 'never') return new Promise(() => undefined);
      if (state.answer === 'good') return Promise.resolve();
      return Promise.reject(new Error(state.answer === 'refused' ? 'connect ECONNREFUSED' : 'wrong password'));
    },
    close() {
      state.closed = true;
      return new Promise(() => undefined);
    },
  };
  return {
    state,
    lines,
    telemetry,
    watch: watchDependencies([probe], telemetry, log),
    actions: () => lines.map((line) => line['event.action']),
    isReady: () => telemetry.health.isReady,
    up: async () => {
      const families = parsePrometheus(await telemetry.metrics.text());
      return families.get('tapeproof_dependency_up')?.samples[0]?.value;
    },
  };
}

const SECOND_MS = 1_000;
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a dependency that is watched', () => {
  it('is logged at each change, not at each attempt', async () => {
    const { state, actions, isReady, up, lines, watch } = subject();
    expect([isReady(), await up()]).toEqual([false, undefined]);
    await vi.advanceTimersByTimeAsync(10 * SECOND_MS);
    expect([actions(), isReady(), await up()]).toEqual([['redis-up'], true, 1]);
    state.answer = 'refused';
    await vi.advanceTimersByTimeAsync(30 * SECOND_MS);
    expect([actions(), isReady(), await up()]).toEqual([['redis-up', 'redis-down'], false, 0]);
    expect(lines[1]).toMatchObject({ 'log.level': 'warn', 'event.reason': 'connect ECONNREFUSED' });
    state.answer = 'good';
    await vi.advanceTimersByTimeAsync(30 * SECOND_MS);
    expect([actions(), isReady(), await up()]).toEqual([['redis-up', 'redis-down', 'redis-up'], true, 1]);
    expect(lines[2]?.['message']).toMatch(/^Redis answers again, after \d\d s$/);
    expect(state.checks).toBeGreaterThan(60);
    void watch.close();
  });

  it('is down for the reason that it has now, and one that does not last is not said', async () => {
    const { state, actions, telemetry, lines, watch } = subject('refused');
    const detail = (): unknown => telemetry.health.parts.get('redis')?.detail;
    await vi.advanceTimersByTimeAsync(10 * SECOND_MS);
    for (let round = 0; round < 5; round += 1) {
      state.answer = 'denied';
      await vi.advanceTimersByTimeAsync(SECOND_MS);
      state.answer = 'refused';
      await vi.advanceTimersByTimeAsync(SECOND_MS);
    }
    expect([actions(), detail()]).toEqual([['redis-down'], 'connect ECONNREFUSED']);
    state.answer = 'denied';
    await vi.advanceTimersByTimeAsync(30 * SECOND_MS);
    expect([actions(), detail()]).toEqual([['redis-down', 'redis-down'], 'wrong password']);
    expect(lines[1]?.['event.reason']).toBe('wrong password');
    state.answer = 'good';
    await vi.advanceTimersByTimeAsync(10 * SECOND_MS);
    expect(lines[2]?.['message']).toMatch(/^Redis answers again, after \d\d s$/);
    void watch.close();
  });

  it('is down if it hangs', async () => {
    const { state, actions, lines, watch } = subject();
    await vi.advanceTimersByTimeAsync(SECOND_MS / 2);
    state.answer = 'never';
    await vi.advanceTimersByTimeAsync(30 * SECOND_MS);
    expect(actions()).toEqual(['redis-up', 'redis-down']);
    expect(lines[1]?.['event.reason']).toBe('no answer within 3000 ms');
    void watch.close();
  });

  it('is down if it never was up', async () => {
    const { actions, isReady, watch } = subject('refused');
    await vi.advanceTimersByTimeAsync(30 * SECOND_MS);
    expect([actions(), isReady()]).toEqual([['redis-down'], false]);
    void watch.close();
  });

  it('is up while only one answer in a row is late', async () => {
    const { state, actions, watch } = subject();
    await vi.advanceTimersByTimeAsync(SECOND_MS / 2);
    for (let round = 0; round < 5; round += 1) {
      state.answer = 'refused';
      await vi.advanceTimersByTimeAsync(SECOND_MS);
      state.answer = 'good';
      await vi.advanceTimersByTimeAsync(SECOND_MS);
    }
    expect(actions()).toEqual(['redis-up']);
    void watch.close();
  });

  it('delays nothing at the end, and is no longer probed', async () => {
    const { state, watch, actions } = subject();
    await vi.advanceTimersByTimeAsync(SECOND_MS / 2);
    // A check is under way.
    state.answer = 'never';
    await vi.advanceTimersByTimeAsync(SECOND_MS);
    const closed = watch.close();
    await vi.advanceTimersByTimeAsync(SECOND_MS / 2);
    await closed;
    const { checks } = state;
    await vi.advanceTimersByTimeAsync(30 * SECOND_MS);
    expect([state.closed, state.checks, actions()]).toEqual([true, checks, ['redis-up']]);
  });
});
