import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyOf, decodeBody, encodeBody } from '../contracts/codec.ts';
import type { RecordName } from '../contracts/generated/events.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEFAULT_PARTITIONS, DERIVED_TOPICS, TAPE_TOPIC, type TopicName } from '../contracts/topics.ts';
import { signalAt } from '../evaluators/fixtures/tape-contents.ts';
import { engineGroup } from '../evaluators/main.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createRecordProducer, type RecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createLog } from '../platform/log.ts';
import { LOG_EVENTS, type LogAction, type LogSource, type Service } from '../platform/log-events.ts';
import { LOG_EVENT_FIELDS } from '../platform/log-event-fields.ts';
import { BASE_FIELDS } from '../platform/log-field-catalogue.ts';
import { metricsOf } from '../platform/metrics/metrics.ts';
import { mappings } from '../observability/index-template.ts';
import { connectRedis, type Redis } from '../platform/redis.ts';
import type { AuditReport } from '../proofs/audit.ts';
import { stopService, type SERVICE_NAMES } from '../stack/main.ts';
import { ENGINE, sumOf, World } from './faults/world.ts';
import { environmentOf, runCommand } from './support/command.ts';
import { mappingFaults } from './support/mapping-check.ts';
import { ObservedProcess } from './support/observed-process.ts';
import { hasPromtool, promtool, PROMTOOL_NOTE } from './support/promtool.ts';
import { SEEDED_INSTRUMENTS } from './support/seeded-tape.ts';
import { redisAdministratorUrl, stackConnections, stackOptions, startAgain } from './support/stack.ts';
import { until } from './support/until.ts';

const HISTORY = 'postgres-history';
const LATEST = 'redis-latest';
/** Longer than the forecasts' horizon, market time, and more than an anchor's interval in the fullest partition. */
const TRADES = 14_000;
const MORE_TRADES = 700;
const DECISIONS: TopicName = 'probability.decisions';
const [INSTRUMENT = '', OTHER_INSTRUMENT = ''] = SEEDED_INSTRUMENTS;
const PARTITION = partitionOf(INSTRUMENT, DEFAULT_PARTITIONS);

/**
 * Kinds whose cause takes minutes (the client gives up) or the luck of a moment: consumer-telemetry.unit.spec.ts; and
 * kinds that need another registry, another Redis or lost outputs: each has a separate test.
 */
const TOLD_ELSEWHERE: readonly LogAction[] = [
  ...(['consumer-crashed', 'commit-failed', 'output-lost'] as const),
  ...(['registry-changed', 'registry-agrees', 'eviction-on', 'eviction-off'] as const),
  // See platform/tracing.
  'spans-lost',
  // Forgeries are tried in forged-log.long.spec.ts, the oracle in projectors/oracle-check.
  ...(['anchor-rejected', 'foreign-event', 'root-differs', 'oracle-divergence'] as const),
  // A store without what a comparison needs, and anchors before their events: projectors/root-watch.
  ...(['root-awaited', 'roots-not-compared'] as const),
];
/**
 * A Redis that evicts keys is set up in another test, forgeries are in forged-log.long.spec.ts, and the engine that
 * is behind here stands before an activation, which has no market time: the projector's lag moves in the outage of Redis.
 */
const MOVED_ELSEWHERE: readonly string[] = [
  'tapeproof_projector_sink_evicts',
  'tapeproof_projector_roots_differing',
  'tapeproof_consumer_lag_market_seconds',
];
/** Counters that begin with what they count: see TOLD_ELSEWHERE. */
const COUNTED_ELSEWHERE: readonly string[] = [
  'tapeproof_trace_spans_total',
  'tapeproof_engine_anchors_rejected_total',
  'tapeproof_engine_foreign_events_total',
  'tapeproof_oracle_checked_total',
  'tapeproof_oracle_divergences_total',
];

