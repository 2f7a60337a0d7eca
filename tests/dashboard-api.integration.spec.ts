import { once } from 'node:events';
import { get } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { instrumentsEvent } from '../dashboard/contract/events.ts';
import { problem, type Problem } from '../dashboard/contract/problem.ts';
import { EVENTS_PATH, ROUTES, type RouteName, type RouteResponse } from '../dashboard/contract/routes.ts';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEFAULT_PARTITIONS } from '../contracts/topics.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createRecordProducer } from '../platform/kafka/producer.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createTapeDecoder } from '../platform/kafka/tape-decoder.ts';
import { createLog } from '../platform/log.ts';
import { createPool, createReaderPool, type Pool } from '../platform/postgres.ts';
import { noTelemetry } from '../platform/telemetry.ts';
import { listProjectors, projectorStatus, rebuildProjector } from '../projectors/main.ts';
import { PartitionPublisher } from '../proofs/checkpoints/publisher.adapter.ts';
import { EventLog } from '../proofs/event-log.ts';
import { scoreboard } from '../proofs/scoreboard/scoreboard.ts';
import { formatVerifierKey } from '../proofs/tlog/note-key.ts';
import { parseProof } from '../proofs/tlog/tlog-proof.ts';
import { stopService } from '../stack/main.ts';
import { chromiumPath, openBrowser } from './dashboard/browser.ts';
import { describeServedPage, openPage, type OpenPage } from './dashboard/page-suite.ts';
import { whileFrozen } from './support/frozen-service.ts';
import { ObservedProcess } from './support/observed-process.ts';
import { startEngine, type RunningEngine } from './support/running-engine.ts';
import { startProjector, type RunningProjector } from './support/running-projector.ts';
import { SEEDED_INSTRUMENTS, seedTape, type SeededTape } from './support/seeded-tape.ts';
import { LOG_KEY } from './support/signed-log.ts';
import { resetStores, stackConnections, stackEndpoints, stackOptions, startAgain } from './support/stack.ts';
import { until } from './support/until.ts';

/**
 * Horizons so short that there are enough of them for every figure, and one with too few. Equal weights: by their slopes all strategies fall
 * silent on a random walk, and every decision is NEUTRAL.
 */
const QUICK = parseConfiguration({
  cadenceMs: 500,
  hitRules: [
    { horizonMs: 2_000, graceMs: 1_000 },
    // Another rule of the same horizon: never counted together with the first.
    { kind: 'FIRST_TOUCH', horizonMs: 2_000, minMoveBps: 1, graceMs: 1_000 },
    { horizonMs: 120_000, graceMs: 1_000 },
  ],
  pooling: { weights: 'EQUAL' },
});
const TRADES = 12_000;
const PROJECTORS = ['redis-latest', 'postgres-history', 'scores'];
const [INSTRUMENT = ''] = SEEDED_INSTRUMENTS;
/** A stop with open streams must not take longer. */
const STOP_MS_MAX = 10_000;
/** The longest deadline of the routes that are tried, and some time beside it. */
const ANSWER_MS_MAX = 25_000;

