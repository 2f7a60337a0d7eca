import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '..');
const GLOSSARY = 'docs/glossary.md';

/** The rows of the glossary's tables. */
const rows = [...readFileSync(join(REPOSITORY, GLOSSARY), 'utf8').matchAll(/^\| ([^|]+) \| (.+) \|$/gm)]
  .map(([, word = '', meaning = '']) => ({ word, meaning }))
  .filter(({ word }) => word !== 'word');
/** Words with a row of their own, without what stands in brackets, and those that a meaning introduces. */
const terms = rows.flatMap(({ word, meaning }) => [
  ...word.replace(/ \(.*\)/, '').split(', '),
  ...[...meaning.matchAll(/\*\*([^*]+)\*\*/g)].map(([, introduced = '']) => introduced),
]);
/** In small letters, and without hyphens: a file's name may have the word. */
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: REPOSITORY })
  .filter((page) => page !== GLOSSARY)
  .map((page) => readFileSync(join(REPOSITORY, page), 'utf8'))
  .join('\n')
  .toLowerCase()
  .replaceAll('-', ' ');

describe('the glossary', () => {
  it('gives each word one meaning', () => {
    const repeated = terms.filter((term, at) => terms.indexOf(term) !== at);
    expect(repeated).toEqual([]);
    expect(terms.length).toBeGreaterThan(60);
  });

  it('has only words that a page uses', () => {
    expect(terms.filter((term) => !pages.includes(term.toLowerCase().replaceAll('-', ' ')))).toEqual([]);
  });

  it('names records as the contracts do', () => {
    const records = rows.flatMap(({ word }) => [...word.matchAll(/`([A-Z]\w+)`/g)].map(([, record = '']) => record));
    const schemas = globSync('contracts/events/*.avsc', { cwd: REPOSITORY }).join('\n');
    expect(records.length).toBeGreaterThan(5);
    expect(records.filter((record) => !schemas.includes(`/${record}.avsc`))).toEqual([]);
  });
});
