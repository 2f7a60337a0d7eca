import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addressOf, CONTENTS } from './contents.ts';
import { stagedSite, StagingError } from './staging.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const listed = CONTENTS.flatMap(({ pages }) => pages);

describe('the sidebar', () => {
  it('has each page of the repository exactly once', () => {
    const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: REPOSITORY });
    expect(listed.map(({ source }) => source).sort()).toEqual(pages.sort());
  });

  it.each([
    ['titles', listed.map(({ title }) => title)],
    ['addresses', listed.map(({ source }) => addressOf(source))],
    ['sections', CONTENTS.map(({ title }) => title)],
  ])('repeats no %s', (_what, all) => {
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('a page of the site', () => {
  const texts: Readonly<Record<string, string>> = {
    'README.md': '',
    'docs/audit.md': '',
    'docs/decisions/README.md': '',
    'pipeline.ts': 'export const a = 1;\n',
    '.dependency-cruiser.cjs': 'module.exports = {};\n',
  };
  const EXISTING = ['docs/other.md', 'docs/openapi.json', 'docs/pictures/live.png'];
  const staged = (source: string, text: string) =>
    stagedSite(
      Object.keys({ ...texts, [source]: text })
        .filter((path) => path.endsWith('.md'))
        .map((path) => ({ title: path, source: path })),
      {
        exists: (path) => path in texts || EXISTING.includes(path),
        textOf: (path) => (path === source ? text : (texts[path] ?? '')),
      },
    );
  const shown = (text: string) => staged('docs/page.md', text).pages.get('/page.md');

  it.each([
    ['[a](audit.md)', '[a](/audit)'],
    ['[a](audit.md#reports)', '[a](/audit#reports)'],
    ['[a](../README.md)', '[a](/index)'],
    ['[a](decisions)', '[a](/decisions/index)'],
    ['[a](decisions/README.md)', '[a](/decisions/index)'],
    ['[a](#here) [b](https://example.com/audit.md)', '[a](#here) [b](https://example.com/audit.md)'],
    ['[a](../pipeline.ts)', '[a](/source/pipeline-ts)'],
    ['[`a`](../.dependency-cruiser.cjs)', '[`a`](/source/-dependency-cruiser-cjs)'],
    ['![a](pictures/live.png)', '![a](/files/docs/pictures/live.png)'],
    ['`[a](audit.md)` [a](audit.md)', '`[a](audit.md)` [a](/audit)'],
    ['```md\n[a](audit.md)\n```\n[a](audit.md)', '```md\n[a](audit.md)\n```\n[a](/audit)'],
  ])('%j links as %j', (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  it('has a page for each source that it links to', () => {
    const { pages } = staged('docs/page.md', '[a](../pipeline.ts)');
    expect(pages.get('/source/pipeline-ts.md')).toBe('# pipeline.ts\n\n````ts\nexport const a = 1;\n````\n');
  });

  it('has a copy of each file that a browser shows', () => {
    const { copies } = staged('docs/page.md', '[a](openapi.json) ![b](../docs/pictures/live.png)');
    expect([...copies]).toEqual([
      ['public/files/docs/openapi.json', 'docs/openapi.json'],
      ['public/files/docs/pictures/live.png', 'docs/pictures/live.png'],
    ]);
  });

  it.each([
    ['[a](other.md)', 'docs/page.md links to docs/other.md, which site/contents.ts does not list.'],
    ['[a](missing.md)', 'docs/page.md links to docs/missing.md, which does not exist.'],
    ['[a](../missing.ts)', 'docs/page.md links to missing.ts, which does not exist.'],
    ['![a](pictures/missing.png)', 'docs/page.md links to docs/pictures/missing.png, which does not exist.'],
  ])('is refused with %s', (text, sentence) => {
    expect(() => staged('docs/page.md', text)).toThrow(new StagingError(sentence));
  });
});
