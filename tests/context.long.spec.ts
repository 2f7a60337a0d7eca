import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContextSignal, StrategyResult, Trade } from '../contracts/generated/events.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { engineGroup } from '../evaluators/main.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { createKafka } from '../platform/kafka/client.ts';
import { groupLag } from '../platform/kafka/group-lag.ts';
import { withDeadline } from '../platform/deadline.ts';
import { createLog } from '../platform/log.ts';
import { parseContextConfiguration } from '../producers/context/context-configuration.ts';
import { ingestContext, type ContextReport } from '../producers/context/ingest-context.adapter.ts';
import { ingestSectors, type SectorReport } from '../producers/context/ingest-sectors.adapter.ts';
import { environmentOf, runCommand, startCommand, type CommandResult } from './support/command.ts';
import { whileFrozen } from './support/frozen-service.ts';
import { resetStores, stackConnections } from './support/stack.ts';
import { until } from './support/until.ts';

const BITCOIN = 'BTC-USDT@binance';
const ETHER = 'ETH-USDT@binance';
/** Trades before the context; the others follow it. */
const EARLIER_TRADES = 1_500;
/** Until rounds have begun, on most machines. */
const POLLED_MS = 3_000;
/** Less than the time that a container is given to end. */
const END_MS_MAX = 10_000;
const LINK = 'https://wire.example/1';
const trades = syntheticTrades({ seed: 11, count: 2_200, instruments: [BITCOIN, ETHER] });

const ENGINE_CONFIGURATION = `strategies:
  NEWS_SENTIMENT: {}
  SECTOR_ROTATION: {}
hitRule: { horizonMs: 20000 }
`;
const CONTEXT_CONFIGURATION = `feeds:
  - { name: wire, from: wire.xml, validForMs: 14400000 }
instruments:
  ${BITCOIN}: { keywords: [bitcoin], sector: money }
  ${ETHER}: { keywords: [ether], sector: platforms }
sectors: { windowMs: 600000, everyMs: 60000, validForMs: 14400000 }
`;

let folder: string;
let environment: Record<string, string>;
let beforeActivation: CommandResult;
let feedReport: ContextReport;
let repeatedReport: ContextReport;
let sectorReport: SectorReport;

const tapeproof = (...words: string[]): Promise<CommandResult> => runCommand(words, environment);

async function done(...words: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await tapeproof(...words);
  expect(exitCode, `${words.join(' ')}\n${stdout}\n${stderr}`).toBe(0);
  return stdout;
}

async function writeTrades(name: string, rows: readonly Trade[]): Promise<string> {
  const lines = rows.map(({ tradeId, eventTime, instrument, price, size, side }) =>
    [tradeId, eventTime, instrument, price.toString(), size.toString(), side].join(','),
  );
  await writeFile(join(folder, name), ['trade_id,event_time_us,instrument,price,size,side', ...lines, ''].join('\n'));
  return join(folder, name);
}

/** A feed with items about an instrument, published a while before the later trades, and one without a time. */
function feedText(...titles: readonly string[]): string {
  const published = new Date(Math.floor(trades[EARLIER_TRADES]!.eventTime / 1_000) - 60_000).toUTCString();
  const items = titles.map(
    (title) => `<item><title>${title}</title><link>${LINK}</link><pubDate>${published}</pubDate></item>`,
  );
  return `<rss version="2.0"><channel><title>Wire</title><link>https://wire.example</link><description>-</description>
${items.join('')}
<item><title>Bitcoin gains at no time</title></item></channel></rss>`;
}