const connections = stackConnections();
const kafka = createKafka(connections.kafkaBrokers, 'test-observability', createLog('test', 'silent'));
const started: ObservedProcess[] = [];
let world: World;
let producer: RecordProducer;
let redis: Redis;
let trades = 0;
let engine: ObservedProcess;
let history: ObservedProcess;
let latest: ObservedProcess;

function start(...words: string[]): ObservedProcess {
  const process = new ObservedProcess(connections, words);
  started.push(process);
  return process;
}

async function trade(count: number): Promise<void> {
  await world.trade(trades, count);
  trades += count;
}

async function untilRead(...names: string[]): Promise<void> {
  await world.untilEngineCaughtUp();
  for (const name of names) {
    await until(`${name} has read`, async () => (await world.lagOf(name, world.topicsOf(name))) === 0);
  }
}

async function send(topic: TopicName, type: RecordName, partition: number, body: Buffer): Promise<void> {
  await producer.send([{ topic, type, partition, key: null, body, timestampUs: 1_742_943_600_000_000 }]);
}

async function lastOf<Type extends 'ProbabilityDecision' | 'EngineActivated' | 'Trade'>(
  topic: TopicName,
  type: Type,
  partition: number,
) {
  const records = (await world.recordsOf(topic)).filter((record) => record.partition === partition);
  const events = records.flatMap(({ value }) => {
    try {
      return [decodeBody(type, bodyOf(value ?? Buffer.alloc(0)))];
    } catch {
      return [];
    }
  });
  const last = events.at(-1);
  if (last === undefined) throw new Error(`there is no ${type} in partition ${partition} of ${topic}`);
  return last;
}

/** The last trade of the partition, once more: the engine sets it aside and reports it. */
async function tradeAgain(): Promise<void> {
  await send(TAPE_TOPIC, 'Trade', PARTITION, encodeBody('Trade', await lastOf(TAPE_TOPIC, 'Trade', PARTITION)));
}

/** A signal, twice: the engine sets the second one aside and reports it. */
async function signalTwice(): Promise<void> {
  const { eventTime } = await lastOf(TAPE_TOPIC, 'Trade', PARTITION);
  const body = encodeBody('ContextSignal', signalAt(eventTime));
  for (let time = 0; time < 2; time += 1) await send(TAPE_TOPIC, 'ContextSignal', PARTITION, body);
}

async function tombstone(...partitions: readonly number[]): Promise<void> {
  const raw = kafka.producer({
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
  });
  await raw.connect();
  await raw.send({
    topic: DECISIONS,
    messages: partitions.map((partition) => ({ partition, key: null, value: null })),
  });
  await raw.disconnect();
}

/** Stops a service and starts it again, and checks that the process reports both. */
async function breakAndMend(
  name: (typeof SERVICE_NAMES)[number],
  process: ObservedProcess,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const dependency = name;
  const from = process.lines.length;
  await until(`${name} is up`, async () => (await process.metric('tapeproof_dependency_up', { dependency })) === 1);
  await stopService(stackOptions(), name);
  try {
    await process.line(`${dependency}-down`, {}, from);
    expect(await process.metric('tapeproof_dependency_up', { dependency })).toBe(0);
    const ready = await process.ask('/ready');
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ status: 'failing', checks: { [dependency]: { ok: false } } });
    expect((await process.ask('/health')).status).toBe(200);
    await meanwhile();
  } finally {
    await startAgain(name);
  }
  await process.line(`${dependency}-up`, {}, from);
  await until(`the process is ready again after ${name}`, () => process.isReady());
  expect(await process.metric('tapeproof_dependency_up', { dependency })).toBe(1);
  // Reported at each change, and where it is down for another reason, not at each attempt.
  const lines = process.lines.slice(from);
  const reasons = lines
    .filter((line) => line['event.action'] === `${dependency}-down`)
    .map((line) => line['event.reason']);
  expect(reasons.every((reason, index) => reason !== reasons[index - 1])).toBe(true);
  expect(lines.filter((line) => line['event.action'] === `${dependency}-up`)).toHaveLength(1);
}

