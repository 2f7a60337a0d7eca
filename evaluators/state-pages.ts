import { canonicalJson } from '../contracts/canonical-json.ts';
import { StatePage } from '../contracts/state-page.ts';

/**
 * A state is written as a head, which is canonical JSON, and pages, which the head names in their places. A page is
 * written by the first of consecutive anchors that have it: a part that does not change is written once.
 *
 *     state  = { …, pages: [StatePage, StatePage] }
 *     head   = { …, pages: [{ page: hash, writtenAt: tape offset }, { page: hash, writtenAt: tape offset }] }
 *
 * Any part of a state may be a page.
 */

/** A page's place in the head. */
interface PageReference {
  /** Its hash. */
  readonly page: string;
  /** Tape offset of the anchor that wrote it. */
  readonly writtenAt: number;
}

/** The pages that an anchor's head names: hash to the tape offset of the anchor that wrote it. */
export type PageOrigins = ReadonlyMap<string, number>;

/** Pages by their hash. */
export type PagesByHash = ReadonlyMap<string, StatePage>;

/** A state in the form that an anchor writes. */
export interface PagedState {
  readonly head: Buffer;
  readonly origins: PageOrigins;
  /** The pages that the anchor before does not name, each once, in the order of the head. */
  readonly fresh: readonly StatePage[];
}

/**
 * Takes the pages out of a state: a function of the state and of the anchor before, so that a restart changes nothing.
 *
 * @param offset - tape offset of the anchor.
 * @param before - the pages that the anchor before names.
 */
export function toPagedState(state: object, offset: number, before: PageOrigins): PagedState {
  const origins = new Map<string, number>();
  const fresh: StatePage[] = [];
  const head = canonicalJson(state, (value) => {
    if (!(value instanceof StatePage)) return value;
    const { hash } = value;
    const writtenAt = before.get(hash) ?? offset;
    if (!before.has(hash) && !origins.has(hash)) fresh.push(value);
    origins.set(hash, writtenAt);
    return { page: hash, writtenAt } satisfies PageReference;
  });
  return { head: Buffer.from(head, 'utf8'), origins, fresh };
}

/** The pages that a head names. @throws SyntaxError when it is not JSON. */
export function pageOriginsOf(head: Buffer): PageOrigins {
  const origins = new Map<string, number>();
  JSON.parse(head.toString('utf8'), (_key, value: unknown) => {
    if (isReference(value)) origins.set(value.page, value.writtenAt);
    return value;
  });
  return origins;
}

/**
 * Restores the state from a head and its pages.
 *
 * @throws Error when a page is missing; SyntaxError when the head is not JSON.
 */
export function fromPagedState(head: Buffer, pages: PagesByHash): unknown {
  return JSON.parse(head.toString('utf8'), (_key, value: unknown) => {
    if (!isReference(value)) return value;
    const page = pages.get(value.page);
    if (page === undefined) throw new Error(`the state's page ${value.page} is missing`);
    return page;
  });
}

function isReference(value: unknown): value is PageReference {
  return (
    typeof value === 'object' &&
    value !== null &&
    'page' in value &&
    typeof value.page === 'string' &&
    'writtenAt' in value &&
    typeof value.writtenAt === 'number'
  );
}