/** The API over a log, in order; the last tests stop services. */
describe('the dashboard API', () => {
  const connections = stackConnections();
  const running: (RunningProjector | RunningEngine)[] = [];
  let tape: SeededTape;
  let pool: Pool;
  let dashboard: ObservedProcess;
  let base: string;

  beforeAll(async () => {
    await resetStores();
    pool = createPool(stackEndpoints().postgresReaderUrl, 'test');
    tape = await seedTape(connections, QUICK);
    await tape.trade(TRADES);
    await tape.quiet(3_600);
    // It derives the same again, and writes the anchors that a signature and a proof begin with.
    running.push(startEngine(), ...PROJECTORS.map(startProjector));
    dashboard = new ObservedProcess(
      connections,
      ['dashboard', '--port', '0', '--json', '--log-key', formatVerifierKey(LOG_KEY)],
      { TAPEPROOF_POSTGRES_READER_URL: stackEndpoints().postgresReaderUrl },
    );
    const { 'url.full': url } = await dashboard.line('dashboard-listening');
    base = String(url);
    await caughtUp();
  });
  afterAll(async () => {
    await dashboard.kill();
    await Promise.all(running.map((projector) => projector.stop().catch(() => undefined)));
    await Promise.all([tape.close(), pool.end()]);
  });

  async function caughtUp(): Promise<void> {
    const reader = createLogReader(connections.kafkaBrokers);
    for (const { name, topics } of listProjectors().filter((projector) => PROJECTORS.includes(projector.name))) {
      let records = 0;
      for (const topic of topics) {
        for (let partition = 0; partition < DEFAULT_PARTITIONS; partition += 1) {
          records += await reader.endOffset(topic, partition);
        }
      }
      await until(`${name} has read ${records} records`, async () => {
        const positions = (await projectorStatus(name, connections))?.positions ?? [];
        return positions.reduce((sum, { nextOffset }) => sum + nextOffset, 0) === records;
      });
    }
    await reader.close();
  }

  /** The answer of a route, which is what the contract says. */
  async function answer<Name extends RouteName>(name: Name, part = '', query = ''): Promise<RouteResponse<Name>> {
    const path = ROUTES[name].path.replace(/:[a-zA-Z]+/, encodeURIComponent(part));
    const response = await fetch(`${base}${path}${query}`);
    const body: unknown = await response.json();
    expect(response.status, JSON.stringify(body)).toBe(200);
    return ROUTES[name].response.parse(body) as RouteResponse<Name>;
  }

  async function refused(path: string): Promise<Problem> {
    const response = await fetch(`${base}${path}`);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    return problem.parse(await response.json());
  }

  it('has the latest state of every instrument, whatever its name', async () => {
    const { instruments, total } = await answer('instruments');
    expect(total).toBe(SEEDED_INSTRUMENTS.length);
    for (const { state, sparkline } of instruments) {
      const { instrument } = await answer('instrument', state.instrument);
      expect(instrument.state).toMatchObject({ instrument: state.instrument, price: state.price, isStale: true });
      expect(state.decision?.referenceRate).toBeGreaterThan(0);
      expect(state.decision?.rawProbability).toBeGreaterThan(0);
      expect(sparkline?.length).toBe(60);
      expect(sparkline?.at(-1)?.timeUs).toBeGreaterThan(sparkline?.[0]?.timeUs ?? 0);
    }
    expect(instruments.map(({ state }) => state.displayName)).toContain('币@binance');
    expect((await answer('instrument', '币@binance')).instrument.state.instrument).toBe('~E5~B8~81@binance');
  });

  it('has a series of at most so many snapshots, each the last of its span', async () => {
    const series = await answer('series', INSTRUMENT, '?limit=50');
    expect(series.points.length).toBeGreaterThan(5);
    expect(series.points.length).toBeLessThanOrEqual(50);
    const { rows } = await pool.query<{ id: string }>(
      `SELECT event_id AS id FROM tapeproof.indicator_snapshots WHERE instrument = $1 ORDER BY event_time DESC LIMIT 1`,
      [INSTRUMENT],
    );
    expect(series.points.at(-1)?.snapshotId).toBe(rows[0]?.id);
    const all = await answer('series', INSTRUMENT, `?limit=2000&fromUs=${series.points[0]?.timeUs}`);
    for (const { timeUs } of series.points.slice(1)) {
      const span = Math.floor((timeUs - (series.fromUs ?? 0)) / series.spanUs);
      const inSpan = all.points.filter(
        (point) => Math.floor((point.timeUs - (series.fromUs ?? 0)) / series.spanUs) === span,
      );
      expect(inSpan.at(-1)?.timeUs).toBe(timeUs);
    }
  });

  it('pages through all decisions, newest first, and filters them', async () => {
    const { rows } = await pool.query<{ id: string; direction: string }>(
      `SELECT event_id AS id, direction FROM tapeproof.decisions WHERE instrument = $1 ORDER BY event_time DESC, sequence DESC`,
      [INSTRUMENT],
    );
    const found: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: RouteResponse<'decisions'> = await answer(
        'decisions',
        INSTRUMENT,
        `?limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      found.push(...page.decisions.map(({ decisionId }) => decisionId));
      cursor = page.nextCursor;
    }
    expect(found).toEqual(rows.map(({ id }) => id));
    for (const status of ['HIT', 'MISS', 'VOID', 'PENDING', 'NONE'] as const) {
      const { decisions } = await answer('decisions', INSTRUMENT, `?limit=500&status=${status}`);
      expect(decisions.every((decision) => decision.status === status)).toBe(true);
      if (status === 'HIT' || status === 'MISS') expect(decisions.length).toBeGreaterThan(0);
    }
    const { decisions: shorts } = await answer('decisions', INSTRUMENT, '?limit=500&direction=SHORT');
    expect(shorts).toHaveLength(Math.min(500, rows.filter(({ direction }) => direction === 'SHORT').length));
  });

  it('adds the profile of the latest snapshot up from the tape', async () => {
    const profile = await answer('profile', INSTRUMENT);
    const sum = (profile.rows ?? []).reduce((total, { volume }) => total + volume, 0);
    expect(sum).toBeCloseTo(profile.sessionVolume, 6);
    const control = profile.rows?.find(({ isPointOfControl }) => isPointOfControl);
    expect(Number(control?.low)).toBeLessThanOrEqual(Number(profile.pointOfControl));
    expect(Number(control?.high)).toBeGreaterThan(Number(profile.pointOfControl));
  });

  it('has scores with intervals, diagrams and figures over time', async () => {
    const { rows } = await answer('scores');
    const row = rows.find(({ regret }) => regret !== null);
    const { instrument, ...group } = row!.group;
    const isRowOf = (other: { readonly group: typeof group }) => isDeepStrictEqual(other.group, row?.group);
    expect(row?.hitRateInterval?.low).toBeLessThan(row?.hitRate ?? 0);
    const { diagrams } = await answer('reliability', '', `?instrument=${encodeURIComponent(instrument)}`);
    const diagram = diagrams.find(isRowOf);
    expect(diagram).toMatchObject({ n: row?.n, withheld: [] });
    const few = rows.find(({ withheld }) => withheld.some(({ reason }) => reason === 'TOO_FEW'));
    expect(few).toMatchObject({ hitRate: null, skillAgainstReference: null });
    const ofOneHorizon = rows.filter(
      ({ group: other }) => other.instrument === instrument && other.horizonMs === group.horizonMs,
    );
    expect(new Set(ofOneHorizon.map(({ group: other }) => other.hitRuleKind)).size).toBe(2);
    const chosen = new URLSearchParams({ ...group, horizonMs: String(group.horizonMs) });
    const { spans, ...answered } = await answer('scoreSpans', instrument, `?limit=20&${chosen.toString()}`);
    expect(answered.group).toEqual(row?.group);
    expect(spans.reduce((sum, { n }) => sum + n, 0)).toBe(row?.n);
    // The sums of the outcomes give what the projector's sums give.
    expect(spans.at(-1)?.skillSoFar).toBeCloseTo(row?.skillAgainstReference ?? 0, 6);
    expect(spans.at(-1)?.regretSoFar).toBeCloseTo(row?.regret ?? 0, 6);
    const { rows: skills } = await answer('skill', instrument, `?configHash=${group.configHash}`);
    expect(skills.map(({ group: other }) => other)).toEqual(
      rows.filter((of) => of.group.instrument === instrument && of.hits + of.misses > 0).map((of) => of.group),
    );
    const skill = skills.find(isRowOf);
    expect(skill).toMatchObject({ n: row?.n, withheld: [] });
    expect(skill?.skillAgainstReference).toBeCloseTo(row?.skillAgainstReference ?? 0, 6);
    // The scoreboard of the log has the same interval but for the borders of its blocks.
    const reader = createLogReader(connections.kafkaBrokers);
    const log = new EventLog(reader, createRegistry(connections.registryUrl));
    const board = await scoreboard(log, DEFAULT_PARTITIONS);
    await reader.close();
    const published = board.rows.find(({ n, skillAgainstReference }) => {
      return n === row?.n && Math.abs((skillAgainstReference ?? 0) - (row.skillAgainstReference ?? 0)) < 1e-6;
    });
    const { low, high } = published!.skillAgainstReferenceInterval!;
    const width = (skill?.interval?.high ?? 0) - (skill?.interval?.low ?? 0);
    expect(width / (high - low)).toBeGreaterThan(0.6);
    expect(width / (high - low)).toBeLessThan(1.7);
  });

  it('audits a decision, derives it again, and proves it once it is signed', async () => {
    const { decisions } = await answer('decisions', INSTRUMENT, '?limit=1&status=HIT');
    const id = decisions[0]?.decisionId ?? '';
    const audited = await answer('audit', id);
    expect(audited).toMatchObject({ asked: id, allPassed: true, isVerified: false, outcome: { verdict: 'HIT' } });
    expect(await refused(`/api/v1/audit/${id}/proof`)).toMatchObject({ status: 404 });
    expect(await refused('/api/v1/audit/decision-0-999999999-0')).toMatchObject({ status: 404 });
    await sign(partitionOf(INSTRUMENT, DEFAULT_PARTITIONS));
    const proof = await fetch(`${base}/api/v1/audit/${id}/proof`);
    expect(proof.status).toBe(200);
    expect(parseProof(await proof.text()).index).toBe(audited.decision?.sequence);
    const verified = await answer('audit', id, '?verify=true');
    expect(verified).toMatchObject({ allPassed: true, isVerified: true });
    expect(verified.checks.some(({ name }) => name === 'derived again from the tape')).toBe(true);
    expect(verified.provenance.checkpointed?.signed.isVerified).toBe(true);
  });

  async function sign(partition: number): Promise<void> {
    const kafka = createKafka(connections.kafkaBrokers, 'test-sign', createLog('test', 'silent'));
    const registry = createRegistry(connections.registryUrl);
    const reader = createLogReader(connections.kafkaBrokers);
    const producer = createRecordProducer(kafka, registry);
    try {
      const publisher = new PartitionPublisher(
        {
          access: { reader, registry, decode: createTapeDecoder(registry) },
          ...{ producer, keys: [LOG_KEY], formerKeys: [], witnesses: [], telemetry: noTelemetry() },
          log: createLog('test', 'silent'),
          nowMs: () => Date.now(),
        },
        partition,
      );
      await until('the log is signed', async () => {
        const statuses = await publisher.round(new AbortController().signal);
        return statuses?.every(({ head }) => head !== undefined) === true;
      });
    } finally {
      await Promise.all([producer.disconnect(), reader.close()]);
    }
  }

  it('has the state of the pipeline, as a role that only reads', async () => {
    // A busy machine may need longer than a part's deadline.
    await until('every part is read', async () => (await answer('pipeline')).lag.value !== null);
    const { lag, groups, ledger, rebuilds, gaps, services, conflicts } = await answer('pipeline');
    expect(services.every(({ up }) => up)).toBe(true);
    expect(lag.missing).toBeNull();
    expect(lag.value?.some(({ group }) => group.includes('postgres-history'))).toBe(true);
    expect(ledger.value?.every((of) => of.read === of.applied + of.duplicate + of.ignored)).toBe(true);
    expect(rebuilds.value?.find(({ projector }) => projector === 'scores')?.building).toBeNull();
    expect(rebuilds.value?.map(({ projector }) => projector)).toContain('redis-latest');
    expect(groups.value?.find(({ group }) => group.includes('postgres-history'))).toMatchObject({
      ...{ state: 'Stable', members: 1 },
    });
    expect(gaps.value?.newest.length).toBeGreaterThan(0);
    expect(conflicts.value).toMatchObject({ scores: 0 });
    const { activations } = await answer('activations');
    expect(activations[0]?.missingIn).toEqual([]);
    expect(await answer('deadLetters')).toMatchObject({ deadLetters: [], total: 0 });
    expect(await answer('trials')).toMatchObject({ trials: [], total: 0 });
  });

  it.each(['scores', 'redis-latest'])(
    'shows how far a rebuild of %s has come, also one that was interrupted',
    async (name) => {
      const rebuildOf = async () =>
        (await answer('pipeline')).rebuilds.value?.find(({ projector }) => projector === name);
      const run = { name, connections, log: createLog('test', 'silent') };
      const interruption = new AbortController();
      const progress = (): void => {
        interruption.abort();
      };
      await expect(rebuildProjector({ ...run, signal: interruption.signal, progress })).rejects.toThrow('interrupted');
      await until('the rebuild is seen', async () => (await rebuildOf())?.building != null);
      const { liveGeneration, building } = (await rebuildOf())!;
      expect(building?.generation).toBeGreaterThan(liveGeneration);
      expect(building?.recordsDone).toBeGreaterThan(0);
      expect(building?.recordsDone).toBeLessThan(building?.recordsWanted ?? 0);
      const { generation } = await rebuildProjector({ ...run, signal: new AbortController().signal });
      await until('it is live', async () => (await rebuildOf())?.liveGeneration === generation);
      expect((await rebuildOf())?.building).toBeNull();
    },
  );

  it('cannot write, whatever the role may', async () => {
    const reading = createReaderPool(connections.postgresMigratorUrl ?? '', 'test-reading', 1_000);
    try {
      await expect(reading.query('CREATE TABLE tapeproof.written (a int)')).rejects.toMatchObject({ code: '25006' });
      await expect(reading.query('SELECT pg_sleep(5)')).rejects.toMatchObject({ code: '57014' });
    } finally {
      await reading.close();
    }
  });

  it('streams a change, and resumes where a viewer left', async () => {
    const first = await openStream();
    const [{ id, data }] = [await first.next()];
    expect(instrumentsEvent.parse(data)).toMatchObject({ isComplete: true });
    first.close();
    await tape.trade(SEEDED_INSTRUMENTS.length);
    const second = await openStream(id);
    const names = new Set<string>();
    while (names.size < SEEDED_INSTRUMENTS.length) {
      const event = await second.next();
      if (event.name !== 'instruments') continue;
      const { isComplete, instruments } = instrumentsEvent.parse(event.data);
      expect(isComplete).toBe(false);
      for (const { instrument } of instruments) names.add(instrument);
    }
    second.close();
  });

  interface Streamed {
    readonly id: string;
    readonly name: string;
    readonly data: unknown;
  }

  async function openStream(lastEventId?: string): Promise<{ next(): Promise<Streamed>; close(): void }> {
    const request = get(`${base}${EVENTS_PATH}`, {
      headers: { accept: 'text/event-stream', ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) },
    });
    const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }];
    expect(response.statusCode).toBe(200);
    const events = eventsIn(response);
    return {
      async next() {
        const next = await events.next();
        if (next.done === true) throw new Error('the stream ended');
        return next.value;
      },
      close: () => {
        request.destroy();
      },
    };
  }

  async function* eventsIn(response: AsyncIterable<Buffer>): AsyncGenerator<Streamed> {
    let text = '';
    for await (const chunk of response) {
      text += chunk.toString();
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      for (const part of parts) {
        const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1] ?? '';
        yield { id: field('id'), name: field('event'), data: JSON.parse(field('data')) as unknown };
      }
    }
  }

  describeServedPage('the page of this stack', () => Promise.resolve({ address: base, instrument: INSTRUMENT }));

  describe.skipIf(chromiumPath === undefined)('the page, as it is looked at', () => {
    let browser: Browser;
    let open: OpenPage;
    beforeAll(async () => {
      browser = await openBrowser();
      open = await openPage(browser, base);
    });
    afterAll(() => browser.close());

    it('shows a price that comes', async () => {
      await open.visit('/', INSTRUMENT);
      await open.page.getByText('Updating live').waitFor();
      const price = open.page.locator('tr', { hasText: INSTRUMENT }).locator('td[data-label="Price"]');
      const before = await price.innerText();
      await until('another price is shown', async () => {
        await tape.trade(SEEDED_INSTRUMENTS.length);
        return (await price.innerText()) !== before;
      });
      expect(open.complaints).toEqual([]);
    });

    it('says that Redis is down, and shows prices again when it is back', async () => {
      await stopService(stackOptions(), 'redis');
      try {
        await until('it is said', async () => {
          await open.page.goto(`${base}/`);
          return (await open.page.getByRole('alert').allInnerTexts()).join(' ').includes('Redis');
        });
      } finally {
        await startAgain('redis');
      }
      await open.page.getByText(INSTRUMENT).first().waitFor();
    });
  });

  it.each([
    ['redis', '/api/v1/instruments', '/api/v1/scores'],
    ['postgres', '/api/v1/scores', '/api/v1/instruments'],
    ['kafka', '/api/v1/dead-letters', '/api/v1/scores'],
  ] as const)('says that %s is down, and goes on with the rest', async (service, broken, whole) => {
    await stopService(stackOptions(), service);
    try {
      await until(`${broken} names ${service}`, async () => {
        const response = await fetch(`${base}${broken}`);
        return response.status === 503 && problem.parse(await response.json()).service === service;
      });
      expect((await fetch(`${base}${whole}`)).status).toBe(200);
      await until('/ready says it', async () => {
        const ready = await dashboard.ask('/ready');
        return ready.status === 503 && (await ready.text()).includes(service);
      });
      if (service === 'postgres') expect((await answer('instruments')).instruments[0]?.sparkline).toBeNull();
    } finally {
      await startAgain(service);
    }
    await until('it answers again', async () => (await fetch(`${base}${broken}`)).status === 200);
  });

  it.each([
    ['redis', '/api/v1/instruments', '/api/v1/scores'],
    ['postgres', '/api/v1/scores', EVENTS_PATH],
    ['kafka', '/api/v1/dead-letters', '/api/v1/scores'],
  ] as const)('waits no longer than its deadline for %s that hangs', async (service, broken, whole) => {
    await whileFrozen(service, async () => {
      await until(`${broken} is not answered`, async () => {
        const response = await fetch(`${base}${broken}`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
        return [503, 504].includes(response.status);
      });
      const response = await fetch(`${base}${whole}`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
      expect(response.status).toBe(200);
      await response.body?.cancel();
    });
    await until('it answers again', async () => (await fetch(`${base}${broken}`)).status === 200);
  });

  it('stops within ten seconds, with open streams and while Kafka hangs, and logs no error of its own', async () => {
    const stream = await openStream();
    await stream.next();
    await whileFrozen('kafka', async () => {
      void fetch(`${base}/api/v1/activations`).catch(() => undefined);
      const begun = performance.now();
      expect(await dashboard.stop()).toBe(0);
      const lastLines = JSON.stringify(dashboard.lines.slice(-5));
      expect(performance.now() - begun, lastLines).toBeLessThan(STOP_MS_MAX);
    });
    stream.close();
    expect(dashboard.otherLines).toEqual([]);
    const failed = dashboard.lines.filter((line) => line['http.response.status_code'] === 500);
    expect(failed.slice(0, 3).map((line) => line['error.message'])).toEqual([]);
  });
});