beforeAll(async () => {
  world = new World(connections, `${stackOptions().folder}/../test-logs-observability`);
  await world.connect();
  await world.reset(false);
  producer = createRecordProducer(kafka, createRegistry(connections.registryUrl));
  redis = await connectRedis(redisAdministratorUrl(), 'test');
  await world.activate();
  await trade(TRADES);
  await tradeAgain();
  await signalTwice();
  engine = start('engine', 'run');
  history = start('projector', 'run', HISTORY);
  latest = start('projector', 'run', LATEST);
  await untilRead(HISTORY, LATEST);
});
afterAll(async () => {
  for (const process of started) if (process.isAlive) await process.kill();
  redis.disconnect();
  await producer.disconnect();
  await world.close();
});

/** One story, in order: each test needs the results of the previous ones. */
describe('a derived event', () => {
  it('is logged after Kafka has it, with an identity that an audit finds and its place on the tape', async () => {
    for (const [action, kind] of [
      ['strategy-executed', 'result'],
      ['probability-emitted', 'decision'],
      ['outcome-evaluated', 'outcome'],
    ] as const) {
      const line = await engine.line(action);
      const { 'event.id': id, 'tapeproof.tape.partition': partition, 'tapeproof.tape.offset': offset } = line;
      expect(id).toMatch(new RegExp(`^${kind}-${String(partition)}-${String(offset)}-\\d+$`));
      expect(line).toMatchObject({ 'log.level': 'info', 'service.name': ENGINE, 'event.kind': 'event' });
      if (action !== 'strategy-executed') continue;
      const { exitCode, stdout, stderr } = await runCommand(
        ['audit', String(id), '--json'],
        environmentOf(connections),
      );
      expect(exitCode, stderr).toBe(0);
      const { results } = JSON.parse(stdout) as AuditReport;
      expect(results.map(({ event }) => [event.eventId, event.tape])).toContainEqual([id, { partition, offset }]);
    }
  });

  it('is counted as in the logs', async () => {
    for (const topic of DERIVED_TOPICS) {
      const produced = await engine.metric('tapeproof_producer_records_total', { topic });
      expect([topic, produced]).toEqual([topic, sumOf(await world.ends(topic))]);
    }
    expect(await engine.metric('tapeproof_consumer_records_total')).toBe(sumOf(await world.ends(TAPE_TOPIC)));
    // Read every few seconds.
    await until('the lag is seen to be none', async () => {
      return (await engine.metric('tapeproof_consumer_lag_records')) === 0;
    });
    expect(await engine.metric('tapeproof_consumer_lag_seconds')).toBe(0);
    expect(await engine.metric('tapeproof_engine_step_seconds_count')).toBeGreaterThan(TRADES / 256);
  });

  it('has hit ratios that follow from the outcomes', async () => {
    const samples = await engine.scrape();
    const of = (name: string, labels: object) =>
      samples.find((sample) => sample.name === name && JSON.stringify(sample.labels) === JSON.stringify(labels))?.value;
    const outcomes = sumOf(await world.ends('decision.outcomes'));
    expect(await engine.metric('tapeproof_engine_outcomes_total')).toBe(outcomes);
    expect(outcomes).toBeGreaterThan(100);
    for (const strategy of ['VWAP_REVERSION', 'DECISION']) {
      const hits = of('tapeproof_engine_outcomes_total', { strategy, verdict: 'HIT' }) ?? 0;
      const misses = of('tapeproof_engine_outcomes_total', { strategy, verdict: 'MISS' }) ?? 0;
      expect(of('tapeproof_engine_hit_ratio_outcomes', { strategy })).toBe(hits + misses);
      expect(of('tapeproof_engine_hit_ratio', { strategy })).toBeCloseTo(hits / (hits + misses), 12);
    }
  });

  it('is anchored, and the newest anchor has an age', async () => {
    const line = await engine.line('anchor-written');
    const anchors = await engine.metric('tapeproof_engine_anchors_total');
    expect(anchors).toBe(sumOf(await world.ends('engine.anchors')));
    const partition = String(line['tapeproof.tape.partition']);
    const end = (await world.ends(TAPE_TOPIC)).find(([, of]) => of === Number(partition))?.[2] ?? 0;
    const records = await engine.metric('tapeproof_engine_anchor_age_records', { partition });
    // After the activation, and every 2,000 records.
    expect((end - records) % 2_000).toBeLessThanOrEqual(1);
    const seconds = await engine.metric('tapeproof_engine_anchor_age_seconds', { partition });
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(120);
  });

  it('is sampled, and lines left out are counted', async () => {
    const left = await engine.metric('tapeproof_log_lines_suppressed_total', { action: 'strategy-executed' });
    const written = engine.find('strategy-executed').length;
    expect(left + written).toBe(sumOf(await world.ends('strategy.results')));
    expect(left).toBeGreaterThan(written);
    await trade(MORE_TRADES);
    await until('a line says so', () => engine.lines.some((line) => Number(line['tapeproof.suppressed']) > 0));
    await untilRead(HISTORY, LATEST);
  });
});

