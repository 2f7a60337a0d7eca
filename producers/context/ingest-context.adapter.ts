import { setTimeout as wait } from 'node:timers/promises';
import { isPassing, TapeproofError, type ErrorCode } from '../../platform/errors.ts';
import type { ContextConfiguration, FeedConfiguration } from './context-configuration.ts';
import { CONTEXT_READER, ContextTape, type ContextAccess } from './context-tape.adapter.ts';
import { roundOf, type FeedRound } from './feed-round.ts';
import { textOfFeed } from './feed-text.adapter.ts';

const US_PER_MS = 1_000;

export interface ContextIngestOptions extends ContextAccess {
  readonly configuration: ContextConfiguration;
  /** Those that are read; none is a usage error. */
  readonly feeds: readonly FeedConfiguration[];
  /** Reads each feed once; otherwise again and again, until the signal. */
  readonly isOnce: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The counts of one feed over all rounds. */
export interface FeedReport {
  readonly name: string;
  readonly rounds: number;
  /** Rounds in which it could not be read, or its context not appended. */
  readonly failures: number;
  /** Items read, over all rounds. */
  readonly items: number;
  /** Items beyond the bound of a round. */
  readonly notRead: number;
  /** Records appended: a signal about the market is one in each partition. */
  readonly appended: number;
  readonly alreadyThere: number;
  /** Items that became, or were, dead letters. */
  readonly refused: number;
  readonly deadLettersAppended: number;
  readonly passedOver: FeedRound['passedOver'];
  /** The last failure to read it; null where the last round succeeded. */
  readonly failure: { readonly code: ErrorCode; readonly sentence: string } | null;
}

export interface ContextReport {
  /** False where the signal came before the end of the first round. */
  readonly complete: boolean;
  readonly feeds: readonly FeedReport[];
}

/**
 * Appends the context in feeds to the tape, each signal once. A feed that cannot be read costs no other one; it is tried
 * again in the next round.
 *
 * @throws TapeproofError UNREACHABLE for Kafka or the registry; CHECK_FAILED without an activation that accepts signals.
 */
export async function ingestContext(options: ContextIngestOptions): Promise<ContextReport> {
  const { feeds, isOnce, configuration, signal } = options;
  const reports = new Map(feeds.map((feed) => [feed.name, nothingRead(feed.name)]));
  let complete = false;
  const tape = await ContextTape.open(options);
  if (tape === undefined) return { complete, feeds: [...reports.values()] };
  try {
    do {
      for (const feed of feeds) {
        if (signal.aborted) break;
        reports.set(feed.name, await readOnce(tape, feed, reports.get(feed.name) ?? nothingRead(feed.name), options));
      }
      complete ||= !signal.aborted;
      if (!isOnce) await wait(configuration.pollMs, undefined, { signal }).catch(() => undefined);
    } while (!isOnce && !signal.aborted);
  } finally {
    await tape.close();
  }
  return { complete, feeds: [...reports.values()] };
}

async function readOnce(
  tape: ContextTape,
  feed: FeedConfiguration,
  before: FeedReport,
  options: ContextIngestOptions,
): Promise<FeedReport> {
  const { log, isOnce, signal } = options;
  const receivedAt = Date.now() * US_PER_MS;
  const failed = (error: unknown): FeedReport => {
    if (!(error instanceof TapeproofError)) throw error;
    // An order to stop breaks off a request: the feed did not fail.
    if (signal.aborted) return before;
    const { code, message: sentence } = error;
    log.warn({ 'tapeproof.source': `feed:${feed.name}` }, sentence);
    return { ...before, rounds: before.rounds + 1, failures: before.failures + 1, failure: { code, sentence } };
  };
  let round: FeedRound;
  try {
    round = await readRound(feed, options, receivedAt);
  } catch (error) {
    return failed(error);
  }
  try {
    const appended = await tape.append(round.signals);
    const deadLettersAppended = await tape.refuse(round.deadLetters, receivedAt);
    return sumOf(before, round, { ...appended, deadLettersAppended });
  } catch (error) {
    // An outage of Kafka: the next round appends what this one could not.
    if (isOnce || !(error instanceof TapeproofError) || !isPassing(error.code)) throw error;
    return failed(error);
  }
}

async function readRound(
  feed: FeedConfiguration,
  { configuration, environment, signal }: ContextIngestOptions,
  receivedAt: number,
): Promise<FeedRound> {
  const text = await textOfFeed(feed, environment, signal);
  const round = roundOf(text, feed, configuration.instruments, CONTEXT_READER, receivedAt);
  if (typeof round !== 'string') return round;
  throw new TapeproofError('NOT_USABLE', `The feed "${feed.name}" cannot be used: ${round}.`);
}

function sumOf(
  before: FeedReport,
  { items, notRead, deadLetters, passedOver }: FeedRound,
  written: Pick<FeedReport, 'appended' | 'alreadyThere' | 'deadLettersAppended'>,
): FeedReport {
  const passed = (why: keyof FeedRound['passedOver']): number => before.passedOver[why] + passedOver[why];
  return {
    name: before.name,
    rounds: before.rounds + 1,
    failures: before.failures,
    items: before.items + items,
    notRead: before.notRead + notRead,
    appended: before.appended + written.appended,
    alreadyThere: before.alreadyThere + written.alreadyThere,
    refused: before.refused + deadLetters.length,
    deadLettersAppended: before.deadLettersAppended + written.deadLettersAppended,
    passedOver: {
      'no-instrument': passed('no-instrument'),
      'no-tone': passed('no-tone'),
      'too-far-ahead': passed('too-far-ahead'),
    },
    failure: null,
  };
}

function nothingRead(name: string): FeedReport {
  return {
    ...{
      name,
      rounds: 0,
      failures: 0,
      items: 0,
      notRead: 0,
      appended: 0,
      alreadyThere: 0,
      refused: 0,
      deadLettersAppended: 0,
    },
    passedOver: { 'no-instrument': 0, 'no-tone': 0, 'too-far-ahead': 0 },
    failure: null,
  };
}
