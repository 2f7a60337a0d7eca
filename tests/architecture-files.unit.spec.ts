import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '..');
/** Foreign and hidden folders. */
const FOREIGN = /^(?:node_modules|\..*)$/;
/** A file's name between backticks: `evaluators/engine.ts`, or `engine.ts` where the folder was named before. */
const NAMED_FILE = /`([\w./-]+\.ts)`/g;

/** Paths of all TypeScript files, each with a slash in front. */
const FILES: readonly string[] = readdirSync(REPOSITORY, { withFileTypes: true })
  .filter(({ name }) => !FOREIGN.test(name))
  .flatMap((entry) => {
    if (!entry.isDirectory()) return [`/${entry.name}`];
    const names = readdirSync(join(REPOSITORY, entry.name), { recursive: true, encoding: 'utf8' });
    return names.map((name) => `/${entry.name}/${name}`);
  })
  .filter((path) => path.endsWith('.ts'));

describe.each([
  'README.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'docs/dependencies.md',
  'docs/decisions/0006-real-data.md',
])('%s', (page) => {
  const text = readFileSync(join(REPOSITORY, page), 'utf8');

  it('names only existing files', () => {
    const named = [...text.matchAll(NAMED_FILE)].map(([, name = '']) => name);
    const missing = named.filter((name) => !FILES.some((path) => path.endsWith(`/${name}`)));
    expect(missing).toEqual([]);
  });
});

it('finds files to look for', () => {
  expect(readFileSync(join(REPOSITORY, 'ARCHITECTURE.md'), 'utf8').match(NAMED_FILE)?.length).toBeGreaterThan(50);
  expect(FILES).toContain('/evaluators/engine.ts');
});