describe('an unusable record', () => {
  it('is logged and counted by its reader and reason', async () => {
    const poisoned = await world.poison();
    const line = await engine.line('dead-letter', { 'tapeproof.reader': ENGINE });
    const { 'tapeproof.tape.partition': partition, 'tapeproof.tape.offset': offset } = line;
    expect(line['event.id']).toBe(`dead-engine-${TAPE_TOPIC}-${String(partition)}-${String(offset)}`);
    expect(['UNDECODABLE', 'UNKNOWN_SCHEMA']).toContain(line['event.reason']);
    const count = (reason: string) => engine.metric('tapeproof_dead_letters_total', { reader: ENGINE, reason });
    await until(
      'all are counted',
      async () => (await count('UNDECODABLE')) + (await count('UNKNOWN_SCHEMA')) === poisoned,
    );
    expect(await count('UNKNOWN_SCHEMA')).toBe(poisoned / 3);
    await history.line('dead-letter', { 'tapeproof.reader': HISTORY });
    await latest.line('dead-letter', { 'tapeproof.reader': LATEST });
  });

  it('is passed over where a derived topic holds it', async () => {
    await tombstone(PARTITION);
    const line = await history.line('foreign-record');
    expect(line).toMatchObject({ 'tapeproof.topic': DECISIONS, 'tapeproof.partition': PARTITION });
    expect(await history.metric('tapeproof_foreign_records_total', { topic: DECISIONS })).toBe(1);
  });

  it('is a conflict where it contradicts a stored one', async () => {
    const before = await history.metric('tapeproof_projector_records_total', { fate: 'duplicate' });
    await world.repeatEvents();
    const last = await lastOf(DECISIONS, 'ProbabilityDecision', PARTITION);
    await send(
      DECISIONS,
      'ProbabilityDecision',
      PARTITION,
      encodeBody('ProbabilityDecision', { ...last, probability: 0.1 }),
    );
    const line = await history.line('conflict');
    expect(line).toMatchObject({
      'log.level': 'error',
      'tapeproof.topic': DECISIONS,
      'tapeproof.partition': PARTITION,
    });
    await untilRead(HISTORY, LATEST);
    expect(await history.metric('tapeproof_projector_conflicts_total')).toBe(1);
    expect(await history.metric('tapeproof_projector_records_total', { fate: 'conflict' })).toBe(1);
    expect(await history.metric('tapeproof_projector_records_total', { fate: 'duplicate' })).toBeGreaterThan(before);
  });

  it('leaves each ledger balanced', async () => {
    for (const [name, process] of [
      [HISTORY, history],
      [LATEST, latest],
    ] as const) {
      const read = await process.metric('tapeproof_projector_records_read_total', { projector: name });
      expect(await process.metric('tapeproof_projector_records_total', { projector: name })).toBe(read);
      expect(await process.metric('tapeproof_consumer_records_total')).toBeGreaterThanOrEqual(read);
      expect(await process.metric('tapeproof_projector_write_seconds_count')).toBeGreaterThan(0);
    }
  });
});

