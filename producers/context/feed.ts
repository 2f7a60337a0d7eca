import { parseFeed } from 'feedsmith';

/** Items of one feed that are read; what follows is counted. */
export const ITEMS_MAX = 1_000;
const TEXT_LENGTH_MAX = 10_000;

/** An item of a feed, in the words of its format. */
export interface FeedItem {
  /** Its place in the feed, from 1. */
  readonly position: number;
  /** As the source gives it; undefined when it gives none. */
  readonly id: string | undefined;
  readonly link: string | undefined;
  /** Title and summary without markup: the text that is scored. Empty when it has neither. */
  readonly text: string;
  /** When it was published, or last changed, as the feed says; undefined when it does not. */
  readonly published: string | undefined;
}

export interface Feed {
  readonly items: readonly FeedItem[];
  /** Items beyond {@link ITEMS_MAX}. */
  readonly notRead: number;
}

/**
 * Reads a feed: RSS, RDF, Atom or JSON Feed.
 *
 * @returns a sentence's end that says why it is not one. A document type definition is refused: a feed needs none, and it
 *   could define entities without end, or name files.
 */
export function readFeed(text: string): Feed | string {
  if (/<!\s*(?:DOCTYPE|ENTITY)/i.test(text)) return 'it has a document type definition, which a feed does not need';
  let parsed: ReturnType<typeof parseFeed>;
  try {
    parsed = parseFeed(text);
  } catch {
    return 'it is not a readable RSS, RDF, Atom or JSON feed';
  }
  const all = itemsOf(parsed);
  return { items: all.slice(0, ITEMS_MAX), notRead: Math.max(0, all.length - ITEMS_MAX) };
}

function itemsOf(parsed: ReturnType<typeof parseFeed>): readonly FeedItem[] {
  switch (parsed.format) {
    case 'rss':
      return (parsed.feed.items ?? []).map(({ guid, link, title, description, pubDate }, index) =>
        itemOf(index, { id: guid?.value, link, texts: [title, description], published: pubDate }),
      );
    case 'rdf':
      return (parsed.feed.items ?? []).map(({ link, title, description, dc }, index) =>
        itemOf(index, { id: link, link, texts: [title, description], published: dc?.dates?.[0] }),
      );
    case 'atom':
      return (parsed.feed.entries ?? []).map(({ id, links, title, summary, published, updated }, index) =>
        itemOf(index, {
          id,
          link: (links?.find(({ rel }) => rel === undefined || rel === 'alternate') ?? links?.[0])?.href,
          texts: [title?.value, summary?.value],
          // An entry that is changed is news of that moment.
          published: updated ?? published,
        }),
      );
    case 'json':
      return (parsed.feed.items ?? []).map((item, index) =>
        itemOf(index, {
          id: item.id,
          link: item.url,
          texts: [item.title, item.summary ?? item.content_text ?? item.content_html],
          published: item.date_modified ?? item.date_published,
        }),
      );
  }
}

interface RawItem {
  readonly id: string | undefined;
  readonly link: string | undefined;
  readonly texts: readonly (string | undefined)[];
  readonly published: unknown;
}

function itemOf(index: number, { id, link, texts, published }: RawItem): FeedItem {
  const text = texts.flatMap((part) => (part === undefined ? [] : [plainTextOf(part)])).filter((part) => part !== '');
  return {
    position: index + 1,
    id,
    link,
    text: text.join('\n').slice(0, TEXT_LENGTH_MAX),
    published: typeof published === 'string' ? published : undefined,
  };
}

function plainTextOf(markup: string): string {
  const cut = markup.slice(0, TEXT_LENGTH_MAX);
  // The cut may have left a tag open.
  const whole = cut.length < markup.length ? cut.replace(/<[^<>]*$/, '') : cut;
  return whole
    .replace(/<[^<>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
