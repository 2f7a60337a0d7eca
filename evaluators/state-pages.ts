import { canonicalJson } from '../contracts/canonical-json.ts';
import { StatePage } from '../contracts/state-page.ts';

/**
 * A state is written as a head, which is canonical JSON, and pages, which the head names in their places. A page is
 * written by the first of consecutive anchors that have it: what does not change is written once, and no piece of a
 * state grows with the state.
 *
 *     state  = { …, ids: StatePage, parts: [StatePart, StatePart] }
 *     head   = { …, ids: { page: hash, writtenAt: tape offset }, parts: [{ part: hash, writtenAt: tape offset }, …] }
 *
 * A page is bytes of a form of their own, or a *part*: canonical JSON, which may name further pages. Anything in a
 * state may be a page, and any object or array a part.
 */

/** A page's place in the head or in a part. */
interface PageReference {
  /** Hash of a page that is not JSON. */
  readonly page?: string;
  /** Hash of a part. */
  readonly part?: string;
  /** Tape offset of the anchor that wrote it. */
  readonly writtenAt: number;
}

/** The pages that an anchor's head names, directly and through parts: hash to the tape offset of the anchor that wrote it. */
export type PageOrigins = ReadonlyMap<string, number>;

/** Pages by their hash. */
export type PagesByHash = ReadonlyMap<string, StatePage>;

/** A state in the form that an anchor writes. */
export interface PagedState {
  readonly head: Buffer;
  readonly origins: PageOrigins;
  /** The pages that the anchor before does not name, each once; a part after those that it names. */
  readonly fresh: readonly StatePage[];
}

/** Content that is written as a page. Whoever keeps one must replace it when the content changes. */
export class StatePart<Content extends object = object> {
  readonly content: () => Content;
  /** Its hash and the pages that it names, once it was written. */
  written: { readonly hash: string; readonly names: PageOrigins } | undefined;

  /** @param content - gives it when it must be written: one that the last anchor has is not. */
  constructor(content: () => Content) {
    this.content = content;
  }

  toJSON(): Content {
    return this.content();
  }
}

/** Content of a state that may be written as a part; restored, it is the content itself. */
export type Part<Content extends object> = Content | StatePart<Content>;

export function contentOf<Content extends object>(part: Part<Content>): Content {
  return part instanceof StatePart ? part.content() : part;
}

/**
 * Takes the pages out of a state: a function of the state and of the anchor before, so that a restart changes nothing.
 *
 * @param offset - tape offset of the anchor.
 * @param before - the pages that the anchor before names.
 */
export function toPagedState(state: object, offset: number, before: PageOrigins): PagedState {
  const fresh: StatePage[] = [];
  const origins = new Map<string, number>();
  /** The pages named since the part that is being written began. */
  let names = new Map<string, number>();

  const referenceTo = (kind: 'page' | 'part', hash: string): PageReference => {
    const writtenAt = before.get(hash) ?? offset;
    names.set(hash, writtenAt);
    origins.set(hash, writtenAt);
    return kind === 'page' ? { page: hash, writtenAt } : { part: hash, writtenAt };
  };
  const write = (page: StatePage): void => {
    if (!before.has(page.hash) && !origins.has(page.hash)) fresh.push(page);
  };
  const writePart = (part: StatePart): PageReference => {
    const outer = names;
    let { written } = part;
    if (written === undefined || !before.has(written.hash)) {
      names = new Map();
      const page = StatePage.of(Buffer.from(canonicalJson(part.content(), replaced), 'utf8'));
      written = part.written = { hash: page.hash, names };
      write(page);
    }
    names = outer;
    for (const [hash, writtenAt] of written.names) {
      names.set(hash, writtenAt);
      origins.set(hash, writtenAt);
    }
    return referenceTo('part', written.hash);
  };
  const replaced = (value: object): object => {
    if (value instanceof StatePart) return writePart(value as StatePart);
    if (!(value instanceof StatePage)) return value;
    write(value);
    return referenceTo('page', value.hash);
  };

  const head = Buffer.from(canonicalJson(state, replaced), 'utf8');
  return { head, origins, fresh };
}

/** The pages that JSON names, not those that its parts name. @throws SyntaxError when it is not JSON. */
export function namesIn(json: Buffer): readonly (PageReference & { readonly hash: string })[] {
  const names: (PageReference & { readonly hash: string })[] = [];
  JSON.parse(json.toString('utf8'), (_key, value: unknown) => {
    const hash = isReference(value) ? (value.part ?? value.page) : undefined;
    if (isReference(value) && hash !== undefined) names.push({ ...value, hash });
    return value;
  });
  return names;
}

/**
 * The pages that a head names, directly and through its parts.
 *
 * @throws SyntaxError when it or a part is not JSON; Error when a part is missing.
 */
export function pageOriginsOf(head: Buffer, pages: PagesByHash): PageOrigins {
  const origins = new Map<string, number>();
  const follow = (json: Buffer): void => {
    for (const { hash, part, writtenAt } of namesIn(json)) {
      origins.set(hash, writtenAt);
      if (part !== undefined) follow(pageIn(pages, part).bytes);
    }
  };
  follow(head);
  return origins;
}

/**
 * Restores the state from a head and its pages.
 *
 * @throws Error when a page is missing; SyntaxError when the head or a part is not JSON.
 */
export function fromPagedState(head: Buffer, pages: PagesByHash): unknown {
  return restored(head, (hash) => pageIn(pages, hash));
}

/**
 * The same as far as there are pages: a missing one stays the reference that names it, which may be written as JSON and
 * restored later.
 *
 * @throws SyntaxError when the head or a part is not JSON.
 */
export function fromSomePages(head: Buffer, pages: PagesByHash): unknown {
  return restored(head, (hash) => pages.get(hash));
}

function restored(json: Buffer, pageOf: (hash: string) => StatePage | undefined): unknown {
  return JSON.parse(json.toString('utf8'), (_key, value: unknown) => {
    if (!isReference(value)) return value;
    const page = pageOf(value.part ?? value.page ?? '');
    if (page === undefined) return value;
    return value.part === undefined ? page : restored(page.bytes, pageOf);
  });
}

function pageIn(pages: PagesByHash, hash: string): StatePage {
  const page = pages.get(hash);
  if (page === undefined) throw new Error(`the state's page ${hash} is missing`);
  return page;
}

function isReference(value: unknown): value is PageReference {
  return (
    typeof value === 'object' &&
    value !== null &&
    'writtenAt' in value &&
    typeof value.writtenAt === 'number' &&
    (('page' in value && typeof value.page === 'string') || ('part' in value && typeof value.part === 'string'))
  );
}
