import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outcome } from '../contracts/generated/events.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { migratorUrlOf } from '../platform/connections.ts';
import { createLogReader, type LogReader } from '../platform/kafka/log-reader.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createLog } from '../platform/log.ts';
import { createPool, type Pool } from '../platform/postgres.ts';
import { projectorStatus, rebuildProjector } from '../projectors/main.ts';
import { EventLog } from '../proofs/event-log.ts';
import type { ScoreRow } from '../proofs/scoreboard/score-row.ts';
import { scoreboard } from '../proofs/scoreboard/scoreboard.ts';
import { ReliabilityBins } from '../proofs/scores/reliability-bins.ts';
import { environmentOf, runCommand } from './support/command.ts';
import { startProjector, type RunningProjector } from './support/running-projector.ts';
import { seedTape, type SeededTape } from './support/seeded-tape.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const PARTITIONS = 6;
const TOPIC = 'decision.outcomes';
/** Horizons so short that there are enough of them for every figure. */
const QUICK = parseConfiguration({ cadenceMs: 500, hitRules: [{ horizonMs: 2_000, graceMs: 1_000 }] });
const TRADES = 9_000;

type Stored = Readonly<Record<string, string>>;

describe('the scores in Postgres', () => {
  const connections = stackConnections();
  let tape: SeededTape;
  let pool: Pool;
  let reader: LogReader;
  let running: RunningProjector;
  const log = () => new EventLog(reader, createRegistry(connections.registryUrl));

  beforeAll(async () => {
    await resetStores();
    pool = createPool(migratorUrlOf(connections), 'test');
    reader = createLogReader(connections.kafkaBrokers);
    tape = await seedTape(connections, QUICK);
    running = startProjector('scores');
    // In several turns: what is stored is added to.
    for (let turn = 0; turn < 3; turn += 1) await tape.trade(TRADES / 3);
    await tape.quiet(3_600);
    await caughtUp();
  });
  afterAll(async () => {
    await running.stop().catch(() => undefined);
    await Promise.all([tape.close(), pool.end(), reader.close()]);
  });

  async function caughtUp(): Promise<void> {
    let records = 0;
    for (let partition = 0; partition < PARTITIONS; partition += 1) records += await reader.endOffset(TOPIC, partition);
    await until(`scores has read ${records} records`, async () => {
      const status = await projectorStatus('scores', connections);
      return status?.positions.reduce((sum, { nextOffset }) => sum + nextOffset, 0) === records;
    });
  }

  async function storedScores(): Promise<readonly Stored[]> {
    const { rows } = await pool.query<Stored>('SELECT * FROM tapeproof.scores ORDER BY instrument, forecast');
    return rows;
  }

  const rowOf = (rows: readonly ScoreRow[], stored: Stored) =>
    rows.find(({ instrument, forecast }) => instrument === stored['instrument'] && forecast === stored['forecast']);

  it('are what the scoreboard makes of the log', async () => {
    const { rows, events } = await scoreboard(log(), PARTITIONS);
    const stored = await storedScores();
    expect(stored).toHaveLength(rows.length);
    expect(rows.reduce((sum, { n, voids }) => sum + n + voids, 0)).toBe(events[TOPIC]);
    expect(rows.filter(({ hitRate }) => hitRate !== null).length).toBeGreaterThan(5);
    for (const line of stored) {
      const row = rowOf(rows, line)!;
      const { hitRule, configHash, engineVersion } = row;
      expect([line['hit_rule_kind'], line['horizon_ms'], line['config_hash'], line['engine_version']]).toEqual([
        ...[hitRule.kind, String(hitRule.horizonMs), configHash, engineVersion],
      ]);
      expect(['hits', 'misses', 'voids', 'n'].map((name) => Number(line[name]))).toEqual([
        ...[row.hits, row.misses, row.voids, row.n],
      ]);
      const figures = {
        effective_n: row.effectiveN,
        hit_rate: row.hitRate,
        mean_published: row.meanPublished,
        reference_rate: row.referenceRate,
        brier_published: row.brierPublished,
        brier_reference: row.brierReference,
        skill_against_reference: row.skillAgainstReference,
        regret: row.regret?.regret ?? null,
      };
      // What the scoreboard shows, the sums give; and they are not rounded on the way.
      for (const [name, figure] of Object.entries(figures)) {
        if (figure !== null) expect(Number(line[name]), name).toBeCloseTo(figure, 9);
      }
      if (row.logScore !== null) {
        expect(100 * (1 - Number(line['log_loss_published']) / Math.LN2)).toBeCloseTo(row.logScore, 5);
      }
    }
  });

  it('have bins, directions and levels that add up to them', async () => {
    const bins = new Map<string, ReliabilityBins>();
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      for await (const { event } of log().sequenced(TOPIC, partition)) {
        const { instrument, strategy, verdict, probability, overlapWeight } = event as Outcome;
        if (verdict === 'VOID') continue;
        const key = `${instrument} ${strategy ?? 'DECISION'}`;
        const of = bins.get(key) ?? new ReliabilityBins(10);
        bins.set(key, of);
        of.observe({ probability, isHit: verdict === 'HIT', weight: overlapWeight ?? 0 });
      }
    }
    const { rows: stored } = await pool.query<Stored>(
      `SELECT instrument || ' ' || forecast AS key, bin, sum(n) AS n, sum(weight) AS weight,
              sum(hit_weight) AS hit_weight, sum(published_sum) AS published_sum
         FROM tapeproof.score_bins GROUP BY 1, 2`,
    );
    for (const line of stored) {
      const bin = bins
        .get(line['key'] ?? '')!
        .rows()
        .find(({ low }) => low === Number(line['bin']) / 10);
      if (bin === undefined) {
        expect(Number(line['weight'])).toBe(0);
        continue;
      }
      expect(Number(line['n'])).toBe(bin.n);
      expect(Number(line['weight'])).toBeCloseTo(bin.effectiveN, 9);
      expect(Number(line['hit_weight'])).toBeCloseTo(bin.hitRate * bin.effectiveN, 9);
      expect(Number(line['published_sum'])).toBeCloseTo(bin.meanProbability * bin.effectiveN, 9);
    }
    const { rows: split } = await pool.query<Stored>(
      'SELECT count(DISTINCT direction) AS directions, count(DISTINCT level) AS levels FROM tapeproof.score_sums',
    );
    expect(Number(split[0]?.['directions'])).toBe(2);
    expect(Number(split[0]?.['levels'])).toBeGreaterThan(1);
  });

  it('are drawn by the command, a panel for each group with enough outcomes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tapeproof-plot-'));
    try {
      const plot = join(folder, 'reliability.svg');
      const environment = environmentOf(connections);
      const drawn = await runCommand(['scoreboard', '--plot', plot, '--details'], environment);
      expect(drawn.exitCode, drawn.stderr).toBe(0);
      expect(drawn.stdout).toMatch(/VWAP_REVERSION +\d+\.\d % +\d+\.\d to \d+\.\d/);
      const { rows } = await scoreboard(log(), PARTITIONS);
      const svg = await readFile(plot, 'utf8');
      expect(svg.match(/<polyline/g)).toHaveLength(rows.filter(({ reliability }) => reliability !== null).length);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('are, rebuilt from the log, the same to the last digit', async () => {
    const before = await storedScores();
    await running.stop();
    const report = await rebuildProjector({
      ...{ name: 'scores', connections, log: createLog('test', 'silent'), approveDifference: false },
      signal: new AbortController().signal,
    });
    expect(report.comparison).toBe('equal');
    expect(await storedScores()).toEqual(before);
  });
});
