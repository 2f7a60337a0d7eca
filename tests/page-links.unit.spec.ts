import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf, deadLinksOf, linksOf, type Repository } from './support/page-links.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: REPOSITORY });

const files: Repository = {
  textOf: (page) => (page.endsWith('.md') ? readFileSync(join(REPOSITORY, page), 'utf8') : undefined),
  exists: (path) => existsSync(join(REPOSITORY, path)),
};

describe('a page', () => {
  it.each(pages)('%s links to what there is, headings included', (page) => {
    expect(deadLinksOf(page, files)).toEqual([]);
  });

  it('is found, with links to headings', () => {
    expect(pages.length).toBeGreaterThan(30);
    const links = pages.flatMap((page) => linksOf(files.textOf(page) ?? ''));
    expect(links.filter((target) => target.includes('#')).length).toBeGreaterThan(50);
  });
});

describe('a dead link', () => {
  const texts: Readonly<Record<string, string>> = {
    'README.md': '# One\n[a](docs/a.md) [two](docs/a.md#two-words) [here](#one) [code](pipeline.ts)\n',
    'docs/a.md': '# A\n## Two words\n## `code`, and more!\n## Two words\n[back](../README.md) ![p](picture.png)\n',
  };
  const deadIn = (page: string, text: string) => {
    const all = { ...texts, [page]: text };
    return deadLinksOf(page, {
      textOf: (path) => all[path],
      exists: (path) => path in all || path === 'pipeline.ts' || path === 'docs/picture.png',
    });
  };

  it.each(Object.entries(texts))('is in none of %s', (page, text) => {
    expect(deadIn(page, text)).toEqual([]);
  });

  it.each([
    '[x](b.md)',
    '[x](#three)',
    '[x](a.md#three)',
    '[x](../README.md#two-words)',
    '![x](missing.png)',
    '[x](a.md#two-words-2)',
    '[x](a.md#Two-words)',
  ])('is found: %s', (link) => {
    expect(deadIn('docs/b2.md', `# B\n${link}\n`)).toHaveLength(1);
  });

  it.each([
    '[x](a.md#two-words-1)',
    '[x](a.md#code-and-more)',
    '`[x](b.md)`',
    '```md\n[x](b.md)\n```',
    '[x](https://example.com/b.md)',
  ])('is not %s', (link) => {
    expect(deadIn('docs/b2.md', `# B\n${link}\n`)).toEqual([]);
  });

  it('is judged by the anchors of headings alone', () => {
    expect([...anchorsOf('# A `b_c` – [d](e.md)\n```\n# no heading\n```\n')]).toEqual(['a-b_c--d']);
  });
});