describe('a rebalance', () => {
  it('is logged by both sides: revoked here, assigned there, and back', async () => {
    const from = engine.lines.length;
    const second = start('engine', 'run');
    const standby = start('projector', 'run', LATEST);
    const assigned = await second.line('partitions-assigned');
    const revoked = await engine.line('partitions-revoked', {}, from);
    expect(assigned['tapeproof.partitions']).toBe(revoked['tapeproof.partitions']);
    await engine.line('partitions-assigned', {}, from);
    const group = engineGroup();
    expect(await engine.metric('tapeproof_consumer_assigned_partitions', { group })).toBe(DEFAULT_PARTITIONS / 2);
    expect(await engine.metric('tapeproof_consumer_rebalances_total', { group })).toBe(1);
    await second.line('consumer-joined', { 'tapeproof.group': group });
    await standby.line('partitions-assigned');
    await until('the projector logs it too', async () => {
      return (await latest.metric('tapeproof_consumer_rebalances_total')) === 1;
    });
    await standby.kill();
    // Started again, it does not wait for the member that was killed.
    const again = start('projector', 'run', LATEST);
    await again.line('dead-members-left');
    await again.line('partitions-assigned');
    expect(await again.stop()).toBe(0);

    expect(await second.stop()).toBe(0);
    for (const action of ['partitions-revoked', 'consumer-left', 'engine-stopped'] as const) {
      expect(second.find(action), action).toHaveLength(1);
    }
    await until('the first has all again', async () => {
      return (await engine.metric('tapeproof_consumer_assigned_partitions', { group })) === DEFAULT_PARTITIONS;
    });
    expect(await engine.metric('tapeproof_consumer_rebalances_total', { group })).toBe(2);
  });

  it('is recovered from, compared and committed', async () => {
    const from = engine.lines.length;
    await tombstone(...Array.from({ length: DEFAULT_PARTITIONS }, (_, partition) => partition));
    await trade(MORE_TRADES);
    await untilRead();
    await until('foreign records among the outputs are counted', async () => {
      return (await engine.metric('tapeproof_foreign_records_total')) > 0;
    });
    const recovered = await engine.line('recovered', {}, from);
    expect(recovered).toMatchObject({ 'log.level': 'info' });
    const committed = await engine.line('offsets-committed', { 'tapeproof.topic': TAPE_TOPIC }, from);
    const [, , end = 0] =
      (await world.committed(ENGINE, [TAPE_TOPIC])).find(([, of]) => of === committed['tapeproof.partition']) ?? [];
    expect(committed['tapeproof.next_offset']).toBeLessThanOrEqual(end);
    expect(await engine.metric('tapeproof_engine_recoveries_total')).toBeGreaterThan(DEFAULT_PARTITIONS / 2);
    expect(await engine.metric('tapeproof_engine_events_compared_total')).toBeGreaterThan(0);
  });
});

