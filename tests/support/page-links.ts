import { posix } from 'node:path';

/** A link, or a picture, in Markdown. */
const TARGET = /\]\(([^)\s]+)\)/g;
/** An HTML address elsewhere. */
const ELSEWHERE = /^[a-z]+:/;
const FENCED = /^ {0,6}(`{3,}|~{3,})[\s\S]*?^ {0,6}\1`*$/gm;
const INLINE_CODE = /`[^`\n]+`/g;
const HEADING = /^#{1,6} +(.+?) *#*$/gm;
/** What GitHub drops of a heading when it makes its anchor. */
const NOT_IN_ANCHORS = /[^\p{Letter}\p{Mark}\p{Number}\p{Connector_Punctuation} -]/gu;

export interface Repository {
  /** @returns undefined where there is no such page */
  readonly textOf: (page: string) => string | undefined;
  readonly exists: (path: string) => boolean;
}

/** The links of a page that lead nowhere: to a file that does not exist, or to a heading that its page does not have. */
export function deadLinksOf(page: string, { textOf, exists }: Repository): string[] {
  return linksOf(textOf(page) ?? '').filter((target) => {
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : posix.join(posix.dirname(page), path);
    if (!exists(file)) return true;
    return anchor !== undefined && !anchorsOf(textOf(file) ?? '').has(anchor);
  });
}

/** The targets of a page's links, except addresses elsewhere. */
export function linksOf(text: string): string[] {
  const prose = text.replaceAll(FENCED, '').replaceAll(INLINE_CODE, '');
  return [...prose.matchAll(TARGET)].map(([, target = '']) => target).filter((target) => !ELSEWHERE.test(target));
}

/** The anchors of a page's headings, as GitHub makes them; a repeated heading has a number. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.replaceAll(FENCED, '').matchAll(HEADING)) {
    const shown = heading.replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1');
    const anchor = shown.toLowerCase().replaceAll(NOT_IN_ANCHORS, '').replaceAll(' ', '-');
    let numbered = anchor;
    for (let number = 1; anchors.has(numbered); number++) numbered = `${anchor}-${number}`;
    anchors.add(numbered);
  }
  return anchors;
}