beforeAll(async () => {
  const connections = stackConnections();
  await resetStores(connections);
  environment = environmentOf(connections);
  folder = await mkdtemp(join(tmpdir(), 'tapeproof-context-'));
  await writeFile(join(folder, 'engine.yaml'), ENGINE_CONFIGURATION);
  await writeFile(join(folder, 'context.yaml'), CONTEXT_CONFIGURATION.replace('wire.xml', join(folder, 'wire.xml')));
  await writeFile(join(folder, 'wire.xml'), feedText('Bitcoin surges on good news'));
  const engine = startCommand(['engine', 'run'], environment);
  const kafka = createKafka(connections.kafkaBrokers, 'context-test');
  const allRead = (what: string) =>
    until(what, async () => (await groupLag(kafka, engineGroup(), [TAPE_TOPIC])).lag === 0);
  const context = ['--config', join(folder, 'context.yaml'), '--once', '--json'];
  try {
    beforeActivation = await tapeproof('ingest', 'context', ...context);
    await done('activate', '--config', join(folder, 'engine.yaml'));
    await done('ingest', 'file', await writeTrades('a.csv', trades.slice(0, EARLIER_TRADES)), '--accept-late');
    await allRead('the engine has read the earlier trades');
    feedReport = JSON.parse(await done('ingest', 'context', ...context)) as ContextReport;
    repeatedReport = JSON.parse(await done('ingest', 'context', ...context)) as ContextReport;
    sectorReport = JSON.parse(await done('ingest', 'sectors', ...context)) as SectorReport;
    await done('ingest', 'file', await writeTrades('b.csv', trades.slice(EARLIER_TRADES)), '--accept-late');
    await allRead('the engine has read the tape');
  } finally {
    const exited = once(engine, 'exit');
    engine.kill('SIGTERM');
    await exited;
  }
});
afterAll(() => rm(folder, { recursive: true }));