describe('an outage is logged once, at its beginning and at its end', () => {
  it('of Redis', async () => {
    await breakAndMend('redis', latest, async () => {
      await trade(MORE_TRADES);
      await latest.line('partition-paused');
      await until('lag shows', async () => (await latest.metric('tapeproof_consumer_lag_records')) > 0);
      expect(await latest.metric('tapeproof_consumer_lag_seconds')).toBeGreaterThan(0);
      expect(await latest.metric('tapeproof_consumer_lag_market_seconds')).toBeGreaterThan(0);
      await latest.line('stalled');
      expect(await latest.metric('tapeproof_consumer_stalled')).toBeGreaterThan(0);
      expect(await history.isReady()).toBe(true);
    });
    await untilRead(LATEST);
    await latest.line('stall-ended');
    await until('lag is gone', async () => (await latest.metric('tapeproof_consumer_lag_records')) === 0);
  });

  it('of Postgres', async () => {
    await breakAndMend('postgres', history, () => Promise.resolve());
  });

  it('of the schema registry', async () => {
    await breakAndMend('registry', engine, () => Promise.resolve());
  });

  it('of Kafka', async () => {
    await breakAndMend('kafka', engine, async () => {
      await engine.line('kafka-client');
      const isLag = ({ name }: { readonly name: string }) => name.startsWith('tapeproof_consumer_lag_');
      await until('lag is unknown', async () => !(await engine.scrape()).some(isLag));
    });
    await trade(MORE_TRADES);
    await untilRead(HISTORY, LATEST);
  });
});

describe('a projector', () => {
  it('logs that a rebuild replaced it', async () => {
    const { exitCode, stderr } = await runCommand(
      ['projector', 'rebuild', LATEST, '--json'],
      environmentOf(connections),
    );
    expect(exitCode, stderr).toBe(0);
    await latest.line('generation-changed');
    await latest.line('projector-started', { 'tapeproof.generation': 2 });
  });

  it('logs that its store has another position', async () => {
    await until('it says so', async () => {
      await redis.flushall();
      await trade(7);
      await untilRead(LATEST);
      return latest.find('store-moved').length > 0;
    });
  });
});

describe('an engine', () => {
  it('reports that another version is in force, and its lag', async () => {
    const partition = partitionOf(OTHER_INSTRUMENT, DEFAULT_PARTITIONS);
    expect(partition).not.toBe(PARTITION);
    const activation = await lastOf(TAPE_TOPIC, 'EngineActivated', partition);
    const foreign = { ...activation, activationId: 'foreign', engineVersion: '99' };
    await send(TAPE_TOPIC, 'EngineActivated', partition, encodeBody('EngineActivated', foreign));
    await trade(MORE_TRADES);
    const line = await engine.line('hand-over-awaited');
    expect(line).toMatchObject({ 'tapeproof.tape.partition': partition, 'tapeproof.engine_version': '99' });
    const lag = { topic: TAPE_TOPIC, partition: String(partition) };
    await until('lag shows', async () => (await engine.metric('tapeproof_consumer_lag_records', lag)) > 0);
    expect(await engine.metric('tapeproof_consumer_lag_seconds', lag)).toBeGreaterThan(0);
    const check = { check: 'activation' };
    expect(await engine.metric('tapeproof_check_ready', check)).toBe(0);
    expect(await engine.metric('tapeproof_engine_hand_over_awaited')).toBe(1);
    await until('it is stalled', async () => (await engine.metric('tapeproof_consumer_stalled', lag)) === 1);
    await engine.line('engine-progress');
    expect(await engine.stop()).toBe(0);
  });

  it('reports a conflict, and ends', async () => {
    const last = await lastOf(DECISIONS, 'ProbabilityDecision', PARTITION);
    // The one altered above repeats a place; the greatest sequence is the engine's own.
    const forged = { ...last, sequence: last.sequence + 1, probability: 0.5 };
    await send(DECISIONS, 'ProbabilityDecision', PARTITION, encodeBody('ProbabilityDecision', forged));
    await trade(MORE_TRADES);
    const broken = start('engine', 'run');
    expect(await broken.ended()).toBe(1);
    expect(broken.find('conflict')[0]?.['message']).toContain(`${DECISIONS}-${PARTITION} holds another event`);
    expect(broken.find('consumer-stopped')[0]).toMatchObject({ 'error.code': 'CONFLICT' });
    expect(broken.otherLines).toHaveLength(1);
  });

  it('refuses a port in use, and an unknown log level', async () => {
    const port = new URL(String((await history.line('http-listening'))['url.full'])).port;
    const environment = environmentOf(connections);
    const taken = await runCommand(['engine', 'run', '--http-port', port], environment);
    expect([taken.exitCode, taken.stderr]).toEqual([
      3,
      expect.stringMatching(/^tapeproof: Port \d+ of .* in use: .*\n$/),
    ]);
    const loud = await runCommand(['engine', 'run'], { ...environment, TAPEPROOF_LOG_LEVEL: 'loud' });
    expect([loud.exitCode, loud.stderr]).toEqual([2, expect.stringMatching(/^tapeproof: TAPEPROOF_LOG_LEVEL .*\n$/)]);
  });
});

