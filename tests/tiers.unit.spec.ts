import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '..');
/** The names by which vitest.config.ts finds the tests of a tier. */
const OF_A_TIER = /\.(?:unit|contract|slow|integration|long)\.spec\.ts$/;

it('every file of tests is in a tier: another would never run', () => {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '*.spec.*'];
  const files = execFileSync('git', list, { cwd: REPOSITORY, encoding: 'utf8' }).trim().split('\n');
  expect(files.length).toBeGreaterThan(1);
  expect(files.filter((file) => !OF_A_TIER.test(file))).toEqual([]);
});
