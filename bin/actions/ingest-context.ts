import { isoTimeOf } from '../../contracts/iso-time.ts';
import { counted } from '../../platform/counted.ts';
import { EXIT_CODE_OF, TapeproofError } from '../../platform/errors.ts';
import { createLog } from '../../platform/log.ts';
import {
  parseContextConfiguration,
  unlistedFeed,
  type ContextConfiguration,
  type FeedConfiguration,
} from '../../producers/context/context-configuration.ts';
import type { ContextReport, FeedReport } from '../../producers/context/ingest-context.adapter.ts';
import type { SectorReport } from '../../producers/context/ingest-sectors.adapter.ts';
import { pipeline } from '../../pipeline.ts';
import { answeringKafka, connections, print } from '../context.ts';
import { interruption } from '../interruption.ts';
import { readYaml } from '../yaml-file.ts';

export interface ContextOptions {
  readonly config: string;
  readonly feed?: string;
  readonly once?: true;
  readonly json?: true;
}

export type SectorOptions = Omit<ContextOptions, 'feed'>;

const CANCELLED_EXIT_CODE = 130;

export async function ingestContextOfFeeds({ config, feed, once, json }: ContextOptions): Promise<void> {
  const configuration = await readContextConfiguration(config);
  const feeds = feedsAsked(configuration, feed, config);
  const where = connections();
  const signal = interruption();
  await answeringKafka('ingest');
  const report = await pipeline.context.run({
    configuration,
    feeds,
    isOnce: once === true,
    environment: process.env,
    connections: where,
    log: createLog('ingest-context', once === true ? 'error' : 'info'),
    signal,
  });
  print(json, report, () => contextText(report));
  const failed = report.feeds.find(({ failure }) => failure !== null)?.failure;
  if (!report.complete) process.exitCode = CANCELLED_EXIT_CODE;
  else if (once === true && failed) process.exitCode = EXIT_CODE_OF[failed.code];
}

export async function ingestStrengthOfSectors({ config, once, json }: SectorOptions): Promise<void> {
  const configuration = await readContextConfiguration(config);
  const sectors = new Set(Object.values(configuration.instruments).flatMap(({ sector }) => sector ?? []));
  if (sectors.size < 2) {
    throw new TapeproofError(
      'CONFIGURATION',
      `${config}: fewer than two sectors are named: give instruments their sector, or there is nothing to compare.`,
    );
  }
  const where = connections();
  const signal = interruption();
  await answeringKafka('ingest');
  const report = await pipeline.context.sectors({
    configuration,
    isOnce: once === true,
    connections: where,
    log: createLog('ingest-sectors', once === true ? 'error' : 'info'),
    signal,
  });
  print(json, report, () => sectorText(report));
  if (!report.complete) process.exitCode = CANCELLED_EXIT_CODE;
}

function sectorText({ strengths, appended, alreadyThere, missing }: SectorReport): string {
  if (strengths === null) return `No strengths: ${missing ?? 'nothing was read'}.`;
  return [
    `At ${isoTimeOf(strengths.timeUs)}: ${counted(appended, 'signal')} appended, ${alreadyThere} already there.`,
    ...strengths.sectors.map(
      ({ sector, value, meanReturn, confidence, instruments }) =>
        `  ${sector}: ${value} (mean return ${(meanReturn * 100).toFixed(4)} % of ${counted(instruments.length, 'instrument')}, confidence ${confidence})`,
    ),
  ].join('\n');
}

/** @throws TapeproofError CONFIGURATION, naming file and key. */
async function readContextConfiguration(path: string): Promise<ContextConfiguration> {
  // The library's message has words of the file, and an address in it may have a key.
  const raw = await readYaml(path, 'context configuration', () => 'it is not valid YAML.');
  const parsed = parseContextConfiguration(raw);
  if (typeof parsed === 'string') throw new TapeproofError('CONFIGURATION', `${path}: ${parsed}`);
  return parsed;
}

function feedsAsked(
  { feeds }: ContextConfiguration,
  asked: string | undefined,
  path: string,
): readonly FeedConfiguration[] {
  if (asked === undefined) {
    if (feeds.length > 0) return feeds;
    throw new TapeproofError('CONFIGURATION', `${path}: it lists no feeds. Add one, or name one with --feed.`);
  }
  const listed = feeds.find(({ name, from }) => name === asked || from === asked);
  const feed = listed ?? unlistedFeed(asked);
  if (typeof feed === 'string') throw new TapeproofError('USAGE', `--feed is wrong: ${feed}.`);
  return [feed];
}

function contextText({ complete, feeds }: ContextReport): string {
  return [...feeds.flatMap(linesOf), ...(complete ? [] : ['Interrupted: another run continues.'])].join('\n');
}

function linesOf(feed: FeedReport): string[] {
  const { name, rounds, failures, items, appended, alreadyThere, refused, notRead, passedOver, failure } = feed;
  const reasons = [
    ...(passedOver['no-instrument'] > 0 ? [`${passedOver['no-instrument']} name no instrument`] : []),
    ...(passedOver['no-tone'] > 0 ? [`${passedOver['no-tone']} have no valued word`] : []),
    ...(passedOver['too-far-ahead'] > 0 ? [`${passedOver['too-far-ahead']} are too far ahead`] : []),
    ...(refused > 0 ? [`${refused} refused: see "tapeproof dead-letters"`] : []),
    ...(notRead > 0 ? [`${notRead} beyond the bound were not read`] : []),
  ];
  return [
    ...(failure === null || items > 0
      ? [`${name}: ${counted(items, 'item')}, ${counted(appended, 'signal')} appended, ${alreadyThere} already there.`]
      : []),
    ...(reasons.length === 0 ? [] : [`  Of the items: ${reasons.join('; ')}.`]),
    ...(failures > 0 && rounds > 1 ? [`  ${failures} of ${counted(rounds, 'round')} failed.`] : []),
    ...(failure === null ? [] : [`  ${failure.sentence}`]),
  ];
}