describe('context on the tape', () => {
  it('is not appended before an activation that accepts it', () => {
    expect(beforeActivation.exitCode).toBe(1);
    expect(beforeActivation.stderr).toContain('No activation that accepts signals is in force');
  });

  it('is appended once, and a row that is not usable is one dead letter', () => {
    expect(feedReport.feeds).toMatchObject([
      { name: 'wire', items: 2, appended: 1, alreadyThere: 0, refused: 1, deadLettersAppended: 1, failure: null },
    ]);
    expect(repeatedReport.feeds).toMatchObject([{ appended: 0, alreadyThere: 1, refused: 1, deadLettersAppended: 0 }]);
    expect(sectorReport).toMatchObject({ complete: true, appended: 2, missing: null });
    expect(sectorReport.strengths?.sectors.map(({ value }) => value).sort()).toEqual([-1, 1]);
  });

  it('is what an audit walks down to, and derives again', async () => {
    const report = JSON.parse(await done('audit', '--latest', BITCOIN, '--verify', '--json')) as {
      readonly checks: readonly { readonly name: string; readonly passed: boolean }[];
      readonly signals: readonly { readonly event: ContextSignal }[];
      readonly results: readonly { readonly event: StrategyResult }[];
    };
    expect(report.checks.filter(({ passed }) => !passed)).toEqual([]);
    expect(report.checks.map(({ name }) => name)).toContain('derived again from the tape');
    expect(report.signals.map(({ event }) => [event.kind, event.link]).sort()).toEqual([
      ['NEWS_SENTIMENT', LINK],
      ['SECTOR_ROTATION', null],
    ]);
    expect(report.signals.find(({ event }) => event.kind === 'SECTOR_ROTATION')?.event.causes).toEqual(
      sectorReport.strengths?.causes,
    );
    const news = report.results.find(({ event }) => event.strategy === 'NEWS_SENTIMENT')?.event;
    expect(news).toMatchObject({ direction: 'LONG' });
    const text = await done('audit', '--latest', BITCOIN);
    expect(text).toContain(` at ${LINK}`);
  });

  it('is derived again as a whole, byte for byte', async () => {
    await done('certify', '--out', join(folder, 'certificate.json'));
    await done('backtest', '--tape', '--compare');
  });

  it.each([
    ['a feed that is not one', 'engine.yaml', 2, 'not a readable'],
    ['a file that does not exist', 'none.xml', 2, 'does not exist'],
  ])('is refused from %s, in a sentence', async (_name, file, code, words) => {
    const config = join(folder, 'context.yaml');
    const { exitCode, stdout } = await tapeproof(
      'ingest',
      'context',
      '--config',
      config,
      '--feed',
      join(folder, file),
      '--once',
    );
    expect([exitCode, stdout]).toEqual([code, expect.stringContaining(words)]);
  });

  it.each([
    ['from feeds', true],
    ['from feeds', false],
    ['of sectors', true],
    ['of sectors', false],
  ])('%s ends with its signal while Kafka does not answer, from the start: %s', async (kind, fromTheStart) => {
    const file = join(folder, 'stopped.xml');
    await writeFile(file, feedText('Bitcoin surges'));
    const configuration = parseContextConfiguration({
      feeds: [{ name: 'stopped', from: file }],
      instruments: { [BITCOIN]: { keywords: ['bitcoin'], sector: 'money' }, [ETHER]: { sector: 'platforms' } },
      pollMs: 1_000,
    });
    if (typeof configuration === 'string') expect.fail(configuration);
    const order = new AbortController();
    const common = { configuration, isOnce: false, connections: stackConnections(), signal: order.signal };
    const log = createLog('test', 'silent');
    const start = (): Promise<ContextReport | SectorReport> =>
      kind === 'of sectors'
        ? ingestSectors({ ...common, log })
        : ingestContext({ ...common, log, feeds: configuration.feeds, environment: {} });
    let polling = fromTheStart ? undefined : start();
    if (!fromTheStart) await wait(POLLED_MS);
    await whileFrozen('kafka', async () => {
      polling ??= start();
      // Of the feed, there is something to append.
      await writeFile(file, feedText('Bitcoin surges', `Bitcoin falls in a panic, ${String(fromTheStart)}`));
      await wait(POLLED_MS);
      order.abort();
      await withDeadline(polling, END_MS_MAX, () => new Error('it goes on'));
    });
    expect(await polling).toHaveProperty('complete');
  });

  it('is polled for until SIGTERM: what is new is appended once, and a feed that fails is said and costs no other', async () => {
    const answers: ServerResponse[] = [];
    let text = feedText('Bitcoin falls in a panic');
    let isSilent = false;
    const server = createServer((_request, response) => {
      answers.push(response);
      if (!isSilent) response.end(text);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const feeds = `feeds:
  - { name: away, from: 'http://127.0.0.1:1/feed' }
  - { name: served, from: '${address}/feed' }
pollMs: 1000
`;
    const config = join(folder, 'polled.yaml');
    await writeFile(config, CONTEXT_CONFIGURATION.replace(/feeds:\n.*\n/, feeds));
    const polling = startCommand(['ingest', 'context', '--config', config, '--json'], environment);
    let stdout = '';
    let stderr = '';
    polling.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    polling.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    await until('it is read twice', () => answers.length >= 2);
    text = feedText('Bitcoin falls in a panic', 'Bitcoin recovers with great gains');
    const readBefore = answers.length;
    await until('the new item is read', () => answers.length >= readBefore + 2);
    isSilent = true;
    const heardBefore = answers.length;
    await until('a request is under way', () => answers.length > heardBefore);
    const exited = once(polling, 'exit');
    polling.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    server.closeAllConnections();
    server.close();
    const [away, served] = (JSON.parse(stdout) as ContextReport).feeds;
    expect(served).toMatchObject({ name: 'served', appended: 2, deadLettersAppended: 1, failures: 0, failure: null });
    expect(served?.alreadyThere).toBeGreaterThanOrEqual(2);
    expect(away).toMatchObject({ name: 'away', appended: 0, failure: { code: 'UNREACHABLE' } });
    expect(away?.failures).toBe(away?.rounds);
    expect(away?.failures).toBeGreaterThan(served?.rounds ?? Infinity);
    expect(stderr).toContain('The feed \\"away\\" cannot be read');
    // Another process finds both on the tape.
    await writeFile(join(folder, 'served.xml'), text);
    const fromFile = CONTEXT_CONFIGURATION.replace(
      'wire, from: wire.xml',
      `served, from: ${join(folder, 'served.xml')}`,
    );
    await writeFile(config, fromFile);
    const again = JSON.parse(await done('ingest', 'context', '--config', config, '--once', '--json')) as ContextReport;
    expect(again.feeds).toMatchObject([{ appended: 0, alreadyThere: 2, deadLettersAppended: 0 }]);
  });
});
