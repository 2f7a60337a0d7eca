import { sha256Hex } from '../../contracts/codec.ts';
import { refusalOfSignal, SIGNAL_LINK_LENGTH_MAX } from '../../contracts/context-rules.ts';
import { canonicalJson } from '../../contracts/canonical-json.ts';
import type { ContextSignal } from '../../contracts/generated/events.ts';
import type { Refusal } from '../../contracts/trade-rules.ts';
import type { ContextConfiguration, FeedConfiguration } from './context-configuration.ts';
import type { FeedItem } from './feed.ts';
import { LEXICON, toneOf } from './lexicon.ts';
import { publishedUsOf } from './published-time.ts';

const US_PER_MS = 1_000;
const ID_HEX_DIGITS = 32;

/** What becomes of one item: signals, a refusal, or nothing, and then why. */
export type Interpreted =
  | { readonly kind: 'signals'; readonly signals: readonly ContextSignal[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** No instrument's keyword is in it, or no word of it has a valence, or it lies too far ahead. */
  | { readonly kind: 'passed-over'; readonly why: 'no-instrument' | 'no-tone' | 'too-far-ahead' };

type Instruments = ContextConfiguration['instruments'];

/** The signals of a text in a feed, one for each instrument that it names, or one about the market. */
export function interpretNews(
  item: FeedItem,
  feed: FeedConfiguration,
  instruments: Instruments,
  receivedAt: number,
): Interpreted {
  const { text } = item;
  if (text === '') return malformed('the item has no text');
  const published = publishedUsOf(item.published);
  if (published === undefined) return malformed('the item does not say when it was published, with a time zone');
  const about = feed.about === 'MARKET' ? [null] : instrumentsNamedIn(text, instruments);
  if (about.length === 0) return { kind: 'passed-over', why: 'no-instrument' };
  const tone = toneOf(text);
  if (tone.valued === 0) return { kind: 'passed-over', why: 'no-tone' };
  const textHash = sha256Hex(text);
  const link = linkOf(item.link);
  const signals = about.map((instrument): ContextSignal => {
    return {
      signalId: signalIdOf([feed.name, feed.kind, item.id ?? link, textHash, instrument]),
      kind: feed.kind,
      source: `feed:${feed.name}+${LEXICON}`,
      instrument,
      eventTime: published,
      value: tone.value,
      confidence: tone.confidence,
      validFrom: published,
      validUntil: published + feed.validForMs * US_PER_MS,
      textHash,
      link,
      causes: [],
      receivedAt,
    };
  });
  return checked(signals);
}

/** Signals, or why the first of them would be refused by the engine too. */
export function checked(signals: readonly ContextSignal[]): Interpreted {
  for (const signal of signals) {
    const refusal = refusalOfSignal(signal);
    if (refusal !== undefined) return { kind: 'refused', refusal };
  }
  return { kind: 'signals', signals };
}

export function malformed(detail: string): Interpreted {
  return { kind: 'refused', refusal: { reason: 'MALFORMED', detail } };
}

/** An identity made from what makes a signal what it is: the same content is the same signal, whenever it is read. */
export function signalIdOf(content: readonly (string | number | null)[]): string {
  return sha256Hex(canonicalJson(content)).slice(0, ID_HEX_DIGITS);
}

/** The instruments of which a keyword is in a text, as a whole word in any case, in the order of the configuration. */
export function instrumentsNamedIn(text: string, instruments: Instruments): readonly string[] {
  const words = ` ${wordsOf(text)} `;
  return Object.entries(instruments).flatMap(([name, { keywords }]) =>
    keywords.some((keyword) => words.includes(` ${wordsOf(keyword)} `)) ? [name] : [],
  );
}

function wordsOf(text: string): string {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(' ');
}

/** A link as a record may have it: an http or https URL in ASCII; null for anything else. */
export function linkOf(text: string | undefined): string | null {
  if (text === undefined || !URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return null;
  // Nobody's password belongs on the tape.
  url.username = '';
  url.password = '';
  return url.href.length > SIGNAL_LINK_LENGTH_MAX ? null : url.href;
}
