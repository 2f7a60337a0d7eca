import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
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
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { engineGroup } from '../evaluators/main.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { createLog } from '../platform/log.ts';
import type { CertifyReport } from '../proofs/certify/certify-text.ts';
import { environmentOf, type CommandResult } from './support/command.ts';
import { startEngine } from './support/running-engine.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const PARTITION = partitionOf('BTC-USDT@binance', DEFAULT_PARTITIONS);
const NEXT_VERSION = String(Number(ENGINE_VERSION) + 1);
const PART = 700;

/** A throw-away clone, in which this build is one commit and a build of the next engine version another. */
describe('certify, where another engine version derived a part', () => {
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
  const read = (version: string) =>
    until('the engine has read the tape', async () => {
      const { lag, committed } = await groupLag(kafka, engineGroup(version), [TAPE_TOPIC]);
      return lag === 0 && committed > 0;
    });

  const ingest = async (part: number): Promise<void> => {
    const trades = syntheticTrades({ seed: 5, count: 2 * PART }).slice(part * PART, (part + 1) * PART);
    const rows = trades.map(({ tradeId, eventTime, instrument, price, size, side }) =>
      [tradeId, eventTime, instrument, price.toString(), size.toString(), side].join(','),
    );
    await writeFile(file('trades.csv'), ['trade_id,event_time_us,instrument,price,size,side', ...rows, ''].join('\n'));
    const { exitCode, stderr } = await inClone('ingest', 'file', file('trades.csv'), '--accept-late');
    expect(exitCode, stderr).toBe(0);
  };
  const activate = async (): Promise<void> => {
    await writeFile(
      file('engine.json'),
      JSON.stringify({ anchorIntervalRecords: 300, hitRule: { horizonMs: 20_000 } }),
    );
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
    const former = startEngine();
    await activate();
    await ingest(0);
    await read(ENGINE_VERSION);
    const constants = join(clone, 'evaluators/configuration.ts');
    const text = readFileSync(constants, 'utf8');
    writeFileSync(
      constants,
      text.replace(`ENGINE_VERSION = '${ENGINE_VERSION}'`, `ENGINE_VERSION = '${NEXT_VERSION}'`),
    );
    git('commit', '--quiet', '--all', '--message', 'next version');
    await activate();
    const next = spawn(process.execPath, [join(clone, 'bin/tapeproof.js'), 'engine', 'run'], { env: environment });
    await ingest(1);
    await read(NEXT_VERSION);
    next.kill('SIGTERM');
    await once(next, 'close');
    await former.stop();
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it('has the build of that commit derive it, and both certificates verify together', async () => {
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
