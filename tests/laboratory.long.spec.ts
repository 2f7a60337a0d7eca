import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBody, frame } from '../contracts/codec.ts';
import type { ResearchTrial } from '../contracts/generated/events.ts';
import { DERIVED_TOPICS, TRIALS_TOPIC, type TopicName } from '../contracts/topics.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { createRegistry } from '../platform/kafka/registry.ts';
import { createLog } from '../platform/log.ts';
import type { GridReport } from '../proofs/laboratory/grid-report.ts';
import type { TapeBacktestReport } from '../proofs/laboratory/tape-backtest.ts';
import type { WhatIfReport } from '../proofs/laboratory/what-if.ts';
import { ENGINE, World } from './faults/world.ts';
import { environmentOf, runCommand, startCommand, type CommandResult } from './support/command.ts';
import { SEEDED_INSTRUMENTS, tradeNumber } from './support/seeded-tape.ts';
import { stackConnections, stackOptions } from './support/stack.ts';

const TRADES = 5_000;
const HIT_RULE = 'hitRule: { horizonMs: 20000, graceMs: 5000 }\nanchorIntervalRecords: 500\n';
const [INSTRUMENT = ''] = SEEDED_INSTRUMENTS;
const SAMPLE = join(import.meta.dirname, '..', 'data', 'binance-sample', 'binance-spot-2025-03-25.jsonl.gz');

interface ListedTrials {
  readonly trials: readonly (ResearchTrial & { readonly tries: number })[];
  readonly passedOver: readonly unknown[];
}

