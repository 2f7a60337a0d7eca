import { open } from 'node:fs/promises';
import { TapeproofError } from '../../platform/errors.ts';
import { get, type RestAnswer } from '../live/rest-client.adapter.ts';
import { decodedText } from './encoded-text.ts';
import { isRemote, type FeedConfiguration } from './context-configuration.ts';

const FEED_BYTES_MAX = 8 * 1024 * 1024;
const OK = 200;
const TIMEOUT_MS = 20_000;
/** Statuses with which a server asks for fewer requests. */
const WAIT_STATUSES = [429, 503];
const ACCEPTED =
  'application/rss+xml, application/atom+xml, application/feed+json, text/calendar, application/json, application/xml, text/xml';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The text of a feed, of at most {@link FEED_BYTES_MAX}; redirects are not followed. No sentence repeats its address,
 * which may contain a key.
 *
 * @param variables - of the environment, for the feed's authorization.
 * @throws TapeproofError USAGE for a file that cannot be read; CONFIGURATION without its variable; NOT_USABLE when it is
 *   too large, or not text; UNREACHABLE where the server does not give it.
 */
export async function textOfFeed(feed: FeedConfiguration, variables: Variables, signal: AbortSignal): Promise<string> {
  return isRemote(feed.from) ? remoteText(feed, variables, signal) : fileText(feed);
}

async function remoteText(feed: FeedConfiguration, variables: Variables, signal: AbortSignal): Promise<string> {
  const { name, from, authorizationVariable: variable } = feed;
  const authorization = variable === undefined ? undefined : variables[variable];
  if (variable !== undefined && (authorization === undefined || authorization === '')) {
    throw new TapeproofError('CONFIGURATION', `${variable} is not set: the feed "${name}" needs it for authorization.`);
  }
  const body: { text: string | undefined } = { text: undefined };
  const answer = await get(from, {
    usedWeightHeader: undefined,
    limits: { waitStatuses: WAIT_STATUSES },
    timeoutMs: TIMEOUT_MS,
    headers: { accept: ACCEPTED, ...(authorization === undefined ? {} : { authorization }) },
    decode: (bytes, contentType) => (body.text = decodedText(bytes, contentType)) ?? '',
    signal,
  });
  if (answer.outcome === 'ok') {
    if (body.text === undefined) throw undecodable(name);
    return body.text;
  }
  const why = reasonOf(answer);
  throw new TapeproofError(
    'UNREACHABLE',
    `The feed "${name}" cannot be read: ${why}. Check its address, and try again.`,
  );
}

function undecodable(name: string): TapeproofError {
  return new TapeproofError(
    'NOT_USABLE',
    `The feed "${name}" cannot be read: its bytes are not text in the encoding that it names, or in UTF-8 where it names none. Have its source send UTF-8.`,
  );
}

function reasonOf({ outcome, status }: Exclude<RestAnswer, { readonly outcome: 'ok' }>): string {
  if (outcome === 'rate-limited') return 'its server asks for fewer requests';
  if (status === undefined) return 'its server does not answer, or redirects elsewhere';
  if (status === OK) return 'its answer breaks off, or is too large';
  return `its server answers with the status ${status}`;
}

async function fileText({ name, from }: FeedConfiguration): Promise<string> {
  try {
    await using file = await open(from, 'r');
    const status = await file.stat();
    const { size } = status;
    if (!status.isFile()) throw new TapeproofError('USAGE', `The feed "${name}" cannot be read: it is not a file.`);
    if (size > FEED_BYTES_MAX) {
      throw new TapeproofError(
        'NOT_USABLE',
        `The feed "${name}" has ${size} bytes: at most ${FEED_BYTES_MAX} are read.`,
      );
    }
    const text = decodedText(await file.readFile());
    if (text === undefined) throw undecodable(name);
    return text;
  } catch (error) {
    if (error instanceof TapeproofError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT' ? 'the file does not exist' : code === 'EISDIR' ? 'it is a folder' : (code ?? 'it fails');
    throw new TapeproofError('USAGE', `The feed "${name}" cannot be read: ${why}. Name a file or an http(s) URL.`, {
      cause: error,
    });
  }
}
