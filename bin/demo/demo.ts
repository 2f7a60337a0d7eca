import { join, relative } from 'node:path';
import { canonicalConfiguration, ENGINE_VERSION } from '../../evaluators/configuration.ts';
import { activate } from '../../evaluators/activate.adapter.ts';
import { pipeline } from '../../pipeline.ts';
import type { Connections } from '../../platform/connections.ts';
import { createKafka } from '../../platform/kafka/client.ts';
import { createRegistry } from '../../platform/kafka/registry.ts';
import { applyTopics } from '../../platform/kafka/topics.ts';
import { createLog } from '../../platform/log.ts';
import { sourceOfFile } from '../../producers/tape-amendments.adapter.ts';
import { migratePostgres } from '../../projectors/main.ts';
import { stackDown, stackOptionsFromEnvironment, stackStatus, stackUp } from '../../stack/main.ts';
import { ingestText, showIngest } from '../actions/ingest.ts';
import { DEFAULT_CONFIGURATION_FILE } from '../commands/options.ts';
import { localConnections, readConfiguration } from '../context.ts';
import { buildSource } from '../git-commit.ts';
import { activationActor } from '../operator-name.ts';
import { withoutServices } from '../local-stack.ts';
import { progressBar, stackProgress } from '../progress.ts';
import { actAs } from '../role.ts';
import { untilCaughtUp } from './caught-up.ts';
import { Children } from './children.ts';
import { assertOwnTape } from './own-tape.ts';
import { loseAndReplay } from './replay.ts';
import { summarise, summaryText } from './summary.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const SAMPLE = join(REPOSITORY, 'data', 'binance-sample', 'binance-spot-2025-03-25.jsonl.gz');
/** The file of Bitstamp's trades does not name its instrument. */
const BITSTAMP_INSTRUMENT = 'BTC-USD@bitstamp';

const TITLE_CHARACTERS = 76;

/** On a free port: a demo does not fail because of another program. */
const DASHBOARD = ['dashboard', '--port', '0'] as const;

export interface DemoOptions {
  readonly signal: AbortSignal;
  readonly json: boolean;
  /** Stop the services at the end, too. */
  readonly down: boolean;
  /** Continue although the stack's tape is not the demo's. */
  readonly yes: boolean;
}

/**
 * The main job on real trades, step by step. It can be run again: nothing is appended or derived twice. When
 * interrupted, it leaves nothing running that it started.
 */
export async function runDemo({ signal, json, down, yes }: DemoOptions): Promise<void> {
  const options = stackOptionsFromEnvironment(process.env);
  const wasRunning = (await stackStatus(options)).some((service) => service.state !== 'stopped');
  const say = sayOn(json ? process.stderr : process.stdout);
  const step = (title: string): void => {
    say(`\n── ${title} ${'─'.repeat(Math.max(0, TITLE_CHARACTERS - title.length))}`);
  };
  // On the local stack, like the demo itself: never on services that the environment names.
  const children = new Children(join(options.folder, '..', 'demo'), withoutServices(process.env));
  const interrupted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('interrupted'));
    });
  });
  interrupted.catch(() => undefined);
  let finished = false;
  try {
    step('1/7 Services');
    const { bitstampTradesFile } = await stackUp(options, stackProgress());
    const where = localConnections();
    const run = (work: Promise<void>) => Promise.race([children.whileRunning(work), interrupted]);
    await run(theMainJob({ where, bitstampTradesFile, children, signal, json, yes, say, step }));
    finished = true;
    if (process.stdout.isTTY && !json && !down) {
      say('\nThe page stays until you press Ctrl+C; later, "npx tapeproof dashboard" serves it again.');
      await Promise.race([children.whileRunning(interrupted), interrupted]);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    if (!finished) process.stderr.write('\nInterrupted.\n');
  } finally {
    await children.stop();
    if (down || (!finished && !wasRunning)) await stackDown(options, stackProgress());
  }
  if (finished && !down) say('\nThe services stay up for you to explore; "npx tapeproof stack down" stops them.');
}

interface MainJob extends Pick<DemoOptions, 'signal' | 'json' | 'yes'> {
  readonly where: Connections;
  readonly bitstampTradesFile: string;
  readonly children: Children;
  readonly say: (text: string) => void;
  readonly step: (title: string) => void;
}

async function theMainJob({
  where,
  bitstampTradesFile,
  children,
  signal,
  json,
  yes,
  say,
  step,
}: MainJob): Promise<void> {
  const files = [
    { path: bitstampTradesFile, instrument: BITSTAMP_INSTRUMENT },
    { path: SAMPLE, instrument: undefined },
  ];
  const configuration = canonicalConfiguration(await readConfiguration(join(REPOSITORY, DEFAULT_CONFIGURATION_FILE)));
  const sources = await Promise.all(files.map(({ path, instrument }) => sourceOfFile(path, { instrument })));
  await assertOwnTape(where, { sources, configuration }, yes);

  step('2/7 Topics, schemas, tables, activation');
  say(await prepare(where, configuration));

  step('3/7 Engine, projectors and dashboard');
  await children.start(['engine', 'run']);
  for (const { name } of pipeline.projectors.all) await children.start(['projector', 'run', name]);
  say(
    `One process each, logs in ${relative(process.cwd(), children.folder)}: engine, ${pipeline.projectors.all.map(({ name }) => name).join(', ')}`,
  );

  const { firstLine } = await children.start(DASHBOARD);
  say(`${await children.whileRunning(firstLine)}: open it in a browser to see what follows live.`);

  step('4/7 Real trades onto the tape');
  for (const { path, instrument } of files) {
    const bar = progressBar(path.split('/').at(-1) ?? path);
    const report = await pipeline.ingest.run({
      path,
      instrument,
      speed: 'max',
      connections: where,
      log: createLog('ingest', 'warn'),
      signal,
      progress: showIngest(bar),
    });
    bar.stop();
    signal.throwIfAborted();
    say(ingestText(report));
  }
  await untilCaughtUp(where, signal);

  step('5/7 What was derived from them');
  const summary = await summarise(where);
  if (!json) say(summaryText(summary));

  step('6/7 One decision, audited');
  say(summary.audit);

  await children.stop(DASHBOARD);
  step('7/7 Both stores lost, and replayed from Kafka');
  // The rebuilt data belongs to the projectors.
  actAs('projector');
  await loseAndReplay(localConnections(), signal, say);
  if (json) process.stdout.write(`${JSON.stringify(summary, undefined, 2)}\n`);
}

/**
 * Everything needed before the first trade; repeating it changes nothing. @returns the activation in force, in words
 */
async function prepare(where: Connections, configuration: string): Promise<string> {
  await applyTopics(createKafka(where.kafkaBrokers, 'tapeproof-demo'));
  await createRegistry(where.registryUrl).register();
  await migratePostgres(where);
  const { commit, hasUncommittedChanges } = await buildSource();
  const report = await activate({
    connections: where,
    configuration,
    engineVersion: ENGINE_VERSION,
    gitCommit: commit,
    statement: {
      ...{ actor: await activationActor(), reason: 'demo', approver: null },
      ...{ hasUncommittedChanges, revokes: [] },
    },
    log: createLog('activate', 'warn'),
  });
  return `Engine ${ENGINE_VERSION} with configuration ${report.configHash.slice(0, 12)} is in force on tape ${report.tapeId}.`;
}

function sayOn(stream: NodeJS.WriteStream): (text: string) => void {
  return (text) => {
    stream.write(`${text}\n`);
  };
}
