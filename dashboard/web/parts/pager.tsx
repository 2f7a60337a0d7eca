import { useState } from 'preact/hooks';

/** Which page of a list is shown. */
export interface Pages {
  /** The part of the query that names the page, with its ampersand; empty for the first one. */
  readonly query: string;
  /** 0 for the newest. */
  readonly index: number;
  readonly next: (cursor: string) => void;
  readonly first: () => void;
}

/** Pages by cursor; back at the first one whenever `filter` changes, because a cursor belongs to one list. */
export function usePages(filter: string): Pages {
  const first = { filter, cursor: '', index: 0 };
  const [held, setPlace] = useState(first);
  const place = held.filter === filter ? held : first;
  return {
    query: place.cursor === '' ? '' : `&cursor=${place.cursor}`,
    index: place.index,
    next: (cursor) => {
      setPlace({ filter, cursor, index: place.index + 1 });
    },
    first: () => {
      setPlace(first);
    },
  };
}

export function Pager({ pages, nextCursor }: { readonly pages: Pages; readonly nextCursor: string | null }) {
  if (pages.index === 0 && nextCursor === null) return null;
  return (
    <div class="toolbar pager">
      <button type="button" disabled={pages.index === 0} onClick={pages.first}>
        Newest
      </button>
      <button
        type="button"
        disabled={nextCursor === null}
        onClick={() => {
          if (nextCursor !== null) pages.next(nextCursor);
        }}
      >
        Older
      </button>
      <span class="muted small">page {pages.index + 1}</span>
    </div>
  );
}
