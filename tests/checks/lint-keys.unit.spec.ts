import { describe, expect, it } from 'vitest';
import { lintKeys } from './lint-keys.ts';

const FILES: Readonly<Record<string, string>> = {
  'a/top.ts': "import { middle } from '../b/middle.ts';\nexport const top = middle;\n",
  'b/middle.ts': "export { type Deep as middle } from './deep.ts';\n",
  'b/deep.ts': 'export type Deep = number;\n',
  'b/alone.ts': 'export const alone = 1;\n',
};
const PATHS = Object.keys(FILES);

/** The files whose key changes with another text or other rules. */
function changedBy(changes: Readonly<Record<string, string | undefined>>, common = 'rules'): string[] {
  const before = lintKeys(PATHS, (path) => FILES[path], 'rules');
  const after = lintKeys(PATHS, (path) => (path in changes ? changes[path] : FILES[path]), common);
  return PATHS.filter((path) => before.get(path) !== after.get(path));
}

describe('the key of a lint result', () => {
  it('stays where nothing has changed', () => {
    expect(changedBy({})).toEqual([]);
  });

  it('changes with the file, and with a file that it imports, directly or not', () => {
    expect(changedBy({ 'b/alone.ts': 'export const alone = 2;\n' })).toEqual(['b/alone.ts']);
    expect(changedBy({ 'b/deep.ts': 'export type Deep = Promise<number>;\n' })).toEqual([
      'a/top.ts',
      'b/middle.ts',
      'b/deep.ts',
    ]);
  });

  it('changes where an imported file is gone', () => {
    expect(changedBy({ 'b/deep.ts': undefined })).toContain('a/top.ts');
  });

  it('changes for every file with rules, packages or global declarations', () => {
    expect(changedBy({}, 'other rules')).toEqual(PATHS);
    expect(changedBy({ 'b/alone.ts': 'declare global {\n  var here: number;\n}\nexport {};\n' })).toEqual(PATHS);
  });
});
