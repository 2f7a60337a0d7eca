import { describe, expect, it } from 'vitest';
import { LOG_EVENTS } from '../../platform/log-events.ts';
import { createLog } from '../../platform/log.ts';
import { METRICS } from '../../platform/metrics/catalogue.ts';
import { Metrics, metricsOf } from '../../platform/metrics/metrics.ts';
import { HealthBoard } from '../../platform/health/board.ts';
import { parsePrometheus } from '../../tests/support/prometheus-text.ts';
import { createLiveTelemetry } from './telemetry.adapter.ts';
import type { LiveTelemetry } from './telemetry.ts';

const INSTRUMENT = 'BTC-USDT@binance';
const GAP = { instrument: INSTRUMENT, firstTradeId: '5', lastTradeId: '9', missing: 5 };
/** Kinds that the process itself logs, wherever live trades come from. */
const ELSEWHERE = [
  ...['http-listening', 'kafka-up', 'kafka-down', 'kafka-client', 'stopping', 'spans-lost'],
  ...['registry-up', 'registry-down', 'registry-changed', 'registry-agrees'],
];
/** Metrics likewise. */
const SHARED = ['build_info', 'check_ready', 'dependency_', 'log_lines', 'producer_', 'trace_spans'];

function subject(transport: 'stream' | 'poll' = 'stream') {
  const lines: Record<string, unknown>[] = [];
  const log = createLog('ingest-live', 'info', {
    write: (line) => lines.push(JSON.parse(line) as (typeof lines)[number]),
  });
  const processTelemetry = { metrics: new Metrics('ingest-live'), health: new HealthBoard() };
  const telemetry = createLiveTelemetry({ venue: 'binance', transport, processTelemetry, log, healthPart: 'venue' });
  const samples = async (name: string) => {
    const family = parsePrometheus(await processTelemetry.metrics.text()).get(`tapeproof_${name}`);
    return (family?.samples ?? []).map(({ labels, value }) => [...Object.values(labels), value]);
  };
  const actions = () => lines.map((line) => line['event.action']);
  return { telemetry, processTelemetry, lines, samples, actions };
}

/** Everything that can happen, once. */
function happen(telemetry: LiveTelemetry): void {
  telemetry({ kind: 'connected', connection: 1, handshakeMs: 12 });
  telemetry({ kind: 'resumed', instrument: INSTRUMENT, nextTradeId: '5', lastTradeIdOnTape: '4' });
  telemetry({
    kind: 'trades-appended',
    ...{ instrument: INSTRUMENT, count: 3, origin: 'stream' },
    lastEventTimeUs: (Date.now() - 60_000) * 1_000,
  });
  telemetry({ kind: 'watermark-appended', partition: 2, instruments: [INSTRUMENT], eventTimeUs: 1 });
  telemetry({ kind: 'gap-opened', ...GAP });
  telemetry({ kind: 'gap-filled', instrument: INSTRUMENT, missing: 5, openMs: 30 });
  telemetry({ kind: 'gap-declared', ...GAP, reason: 'NOT_SERVED' });
  telemetry({ kind: 'late-trade', instrument: INSTRUMENT });
  const request = { status: 200, retryAfterMs: undefined, detail: undefined } as const;
  telemetry({ kind: 'history-request', ...request, outcome: 'ok' });
  telemetry({ kind: 'history-request', ...request, outcome: 'rate-limited', status: 429, retryAfterMs: 2_000 });
  telemetry({ kind: 'history-request', ...request, outcome: 'failed', status: 503, detail: 'no answer' });
  telemetry({ kind: 'refused', instrument: INSTRUMENT, reason: 'NOT_POSITIVE', kept: true });
  telemetry({ kind: 'refused', instrument: INSTRUMENT, reason: 'NOT_POSITIVE', kept: false });
  telemetry({ kind: 'duplicate', instrument: INSTRUMENT, origin: 'history' });
  telemetry({ kind: 'not-asked-for', instrument: 'x\ny' });
  telemetry({ kind: 'forgotten', instrument: INSTRUMENT });
  for (const outcome of ['cancelled', 'corrected', 'already', 'unmatched'] as const) {
    telemetry({ kind: 'amendment', instrument: INSTRUMENT, tradeId: '5', outcome, detail: 'as it says' });
  }
  telemetry({ kind: 'append-failed', detail: 'Kafka does not answer', pauseMs: 100 });
  telemetry({
    kind: 'status',
    waitingTrades: 7,
    missingTrades: 5,
    instrumentsInSync: 1,
    frames: 9,
    clockOffsetUs: 1_500,
  });
  telemetry({ kind: 'disconnected', connection: 1, reason: 'SILENT', detail: 'no frame for 10 s' });
  for (const notice of ['SUBSCRIPTION_REFUSED', 'RECONNECT', 'MAINTENANCE'] as const) {
    telemetry({ kind: 'notice', notice, detail: 'as it says' });
  }
  telemetry({ kind: 'reconnect-scheduled', attempt: 1, delayMs: 250 });
  telemetry({ kind: 'connected', connection: 2, handshakeMs: 12 });
  telemetry({ kind: 'disconnected', connection: 2, reason: 'STOPPED', detail: 'this process is stopping' });
  telemetry({ kind: 'connected', connection: 3, handshakeMs: 12 });
}

