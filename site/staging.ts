import { dirname, posix } from 'node:path';
import { addressOf, type Page } from './contents.ts';

/** Where a file that is not a page lies on the site: pictures, descriptions for programs. */
const FILES_ADDRESS = '/files';
/** Where the site shows a source file that a page links to. */
const SOURCES_ADDRESS = '/source';
/** Kinds of files that a browser shows or keeps as they are. */
const SHOWN_AS_IT_IS = /\.(?:png|svg|json|ya?ml)$/;
/** The name that a code block has for a file's language, where it is not its ending. */
const LANGUAGES: Readonly<Record<string, string>> = { cjs: 'js' };

/** A link's or a picture's target, in Markdown outside code. */
const TARGET = /(\]\()([^)\s]+)(\))/g;
/** What is code, and so has no links. */
const CODE = /(^ {0,6}(`{3,}|~{3,})[\s\S]*?^ {0,6}\2`*$|`+[^`\n]+`+)/m;
/** An address elsewhere, or a place on the same page. */
const ELSEWHERE = /^(?:[a-z]+:|#)/;

/** What the site's tool is given: texts of pages by file, and repository files by where they are copied to. */
export interface StagedSite {
  readonly pages: ReadonlyMap<string, string>;
  readonly copies: ReadonlyMap<string, string>;
}

/** The repository's files, by path. */
export interface SourceFiles {
  readonly exists: (path: string) => boolean;
  readonly textOf: (path: string) => string;
}

/** A page that cannot be on the site. The message is a sentence. */
export class StagingError extends Error {}

/**
 * The repository's pages as those of the site: each link to a page, a picture or a source leads to where the site has it.
 *
 * @throws StagingError where a page links to a page that the site does not have, or to a file that does not exist
 */
export function stagedSite(listed: readonly Page[], { exists, textOf }: SourceFiles): StagedSite {
  const sources = new Set(listed.map(({ source }) => source));
  const pages = new Map<string, string>();
  const copies = new Map<string, string>();
  const addressOfTarget = (target: string, from: string): string => {
    const [path = '', anchor] = target.split('#');
    const hash = anchor === undefined ? '' : `#${anchor}`;
    const file = posix.join(dirname(from), path);
    const readMe = posix.join(file, 'README.md');
    if (sources.has(file)) return addressOf(file) + hash;
    if (sources.has(readMe)) return addressOf(readMe) + hash;
    if (!exists(file)) throw new StagingError(`${from} links to ${file}, which does not exist.`);
    if (file.endsWith('.md')) throw new StagingError(`${from} links to ${file}, which site/contents.ts does not list.`);
    if (SHOWN_AS_IT_IS.test(file)) {
      copies.set(`public${FILES_ADDRESS}/${file}`, file);
      return `${FILES_ADDRESS}/${file}`;
    }
    const address = `${SOURCES_ADDRESS}/${file.replaceAll(/[^\w/]/g, '-').toLowerCase()}`;
    pages.set(`${address}.md`, sourcePage(file, textOf(file)));
    return address;
  };
  for (const { source } of listed) {
    const text = withoutCode(textOf(source), (prose) =>
      prose.replaceAll(TARGET, (link, before: string, target: string, after: string) =>
        ELSEWHERE.test(target) ? link : before + addressOfTarget(target, source) + after,
      ),
    );
    pages.set(`${addressOf(source)}.md`, text);
  }
  return { pages, copies };
}

/** Applies a change to everything in a page that is not code. */
function withoutCode(text: string, change: (prose: string) => string): string {
  const found = CODE.exec(text);
  if (found === null) return change(text);
  const end = found.index + found[0].length;
  return change(text.slice(0, found.index)) + found[0] + withoutCode(text.slice(end), change);
}

function sourcePage(path: string, text: string): string {
  const ending = /\.(\w+)$/.exec(path)?.[1] ?? 'txt';
  return `# ${path}\n\n\`\`\`\`${LANGUAGES[ending] ?? ending}\n${text}\`\`\`\`\n`;
}
