import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refuseUncommitted } from './actions/activate.ts';
import { buildSource } from './git-commit.ts';

let folder: string;
let commit: string;

const git = (...words: string[]): string =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words], {
    encoding: 'utf8',
  }).trim();

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'tapeproof-commit-')));
  for (const name of ['bin', 'config', 'installed']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'bin', 'cli.ts'), '1');
  writeFileSync(join(folder, 'config', 'engine.yaml'), '1');
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'first');
  commit = git('rev-parse', 'HEAD');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the source of a build', () => {
  it('is its commit, also with a changed configuration, which is on the tape', async () => {
    writeFileSync(join(folder, 'config', 'engine.yaml'), '2');
    expect(await buildSource({}, folder)).toEqual({ commit, hasUncommittedChanges: false });
  });

  it('names changes of the code, which are refused unless they are allowed', async () => {
    writeFileSync(join(folder, 'bin', 'cli.ts'), '2');
    const source = await buildSource({}, folder);
    expect(source).toEqual({ commit: `${commit}+changes`, hasUncommittedChanges: true });
    expect(() => {
      refuseUncommitted(source, false);
    }).toThrow('add --allow-dirty');
    refuseUncommitted(source, true);
    refuseUncommitted({ ...source, hasUncommittedChanges: null }, false);
  });

  it('is not the commit of a project that it is installed in', async () => {
    const installed = join(folder, 'installed');
    const unknown = { commit: 'unknown', hasUncommittedChanges: null };
    expect(await buildSource({}, installed)).toEqual(unknown);
    expect(await buildSource({ TAPEPROOF_GIT_COMMIT: '' }, installed)).toEqual(unknown);
  });

  it('is named by the environment where there is no checkout', async () => {
    const installed = join(folder, 'installed');
    const named = { commit: 'abcdef0123', hasUncommittedChanges: null };
    expect(await buildSource({ TAPEPROOF_GIT_COMMIT: 'abcdef0123' }, installed)).toEqual(named);
    await expect(buildSource({ TAPEPROOF_GIT_COMMIT: 'main; rm' }, installed)).rejects.toThrow('is not a commit');
    expect((await buildSource({ TAPEPROOF_GIT_COMMIT: 'abcdef0123' }, folder)).commit).toContain(commit);
  });
});
