import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partitionOf } from '../contracts/partitioner.ts';
import { DEFAULT_PARTITIONS, DERIVED_TOPICS, TAPE_TOPIC } from '../contracts/topics.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { engineGroup } from '../evaluators/main.ts';
import { readManifest } from '../platform/backup/backup-folder.adapter.ts';
import { backUp } from '../platform/backup/backup.adapter.ts';
import { restore, type RestoreReport } from '../platform/backup/restore.adapter.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { createLogReader } from '../platform/kafka/log-reader.ts';
import { createLog } from '../platform/log.ts';
import { environmentOf, runCommand } from './support/command.ts';
import { startEngine } from './support/running-engine.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const INSTRUMENT = 'BTC-USDT@binance';
const PARTITION = partitionOf(INSTRUMENT, DEFAULT_PARTITIONS);
const TRADES = 900;

/** In order: a backup, the loss of everything, and the way back. */
describe('a backup of the tape', () => {
  const connections = stackConnections();
  const kafka = createKafka(connections.kafkaBrokers, 'test-backup', createLog('test', 'silent'));
  const reader = createLogReader(connections.kafkaBrokers);
  let folder: string;
  let before: readonly string[];

  const file = (name: string): string => join(folder, name);
  const tapeproof = (...words: string[]) => runCommand(words, environmentOf(connections));
  const done = async (...words: string[]) => {
    const result = await tapeproof(...words);
    expect(result.exitCode, result.stderr + result.stdout).toBe(0);
    return result;
  };
  const common = { kafka, signal: new AbortController().signal, progress: () => undefined };
  const restored = (isDryRun = false): Promise<RestoreReport> =>
    restore({ ...common, folder: file('backup'), isDryRun });

  /** Everything that a topic's partition holds, record by record. */
  const recordsOf = async (topic: string): Promise<string[]> => {
    const records: string[] = [];
    const to = await reader.endOffset(topic, PARTITION);
    if (to === 0) return records;
    for await (const batch of reader.read({ topic, partition: PARTITION, from: 0, to })) {
      for (const { offset, key, value, timestampMs, headers } of batch) {
        // When a derived event was sent is no part of it.
        const own = topic === TAPE_TOPIC ? JSON.stringify(headers) : '';
        records.push([offset, key?.toString('hex'), value?.toString('hex'), timestampMs, own].join(' '));
      }
    }
    return records;
  };
  const everything = async () => (await Promise.all([TAPE_TOPIC, ...DERIVED_TOPICS].map(recordsOf))).flat();

  const ingest = async (name: string, rows: readonly string[]): Promise<void> => {
    await writeFile(file(name), ['trade_id,event_time_us,instrument,price,size,side', ...rows, ''].join('\n'));
    await done('ingest', 'file', file(name), '--accept-late');
  };
  const derive = async (): Promise<void> => {
    const engine = startEngine();
    await until('the tape is read', async () => (await groupLag(kafka, engineGroup(), [TAPE_TOPIC])).lag === 0);
    await engine.stop();
  };

  beforeAll(async () => {
    await resetStores(connections);
    folder = await mkdtemp(join(tmpdir(), 'tapeproof-backup-'));
    await writeFile(file('engine.json'), JSON.stringify({ anchorIntervalRecords: 500 }));
    await done('activate', '--config', file('engine.json'));
  });
  afterAll(async () => {
    await reader.close();
    await rm(folder, { recursive: true });
  });

  it('is added to, and its files stay as they are', async () => {
    const rows = syntheticTrades({ seed: 5, count: TRADES }).map(
      ({ tradeId, eventTime, instrument, price, size, side }) =>
        [tradeId, eventTime, instrument, price.toString(), size.toString(), side].join(','),
    );
    await ingest('first.csv', rows.slice(0, TRADES / 2));
    await done('tape', 'backup', file('backup'));
    const first = (await readManifest(file('backup')))!.logs.find(
      ({ topic, partition }) => topic === TAPE_TOPIC && partition === PARTITION,
    )!.segments[0]!;
    const written = await stat(file(`backup/${first.file}`));
    await ingest('second.csv', rows.slice(TRADES / 2));
    const { stdout } = await done('tape', 'backup', file('backup'), '--json');
    const { topics } = JSON.parse(stdout) as { topics: { topic: string; records: number; added: number }[] };
    const tape = topics.find(({ topic }) => topic === TAPE_TOPIC)!;
    expect(tape.added).toBeGreaterThan(TRADES / 3);
    expect(tape.records).toBeGreaterThan(tape.added);
    expect(await stat(file(`backup/${first.file}`))).toMatchObject({ mtimeMs: written.mtimeMs, size: first.bytes });
    await derive();
    await done('certify', '--out', file('certificate.json'));
    before = await everything();
    expect(before.length).toBeGreaterThan(2 * TRADES);
    expect(await restored(true)).toMatchObject({ complete: true, isDryRun: true });
  });

  it('is refused where a byte of a file is another', async () => {
    const { logs } = (await readManifest(file('backup')))!;
    const path = file(`backup/${logs.find(({ topic }) => topic === TAPE_TOPIC)!.segments[0]!.file}`);
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    const refused = await tapeproof('tape', 'restore', file('backup'), '--dry-run');
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('is missing or not as it was written');
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    const nothing = await tapeproof('tape', 'restore', file('elsewhere'));
    expect(nothing.stderr).toContain('has no backup');
    await expect(stat(file('elsewhere'))).rejects.toThrow();
  });

  it('is refused where the topics hold other records, and leaves a folder of another log alone', async () => {
    await resetStores(connections);
    await done('activate', '--config', file('engine.json'));
    await expect(restored()).rejects.toThrow('holds other records from offset 0 on');
    await expect(backUp({ ...common, folder: file('backup') })).rejects.toThrow(
      'The folder is the backup of another log',
    );
  });

  it('brings back the same tape, of which the same events are derived', async () => {
    await resetStores(connections);
    const stopped = new AbortController();
    stopped.abort();
    const none = await restore({ ...common, signal: stopped.signal, folder: file('backup'), isDryRun: false });
    expect(none.complete).toBe(false);
    const { stdout } = await done('tape', 'restore', file('backup'));
    expect(stdout).toMatch(/raw\.trades +\d+ records, \d+ appended/);
    const again = await restored();
    expect(again.topics.filter(({ appended }) => appended > 0)).toEqual([]);
    await derive();
    expect(await everything()).toEqual(before);
    const verified = await done('verify', file('certificate.json'), '--against-log');
    expect(verified.stdout).toContain('compared with the log');
    await done('certify');
  });
});