describe('the telemetry of live ingestion', () => {
  it('is a line of each kind', () => {
    const { telemetry, lines, actions } = subject();
    happen(telemetry);
    const expected = Object.entries<{ at: readonly string[] }>(LOG_EVENTS)
      .filter(([action, { at }]) => at.includes('ingest-live') && !ELSEWHERE.includes(action))
      .map(([action]) => action);
    expect(new Set(actions())).toEqual(new Set(expected));
    expect(lines.find((line) => line['event.action'] === 'live-gap-declared')).toMatchObject({
      'log.level': 'error',
      'event.reason': 'NOT_SERVED',
      'tapeproof.instrument': INSTRUMENT,
      'tapeproof.first_trade_id': '5',
      'tapeproof.last_trade_id': '9',
      'tapeproof.missing': 5,
    });
  });

  it('moves each metric', async () => {
    const { telemetry, samples } = subject();
    happen(telemetry);
    const moved = metricsOf('ingest-live').filter((name) => !SHARED.some((part) => name.includes(part)));
    for (const name of moved) {
      const values = (await samples(name.replace('tapeproof_', ''))).map((sample) => Number(sample.at(-1)));
      expect(Math.max(...values), name).toBeGreaterThan(0);
    }
    const counted = async (name: string) => (await samples(name)).filter((sample) => Number(sample.at(-1)) > 0);
    expect(await counted('dead_letters_total')).toEqual([['ingest-live', 'NOT_POSITIVE', 1]]);
    expect(await counted('live_dead_letters_dropped_total')).toEqual([['binance', 'NOT_POSITIVE', 1]]);
    expect(await counted('live_disconnects_total')).toEqual([['binance', 'SILENT', 1]]);
    expect(await counted('live_amendments_total')).toHaveLength(4);
    expect(await samples('live_trades_lost_total')).toEqual([[INSTRUMENT, 5]]);
    expect(await samples('live_connections')).toEqual([['binance', 1]]);
    const [[, age] = []] = await samples('live_last_trade_age_seconds');
    expect(Number(age)).toBeGreaterThanOrEqual(60);
  });

  it('begins each counter at 0 as soon as its labels are known', async () => {
    const { telemetry, samples } = subject();
    telemetry({ kind: 'resumed', instrument: INSTRUMENT, nextTradeId: null, lastTradeIdOnTape: null });
    const counters = metricsOf('ingest-live').filter((name) => METRICS[name].type === 'counter');
    for (const name of counters) {
      if (name === 'tapeproof_live_watermarks_total' || SHARED.some((part) => name.includes(part))) continue;
      const values = (await samples(name.replace('tapeproof_', ''))).map((sample) => sample.at(-1));
      expect(values.length, name).toBeGreaterThan(0);
      expect(new Set(values), name).toEqual(new Set([0]));
    }
  });

  it.each([
    [undefined, 'binance did not answer a request for trades: why'],
    [400, 'binance refused a request for trades with HTTP 400: why'],
    [200, 'binance answered a request for trades with unreadable data (HTTP 200): why'],
  ])('reports the result of a request with status %s', (status, message) => {
    const { telemetry, lines } = subject();
    telemetry({ kind: 'history-request', outcome: 'failed', status, retryAfterMs: undefined, detail: 'why' });
    expect(lines.at(-1)).toMatchObject({ 'event.action': 'live-history-failed', message });
  });

  it.each([
    ['STOPPED', 'info', 'Closed the connection to binance: why'],
    ['HANDSHAKE', 'warn', 'Could not connect to binance: why'],
    ['CLOSED', 'warn', 'Connection to binance ended: why'],
  ] as const)('reports the end of a connection by %s', async (reason, level, message) => {
    const { telemetry, lines, samples } = subject();
    telemetry({ kind: 'disconnected', connection: 1, reason, detail: 'why' });
    expect(lines.at(-1)).toMatchObject({ 'log.level': level, message });
    const sum = (await samples('live_disconnects_total')).reduce((total, sample) => total + Number(sample.at(-1)), 0);
    expect(sum).toBe(reason === 'STOPPED' ? 0 : 1);
  });

  it('is ready while a connection is up, one of two being enough', () => {
    const { telemetry, processTelemetry } = subject();
    const ready = () => processTelemetry.health.isReady;
    expect(ready()).toBe(false);
    telemetry({ kind: 'connected', connection: 1, handshakeMs: 1 });
    telemetry({ kind: 'connected', connection: 2, handshakeMs: 1 });
    telemetry({ kind: 'disconnected', connection: 1, reason: 'LIFETIME', detail: 'replaced' });
    expect(ready()).toBe(true);
    telemetry({ kind: 'disconnected', connection: 2, reason: 'CLOSED', detail: '1006' });
    expect(ready()).toBe(false);
  });

  it('measures the lag of trades that the stream did not miss: all, where there is none', async () => {
    const appended = { kind: 'trades-appended', instrument: INSTRUMENT, count: 1, lastEventTimeUs: 1 } as const;
    const cases = [
      ['stream', 'stream', 1],
      ['stream', 'history', 0],
      ['poll', 'history', 1],
    ] as const;
    for (const [transport, origin, count] of cases) {
      const { telemetry, samples } = subject(transport);
      telemetry({ ...appended, origin });
      const counts = (await samples('live_tape_lag_seconds')).filter((sample) => sample.includes('+Inf'));
      expect(Number(counts[0]?.at(-1) ?? 0), `${transport} ${origin}`).toBe(count);
    }
  });

  it('is ready without a stream while requests are answered', () => {
    const { telemetry, processTelemetry } = subject('poll');
    const ask = (outcome: 'ok' | 'failed' | 'rate-limited') => {
      telemetry({ kind: 'history-request', outcome, status: 200, retryAfterMs: 0, detail: undefined });
      return processTelemetry.health.isReady;
    };
    expect([processTelemetry.health.isReady, ask('ok'), ask('rate-limited'), ask('failed'), ask('ok')]).toEqual([
      ...[false, true, true, false, true],
    ]);
  });
});