describe('everything that the catalogues list', () => {
  const of = (service: Service): ObservedProcess[] =>
    started.filter(({ words }) => words[0] === service && words[1] === 'run');

  it.each(['engine', 'projector'] as const)('is at its process, %s, and has moved', (service) => {
    for (const name of metricsOf(service)) {
      if (COUNTED_ELSEWHERE.includes(name)) continue;
      const greatest = of(service).map((process) => process.greatest.get(name));
      expect(
        greatest.some((value) => value !== undefined),
        `${name} is there`,
      ).toBe(true);
      if (MOVED_ELSEWHERE.includes(name)) continue;
      expect(Math.max(...greatest.map((value) => value ?? 0)), `${name} moved`).toBeGreaterThan(0);
    }
  });

  it.each(['engine', 'projector'] as const)('was logged by %s, in lines of JSON and nothing else', (service) => {
    const logged = new Set(of(service).flatMap(({ lines }) => lines.map((line) => line['event.action'])));
    const listed = Object.entries<{ at: readonly LogSource[] }>(LOG_EVENTS).filter(([, { at }]) =>
      at.includes(service),
    );
    // Both read through the same consumer: events that one of them met, the other logs alike.
    const anywhere = new Set(started.flatMap(({ lines }) => lines.map((line) => line['event.action'])));
    for (const [action, { at }] of listed) {
      if (TOLD_ELSEWHERE.includes(action as LogAction)) continue;
      expect((at.length === 1 ? logged : anywhere).has(action), action).toBe(true);
    }
    for (const process of of(service)) {
      if (process.exitCode !== 1) expect(process.otherLines, process.words.join(' ')).toEqual([]);
    }
  });

  it('was logged in fields of the catalogue, of the types that the index template takes', () => {
    for (const { lines } of started) {
      for (const line of lines) {
        expect(mappingFaults(mappings(), line), JSON.stringify(line)).toEqual([]);
        const action = line['event.action'] as LogAction | undefined;
        if (action === undefined) continue;
        const given: readonly string[] = LOG_EVENT_FIELDS[action];
        const others = Object.keys(line).filter((name) => !given.includes(name) && !(name in BASE_FIELDS));
        expect(others, action).toEqual([]);
      }
    }
  });

  it.skipIf(!hasPromtool)(`is exposed as promtool wants it${PROMTOOL_NOTE}`, () => {
    for (const { exposition } of [engine, history, latest]) {
      // Of the Prometheus client's own names, promtool has things to say: 3. It could not read it: 1.
      expect(promtool(['check', 'metrics'], exposition).exitCode).toBe(3);
      const ours = exposition.split('\n').filter((line) => /^(?:# \w+ )?tapeproof_/.test(line));
      expect(ours.length).toBeGreaterThan(100);
      expect(promtool(['check', 'metrics'], `${ours.join('\n')}\n`)).toEqual({ exitCode: 0, said: '' });
    }
  });

  it('ends in time', async () => {
    expect(await Promise.all([history.stop(), latest.stop()])).toEqual([0, 0]);
  });
});
