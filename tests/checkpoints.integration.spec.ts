import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { CHECKPOINTS_TOPIC, TAPE_TOPIC, type TopicName } from '../contracts/topics.ts';
import { engineGroup } from '../evaluators/main.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { createLog } from '../platform/log.ts';
import type { LogVerdict } from '../proofs/checkpoints/verification.adapter.ts';
import { environmentOf, runCommand, type CommandResult } from './support/command.ts';
import { ObservedProcess } from './support/observed-process.ts';
import { startEngine } from './support/running-engine.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const PARTITIONS = 6;
/** The tape and four outputs of each partition. */
const LOGS = 5 * PARTITIONS;

interface Status {
  readonly topic: string;
  readonly size: number;
  readonly signed: boolean;
  readonly cosignatures: readonly unknown[];
  readonly failures: readonly { readonly isRefusal: boolean; readonly reason: string }[];
  readonly difference: string | null;
}

/** In order: each test goes on with the log of the one before. */
describe('checkpoints', () => {
  const connections = stackConnections();
  const kafka = createKafka(connections.kafkaBrokers, 'test-checkpoints', createLog('test', 'silent'));
  let folder: string;
  let witness: ObservedProcess;
  let witnessLine: string;
  let logKey: string;

  const file = (name: string): string => join(folder, name);
  const tapeproof = (...words: string[]): Promise<CommandResult> => runCommand(words, environmentOf(connections));
  const keygen = async (name: string, ...words: string[]): Promise<string> => {
    const made = await tapeproof('keygen', '--name', name, '--out', file(`${name}.key`), '--json', ...words);
    expect(made, made.stderr).toMatchObject({ exitCode: 0 });
    return (JSON.parse(made.stdout) as { verifierKey: string }).verifierKey;
  };
  const now = async (...words: string[]) => {
    const key = ['--key', file('log.example.key')];
    const { exitCode, stdout, stderr } = await tapeproof('checkpoints', 'now', '--json', ...key, ...words);
    expect(stdout, stderr).not.toBe('');
    return { exitCode, statuses: JSON.parse(stdout) as Status[] };
  };
  const verify = async () => {
    const { exitCode, stdout } = await tapeproof('checkpoints', 'verify', '--json', '--log-key', logKey);
    return { exitCode, verdicts: JSON.parse(stdout) as (LogVerdict & { readonly fault: string | null })[] };
  };

  /** @param changed - the price of one trade in the middle is another. */
  const trades = async (name: string, changed = false): Promise<string> => {
    const rows = syntheticTrades({ seed: 12, count: 3_000 }).map(
      ({ tradeId, eventTime, instrument, price, size, side }, index) =>
        [tradeId, eventTime, instrument, changed && index === 1_500 ? '12345.67' : price.toString(), size, side].join(
          ',',
        ),
    );
    await writeFile(file(name), ['trade_id,event_time_us,instrument,price,size,side', ...rows, ''].join('\n'));
    return file(name);
  };
  const derive = async (path: string): Promise<void> => {
    const { exitCode, stderr } = await tapeproof('ingest', 'file', path, '--accept-late');
    expect(exitCode, stderr).toBe(0);
    const engine = startEngine();
    await until(
      'the engine has read the tape',
      async () => (await groupLag(kafka, engineGroup(), [TAPE_TOPIC])).lag === 0,
    );
    await engine.stop();
  };
  const startAnew = async (kept: readonly TopicName[] = []): Promise<void> => {
    await resetStores(connections, kept);
    const { exitCode, stderr } = await tapeproof('activate');
    expect(exitCode, stderr).toBe(0);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tapeproof-checkpoints-'));
    logKey = await keygen('log.example');
    const witnessKey = await keygen('witness.example', '--witness');
    await writeFile(file('logs'), `${logKey}\n`);
    witness = new ObservedProcess(connections, [
      'witness',
      '--key',
      file('witness.example.key'),
      '--logs',
      file('logs'),
      '--state',
      file('witness'),
    ]);
    const address = await witness.line('witness-listening');
    witnessLine = `${witnessKey} ${String(address['url.full'])}`;
    await startAnew();
  });
  afterAll(async () => {
    await witness.stop();
    await rm(folder, { recursive: true });
  });

  it('cannot sign before the engine has begun', async () => {
    const early = await tapeproof('checkpoints', 'now', '--key', file('log.example.key'));
    expect(early).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('no logs to sign') as string });
    expect(await tapeproof('checkpoints', 'list')).toMatchObject({
      stdout: expect.stringContaining('checkpoints now --key FILE') as string,
    });
  });

  it('signs every log and has it cosigned, and every log is what was signed', async () => {
    await derive(await trades('trades.csv'));
    const { exitCode, statuses } = await now('--witness', witnessLine);
    expect(exitCode).toBe(0);
    expect(statuses).toHaveLength(LOGS);
    const grown = statuses.filter(({ size }) => size > 0);
    expect(grown.length).toBeGreaterThan(PARTITIONS);
    for (const status of grown) {
      expect(status).toMatchObject({ signed: true, failures: [], difference: null });
      expect(status.cosignatures).toHaveLength(1);
    }
    const listed = await tapeproof('checkpoints', 'list');
    expect(listed.stdout).toContain('witness.example 20');
    const { exitCode: verdict, verdicts } = await verify();
    expect(verdict).toBe(0);
    expect(verdicts).toHaveLength(grown.length);
  });

  it('refuses to begin with bad keys', async () => {
    for (const [words, sentence, code] of [
      [['--key', file('nowhere')], 'cannot be read', 2],
      [['--key', file('witness.example.key')], "is a witness's", 2],
      [[], 'There is no key to sign with', 2],
      [['--key', file('log.example.key'), '--witness', witnessLine.split(' ')[0]!], 'does not name a witness', 2],
    ] as const) {
      const refused = await tapeproof('checkpoints', 'now', ...words);
      expect(refused).toMatchObject({ exitCode: code, stderr: expect.stringContaining(sentence) as string });
    }
    const other = await keygen('other.example');
    expect(await tapeproof('checkpoints', 'verify', '--log-key', other)).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('nothing could be verified') as string,
    });
  });

  it('signs as the log grows, until it is stopped', async () => {
    const running = new ObservedProcess(connections, ['checkpoints', 'run', '--every', '1', '--witness', witnessLine], {
      TAPEPROOF_CHECKPOINT_KEY: (await readFile(file('log.example.key'), 'utf8')).trim(),
    });
    const more = syntheticTrades({ seed: 12, count: 3_600 })
      .slice(3_000)
      .map(({ tradeId, eventTime, instrument, price, size, side }) =>
        [tradeId, eventTime, instrument, price.toString(), size, side].join(','),
      );
    await writeFile(file('more.csv'), ['trade_id,event_time_us,instrument,price,size,side', ...more, ''].join('\n'));
    await derive(file('more.csv'));
    await running.line('checkpoints-signed');
    await until('everything is signed', async () => {
      const { verdicts } = await verify();
      return verdicts.every(({ size, signedSize }) => size === signedSize);
    });
    expect(await running.stop()).toBe(0);
    expect((await verify()).exitCode).toBe(0);
  });

  it('finds a consistent rewrite of everything by the recorded heads', async () => {
    await startAnew([CHECKPOINTS_TOPIC]);
    await derive(await trades('rewritten.csv', true));
    const found = await verify();
    expect(found.exitCode).toBe(1);
    expect(found.verdicts.map(({ fault }) => fault).join('\n')).toContain('are not those that were signed');
  });
});
