import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyOf, decodeBody } from '../contracts/codec.ts';
import type { ProbabilityDecision } from '../contracts/generated/events.ts';
import { TAPE_TOPIC, TOPIC_OF_DERIVED, type DerivedName, type TopicName } from '../contracts/topics.ts';
import { derivationOf, traceContextOf, traceOfTrade } from '../contracts/traceparent.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import type { LogRecord } from '../platform/kafka/log-record.ts';
import { createPool } from '../platform/postgres.ts';
import { environmentOf, runCommand } from './support/command.ts';
import { ObservedProcess } from './support/observed-process.ts';
import { startOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from './support/otlp-receiver.ts';
import { seedTape } from './support/seeded-tape.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const TRADES_FILE = join(import.meta.dirname, '..', 'evaluators', 'fixtures', 'golden-trades.csv');
const ONE_IN = 20;
const QUICK = parseConfiguration({ cadenceMs: 500, hitRules: [{ horizonMs: 2_000, graceMs: 1_000 }] });
const PARTITIONS = 6;
const DECISIONS = 'probability.decisions';

describe('a trace', () => {
  const connections = stackConnections();
  const reader = createLogReader(connections.kafkaBrokers);
  const started: ObservedProcess[] = [];
  let receiver: OtlpReceiver;
  let tape: readonly LogRecord[];

  beforeAll(async () => {
    await resetStores();
    await (await seedTape(connections, QUICK)).close();
    receiver = await startOtlpReceiver();
    const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, TAPEPROOF_TRACE_ONE_IN: String(ONE_IN) };
    for (const words of [
      ['engine', 'run'],
      ['projector', 'run', 'postgres-history'],
    ]) {
      started.push(new ObservedProcess(connections, words, collector));
    }
    const ingest = ['ingest', 'file', TRADES_FILE, '--accept-late'];
    const { exitCode, stderr } = await runCommand(ingest, { ...environmentOf(connections), ...collector });
    expect(stderr).not.toContain('spans');
    expect(exitCode).toBe(0);
    tape = await recordsOf(TAPE_TOPIC);
    const projector = started[1];
    await until('the tape and the decisions are stored', async () => {
      const decisions = (await recordsOf(DECISIONS)).length;
      const read = await projector?.metric('tapeproof_projector_records_total', { topic: DECISIONS });
      return decisions > 0 && read === decisions && (await started[0]?.metric('tapeproof_consumer_lag_records')) === 0;
    });
    // What waits for the collector is sent at the end.
    for (const process of started) await process.stop();
  });
  afterAll(async () => {
    for (const process of started) if (process.isAlive) await process.kill();
    await Promise.all([receiver.close(), reader.close()]);
  });

  async function recordsOf(topic: TopicName): Promise<LogRecord[]> {
    const all: LogRecord[] = [];
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const to = await reader.endOffset(topic, partition);
      for await (const records of reader.read({ topic, partition, from: 0, to })) all.push(...records);
    }
    return all;
  }

  const spanNamed = (name: string, of: (span: ReceivedSpan) => boolean): ReceivedSpan[] =>
    receiver.spans.filter((span) => span.name === name && of(span));

  it('begins at the sampled trades, which their bytes alone decide, and at no others', () => {
    const trades = tape.filter(({ key }) => key !== null);
    expect(trades.length).toBeGreaterThan(1_400);
    const traced = trades.filter(({ headers }) => 'traceparent' in headers);
    expect(traced.length).toBeGreaterThan(30);
    expect(traced.length).toBeLessThan(150);
    for (const { value, headers } of trades) {
      expect(traceContextOf(headers)).toEqual(traceOfTrade(bodyOf(value ?? Buffer.alloc(0)), ONE_IN));
    }
  });

  it('is continued by every event that a traced trade caused, and by no other', async () => {
    const contexts = new Map(tape.map(({ partition, offset, headers }) => [`${partition} ${offset}`, headers]));
    let continued = 0;
    for (const [type, topic] of Object.entries(TOPIC_OF_DERIVED)) {
      for (const { value, headers } of await recordsOf(topic)) {
        const { tape: cause } = decodeBody(type as DerivedName, bodyOf(value ?? Buffer.alloc(0)));
        const context = traceContextOf(contexts.get(`${cause.partition} ${cause.offset}`) ?? {});
        expect(traceContextOf(headers)).toEqual(context === undefined ? undefined : derivationOf(context));
        if (context !== undefined) continued += 1;
      }
    }
    expect(continued).toBeGreaterThan(10);
  });

  it('follows a trade from the file through the engine to its decision in Postgres', async () => {
    const decision = (await recordsOf(DECISIONS)).find(({ headers }) => 'traceparent' in headers);
    const context = traceContextOf(decision?.headers ?? {});
    const event: ProbabilityDecision = decodeBody('ProbabilityDecision', bodyOf(decision?.value ?? Buffer.alloc(0)));
    const pool = createPool(connections.postgresUrl, 'test');
    const { rowCount } = await pool.query('SELECT FROM tapeproof.decisions WHERE event_id = $1', [event.eventId]);
    await pool.end();
    expect(rowCount).toBe(1);
    const inTrace = ({ traceId }: ReceivedSpan): boolean => traceId === context?.traceId;

    const [sent] = spanNamed('send raw.trades', inTrace);
    expect(sent).toMatchObject({ service: 'ingest', kind: 4 });
    expect(sent?.attributes['tapeproof.instrument']).toBe(event.instrument);
    const [derived] = spanNamed('process raw.trades', (span) => inTrace(span) && span.service === 'engine');
    expect(derived).toMatchObject({ parentSpanId: sent?.spanId, spanId: context?.spanId, kind: 5 });
    expect(derived?.attributes['messaging.kafka.offset']).toBe(event.tape.offset);
    const [stored] = spanNamed(`process ${DECISIONS}`, inTrace);
    expect(stored).toMatchObject({ service: 'postgres-history', parentSpanId: derived?.spanId });
    expect(stored?.attributes['messaging.kafka.offset']).toBe(decision?.offset);

    // A batch has many causes, and so no parent.
    for (const [name, cause, member] of [
      ['process batch raw.trades', sent, derived],
      [`process batch ${DECISIONS}`, derived, stored],
    ] as const) {
      const [batch] = spanNamed(name, ({ spanId }) => member?.links.some((link) => link.spanId === spanId) === true);
      expect(batch?.parentSpanId ?? '').toBe('');
      expect(batch?.traceId).not.toBe(context?.traceId);
      expect(batch?.links.map(({ spanId }) => spanId)).toContain(cause?.spanId);
    }
  });
});
