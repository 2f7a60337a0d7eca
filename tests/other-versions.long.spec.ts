import { execFile, execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEFAULT_PARTITIONS, TAPE_TOPIC } from '../contracts/topics.ts';
import { ENGINE_VERSION } from '../evaluators/configuration.ts';
import { engineGroup } from '../evaluators/main.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { createLog } from '../platform/log.ts';
import type { CertifyReport } from '../proofs/certify/certify-text.ts';
import { syntheticCapture } from './exchange/captures.ts';
import { openScene } from './exchange/live-run.ts';
import { environmentOf, type CommandResult } from './support/command.ts';
import { ObservedProcess } from './support/observed-process.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const INSTRUMENT = 'BTC-USDT@binance';
const PARTITION = partitionOf(INSTRUMENT, DEFAULT_PARTITIONS);
const NEXT_VERSION = String(Number(ENGINE_VERSION) + 1);
/** More than are published before the test ends the market. */
const MARKET = syntheticCapture(60_000).slice(0, 1);
const TRADES_PER_SECOND = 200;
/** Of each engine version, at least: more than an anchor's interval. */
const PART = 400;
const ANCHOR_INTERVAL_RECORDS = 300;
const TEST_TIMEOUT_MS = 480_000;

/** A throw-away clone, in which this build is one commit and a build of the next engine version another. In order. */
describe('an upgrade to another engine version', () => {
  const connections = stackConnections();
  const kafka = createKafka(connections.kafkaBrokers, 'test-other-versions', createLog('test', 'silent'));
  let folder: string;
  let clone: string;
  let commit: string;
  let tapeEnd: number;

  const git = (...words: string[]): string =>
    execFileSync('git', ['-C', clone, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words], {
      encoding: 'utf8',
    }).trim();
  const environment = { ...process.env, ...environmentOf(connections), TAPEPROOF_ALLOW_DIRTY: '' };
  const inClone = (...words: string[]): Promise<CommandResult> =>
    new Promise((resolve) => {
      const options = { env: environment, maxBuffer: 64 * 1_024 * 1_024 };
      const child = execFile(
        process.execPath,
        [join(clone, 'bin/tapeproof.js'), ...words],
        options,
        (_, stdout, stderr) => {
          resolve({ exitCode: child.exitCode ?? -1, stdout, stderr });
        },
      );
    });
  const file = (name: string): string => join(folder, name);
  const engines: ObservedProcess[] = [];
  const startEngine = (build: string): ObservedProcess => {
    const engine = new ObservedProcess(connections, ['engine', 'run'], {}, build);
    engines.push(engine);
    return engine;
  };
  const bumpVersion = (): void => {
    const constants = join(clone, 'evaluators/configuration.ts');
    const text = readFileSync(constants, 'utf8');
    const [is, becomes] = [ENGINE_VERSION, NEXT_VERSION].map((version) => `ENGINE_VERSION = '${version}'`);
    writeFileSync(constants, text.replace(is!, becomes!));
    git('commit', '--quiet', '--all', '--message', 'next version');
  };

  const activate = async (): Promise<void> => {
    const configuration = { anchorIntervalRecords: ANCHOR_INTERVAL_RECORDS, hitRule: { horizonMs: 2_000 } };
    await writeFile(file('engine.json'), JSON.stringify(configuration));
    const { exitCode, stderr } = await inClone('activate', '--config', file('engine.json'), '--reason', 'test');
    expect(exitCode, stderr).toBe(0);
  };

  beforeAll(async () => {
    await resetStores(connections);
    folder = realpathSync(await mkdtemp(join(tmpdir(), 'tapeproof-other-versions-')));
    clone = file('clone');
    execFileSync('git', ['clone', '--quiet', REPOSITORY, clone]);
    // The code under test, also where it is not committed yet.
    const changed = execFileSync('git', ['-C', REPOSITORY, 'ls-files', '-mo', '--exclude-standard'], {
      encoding: 'utf8',
    });
    for (const name of changed.split('\n').filter((line) => line !== '' && !line.startsWith('node_modules'))) {
      mkdirSync(dirname(join(clone, name)), { recursive: true });
      cpSync(join(REPOSITORY, name), join(clone, name));
    }
    appendFileSync(join(clone, '.git/info/exclude'), 'node_modules\n');
    symlinkSync(realpathSync(join(REPOSITORY, 'node_modules')), join(clone, 'node_modules'));
    git('add', '--all');
    git('commit', '--quiet', '--allow-empty', '--message', 'this version');
    commit = git('rev-parse', 'HEAD');
  });
  afterAll(async () => {
    for (const engine of engines) if (engine.isAlive) await engine.kill();
    await rm(folder, { recursive: true });
  });

  it(
    'loses and doubles nothing while trades come: new engines wait beside the old ones until they are in force',
    { timeout: TEST_TIMEOUT_MS },
    async () => {
      const scene = await openScene(connections, { markets: MARKET, tradesPerSecond: TRADES_PER_SECOND });
      const trades = (): number => scene.witness.count(INSTRUMENT);
      try {
        const former = startEngine(REPOSITORY);
        await activate();
        const market = scene.start();
        await until('the engine is ready', () => former.isReady());
        await scene.untilTrades(PART);

        bumpVersion();
        const next = startEngine(clone);
        await next.line('hand-over-awaited', { 'tapeproof.engine_version': ENGINE_VERSION });
        const waiting = await next.ask('/ready');
        expect([waiting.status, await waiting.text()]).toEqual([
          503,
          expect.stringContaining(`engine version ${ENGINE_VERSION} is in force, and this is ${NEXT_VERSION}`),
        ]);
        expect(await former.isReady()).toBe(true);

        const before = trades();
        await activate();
        await until('the new engine has all partitions', () => next.isReady());
        expect((await former.ask('/ready')).status).toBe(503);
        expect(await former.stop()).toBe(0);
        await scene.untilTrades(before + 2 * PART);
        await market.stop();
        await until('the new engine has read the tape', async () => {
          const { lag, committed } = await groupLag(kafka, engineGroup(NEXT_VERSION), [TAPE_TOPIC]);
          return lag === 0 && committed > 0;
        });
        expect(await next.stop()).toBe(0);

        await scene.witness.catchUp();
        const ids = scene.witness.trades(INSTRUMENT).map(({ tradeId }) => Number(tradeId));
        expect(ids).toEqual(ids.map((_, index) => ids[0]! + index));
      } finally {
        await scene.close();
      }
    },
  );

  it('is certified: the build of the former commit derives its part, and both certificates verify together', async () => {
    const words = ['certify', '--partition', String(PARTITION), '--to', 'anchor', '--json'];
    const listed = await inClone(...words);
    expect(listed.exitCode).toBe(1);
    const { verdict, notDerived } = JSON.parse(listed.stdout) as CertifyReport;
    expect(verdict).toBe('PARTLY DERIVED');
    expect(notDerived).toMatchObject([{ partition: PARTITION, from: 0, gitCommit: commit }]);
    tapeEnd = notDerived[0]!.to;

    const { exitCode, stdout, stderr } = await inClone(...words, '--other-versions', 'run', '--out', file('own.json'));
    expect(exitCode, stdout + stderr).toBe(0);
    expect(stderr).toContain(
      `Commit ${commit.slice(0, 12)} derives partition ${PARTITION}, tape offsets 0 to ${tapeEnd}`,
    );
    const report = JSON.parse(stdout) as CertifyReport;
    expect(report).toMatchObject({ verdict: 'DERIVED', notDerived: [] });
    const [run] = report.otherVersions;
    expect(run).toMatchObject({ outcome: 'DERIVED', gitCommit: commit, from: 0, to: tapeEnd });
    expect(report.results[0]!.ranges[0]!.start).toMatchObject({ offset: tapeEnd, derivedBy: run!.statement });
    expect(git('worktree', 'list').split('\n')).toHaveLength(1);
    expect(readdirSync(join(clone, '.tapeproof/builds'))).toEqual([]);

    const together = await inClone('verify', run!.out!, file('own.json'), '--against-log');
    expect(together, together.stdout).toMatchObject({ exitCode: 0 });
    const alone = await inClone('verify', file('own.json'));
    expect(alone.exitCode).toBe(1);
    expect(alone.stdout).toContain(`NOT DERIVED by any of them: partition ${PARTITION}, tape offsets 0 to ${tapeEnd}`);
  });
});