/** In order: the later tests find the trials of the earlier ones on record. */
describe('the recorded tape as a laboratory', () => {
  const connections = stackConnections();
  const kafka = createKafka(connections.kafkaBrokers, 'test-laboratory', createLog('test', 'silent'));
  let world: World;
  let folder: string;
  const inFolder = (name: string) => join(folder, name);
  const run = (...words: string[]): Promise<CommandResult> => runCommand(words, environmentOf(connections), folder);
  const dataOf = async <Report>(...words: string[]): Promise<Report> => {
    const { exitCode, stdout, stderr } = await run(...words, '--json');
    expect(exitCode, stderr).toBe(0);
    return JSON.parse(stdout) as Report;
  };
  const trialsOnRecord = () => dataOf<ListedTrials>('trials');
  const lengthOf = async (topic: TopicName) => (await world.recordsOf(topic)).length;
  const derivedLength = async () => {
    let sum = 0;
    for (const topic of DERIVED_TOPICS) sum += await lengthOf(topic);
    return sum;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tapeproof-laboratory-'));
    await writeFile(inFolder('first.yaml'), HIT_RULE);
    await writeFile(inFolder('second.yaml'), `${HIT_RULE}cadenceMs: 2000\n`);
    await writeFile(inFolder('other.yaml'), `${HIT_RULE}strategies: { RANGE_BREAKOUT: { enabled: false } }\n`);
    // Another hit rule makes every decision that both sides made a changed one.
    await writeFile(
      inFolder('ruled.yaml'),
      'hitRule: { horizonMs: 10000, graceMs: 5000 }\nstrategies: { RANGE_BREAKOUT: { enabled: false } }\n',
    );
    world = new World(connections, `${stackOptions().folder}/../test-logs-laboratory`);
    await world.connect();
    await world.reset(false);
    const engine = world.start(ENGINE);
    for (const [part, configuration] of ['first.yaml', 'second.yaml'].entries()) {
      const { exitCode, stderr } = await run('activate', '--config', configuration);
      expect(exitCode, stderr).toBe(0);
      await world.trade(part * TRADES, TRADES);
    }
    await world.untilEngineCaughtUp();
    await engine.stop();
  });
  afterAll(async () => {
    await world.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('gives the recorded log byte for byte with the recorded configurations, which are no trial', async () => {
    const report = await dataOf<TapeBacktestReport>('backtest', '--tape', '--compare');
    const events = await derivedLength();
    expect(report.log).toEqual({
      ...{
        equal: events,
        differing: 0,
        missing: 0,
        extra: 0,
        notYetRecorded: 0,
        notDerived: 0,
        repeated: 0,
        first: null,
      },
    });
    expect(report).toMatchObject({ hypothetical: false, complete: true, configuration: null, trial: null });
    expect(events).toBeGreaterThan(2_000);
    const { stdout } = await run('backtest', '--tape', '--compare', '--instrument', INSTRUMENT);
    expect(stdout).toMatch(/^EQUAL: [\d,]+ events of the log have the bytes that the tape gives\.$/m);
    expect((await trialsOnRecord()).trials).toEqual([]);
  });

  it('compares another configuration with what was decided, explains it, and writes only the trial', async () => {
    const before = await derivedLength();
    const words = ['what-if', '--config', 'other.yaml', '--threshold', '0'];
    const report = await dataOf<WhatIfReport>(...words);
    expect(report).toMatchObject({ label: 'HYPOTHETICAL', hypothetical: true, complete: true });
    expect(report.changes.compared).toBe(report.changes.alike + sumOf(report.changes.changed));
    expect(report.changes.changed.new).toBeGreaterThan(0);
    expect(report.changes.paired.length).toBeGreaterThan(0);
    expect(report.configurationDifferences).toContainEqual({
      ...{ field: 'strategies.RANGE_BREAKOUT.enabled', recorded: 'true', hypothetical: 'false' },
    });
    expect(report.trial).toMatchObject({ notRecorded: null, deflated: { tries: 1 } });

    const { stdout } = await run(...words, '--csv');
    const [head, ...lines] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^label,kind,instrument,time,decision_id,/);
    expect(lines).toHaveLength(sumOf(report.changes.changed));
    expect(lines.every((line) => line.startsWith('HYPOTHETICAL,'))).toBe(true);
    expect((await run(...words)).stdout).toContain('HYPOTHETICAL against recorded');

    const { explained } = await dataOf<WhatIfReport>('what-if', '--config', 'ruled.yaml', '--explain', '2');
    expect(explained.map(({ kind }) => kind)).toEqual(['rule', 'rule']);
    for (const { decision, snapshot } of explained) {
      expect(snapshot).toEqual([]);
      const fields = decision.map(({ field }) => field);
      expect(fields).toEqual(expect.arrayContaining(['contributions.RANGE_BREAKOUT.weight', 'hitRule.horizonMs']));
    }

    expect(await derivedLength()).toBe(before);
    // One of the two configurations was tried three times: once by its identity.
    expect((await trialsOnRecord()).trials).toHaveLength(2);
    expect(await lengthOf(TRIALS_TOPIC)).toBe(4);
  });

  it('tries a grid in threads with the same results whatever their number, each point a trial', async () => {
    const grid = ['--grid', 'cadenceMs=1000,3000', '--grid', 'strategies.VWAP_REVERSION.weight=1,4'];
    const words = ['what-if', '--config', 'other.yaml', ...grid];
    const report = await dataOf<GridReport>(...words, '--workers', '2');
    expect(await dataOf<GridReport>(...words, '--workers', '1')).toEqual(report);
    expect(report).toMatchObject({ label: 'HYPOTHETICAL', points: 4, complete: true });
    const skills = report.rows.map(({ figures }) => figures.skill ?? Number.NEGATIVE_INFINITY);
    expect(skills).toEqual(skills.toSorted((left, right) => right - left));
    // One of the points is the configuration that was tried before.
    expect(report.rows.map(({ trial }) => trial.deflated?.tries)).toEqual([5, 5, 5, 5]);
    const { trials } = await trialsOnRecord();
    expect(trials.map(({ tries }) => tries)).toEqual(trials.map(() => 5));
    expect(trials.map(({ gridPoint }) => gridPoint)).toContainEqual({
      ...{ cadenceMs: '3000', 'strategies.VWAP_REVERSION.weight': '4' },
    });
    const scoreboard = await run('scoreboard');
    expect(scoreboard.stdout).toContain('6 configurations were tried on these data, this one included');
  });

  it('lists and counts the finished points of a grid that was stopped, and exits 130', async () => {
    const before = (await trialsOnRecord()).trials.length;
    const values = Array.from({ length: 60 }, (_, index) => 1_000 + index).join(',');
    const words = ['backtest', '--tape', '--config', 'other.yaml', '--grid', `cadenceMs=${values}`, '--json'];
    const child = startCommand(words, environmentOf(connections), folder);
    let stdout = '';
    let isAsked = false;
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => {
      if (!isAsked && chunk.toString().includes('25 %')) child.kill('SIGINT');
      isAsked ||= chunk.toString().includes('25 %');
    });
    const [exitCode] = (await once(child, 'close')) as [number];
    expect(exitCode).toBe(130);
    const { rows, complete } = JSON.parse(stdout) as GridReport;
    expect(complete).toBe(false);
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.length).toBeLessThan(60);
    expect((await trialsOnRecord()).trials).toHaveLength(before + rows.length);
  });

  it('passes foreign records among the trials over', async () => {
    const before = await trialsOnRecord();
    const id = await createRegistry(connections.registryUrl).idOf('raw.trades', 'Trade');
    const values = [null, Buffer.from('text'), frame(id, encodeBody('Trade', tradeNumber(0)))];
    const producer = kafka.producer({ createPartitioner: () => () => 0, allowAutoTopicCreation: false });
    await producer.connect();
    await producer.send({ topic: TRIALS_TOPIC, messages: values.map((value) => ({ key: null, value })) });
    await producer.disconnect();
    const after = await trialsOnRecord();
    expect(after.trials).toEqual(before.trials);
    expect(after.passedOver).toHaveLength(3);
    const { stdout } = await run('trials');
    expect(stdout).toContain('3 records are not events and were passed over');
    expect((await run('trials', '--csv')).stdout.trimEnd().split('\n')).toHaveLength(before.trials.length + 1);
  });

  it('counts backtests of files, too, unless no record was asked for', async () => {
    const before = (await trialsOnRecord()).trials.length;
    const words = ['backtest', '--trades', SAMPLE, '--config', 'other.yaml'];
    const unrecorded = await run(...words, '--no-record');
    expect(unrecorded.stdout).toContain('Not recorded: this trial is not counted (--no-record was given).');
    expect((await trialsOnRecord()).trials).toHaveLength(before);
    const recorded = await run(...words);
    expect(recorded.stdout).toMatch(/^Recorded as trial-[0-9a-f]{32}\.$/m);
    expect(recorded.stdout).toContain('No other configuration was tried on these data');
    expect((await trialsOnRecord()).trials).toHaveLength(before + 1);
  });

  it.each([
    [['backtest', '--tape', '--no-record'], 'Trials over the tape are always recorded'],
    [['backtest', '--tape', '--compare', '--config', 'other.yaml'], 'leave out --config and --grid with --compare'],
    [['backtest', '--tape', '--trades', SAMPLE], '--trades is for files'],
    [['what-if', '--config', 'other.yaml', '--instrument', 'BTC-USDT@binanc'], 'did you mean BTC-USDT@binance?'],
    [['what-if', '--config', 'other.yaml', '--grid', 'cadence=1'], 'With cadence=1: other.yaml: '],
  ])('exits 2 for %j, with one sentence', async (words, sentence) => {
    const { exitCode, stdout, stderr } = await run(...words);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain(sentence);
  });
});

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
