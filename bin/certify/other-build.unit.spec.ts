import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitOf, lastLineOf, otherBuildOf } from './other-build.ts';
import { environmentOfOthers } from './other-versions.ts';

/** A project whose build prints what it is given. */
const ENTRY = `process.stdout.write(process.argv.slice(2).join(' ') + ' ' + String(process.env.SECRET));`;

let folder: string;
let project: string;
const commits: string[] = [];

const git = (...words: string[]): string =>
  execFileSync('git', ['-C', project, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...words], {
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim();

function commit(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
  git('add', '--all');
  git('commit', '--quiet', '--message', 'next');
  commits.push(git('rev-parse', 'HEAD'));
}

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'tapeproof-other-build-')));
  project = join(folder, 'project');
  mkdirSync(join(project, 'bin'), { recursive: true });
  git('init', '--quiet');
  const manifest = JSON.stringify({ name: 'project', version: '1.0.0', dependencies: { gone: 'file:./gone' } });
  commit({
    'package.json': manifest,
    'package-lock.json': '{}',
    'bin/tapeproof.js': ENTRY,
    '.gitignore': 'node_modules',
  });
  commit({ 'package-lock.json': '{ "lockfileVersion": 3 }' });
  mkdirSync(join(project, 'node_modules'));
  writeFileSync(join(project, 'node_modules', 'installed'), '');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const signal = new AbortController().signal;
const said: string[] = [];
const options = () => ({
  ...{ project, folder: join(folder, 'builds'), environment: { PATH: process.env['PATH'] }, signal },
  announce: (sentence: string) => said.push(sentence),
});

describe('the build of another commit', () => {
  it('runs in a worktree with the same packages, which is gone afterwards', async () => {
    const build = await otherBuildOf(commits[1]!, options());
    const [worktree] = readdirSync(join(folder, 'builds'));
    expect(existsSync(join(folder, 'builds', worktree!, 'node_modules', 'installed'))).toBe(true);
    expect(said.join()).toContain(`Checking commit ${commits[1]!.slice(0, 12)} out`);
    process.env['SECRET'] = 'secret';
    expect(await build.run(['certify', '--json'], signal)).toMatchObject({
      ...{ exitCode: 0, stdout: 'certify --json undefined' },
    });
    delete process.env['SECRET'];
    await build.remove();
    expect(readdirSync(join(folder, 'builds'))).toEqual([]);
    expect(git('worktree', 'list').split('\n')).toHaveLength(1);
    // Not what the link led to.
    expect(existsSync(join(project, 'node_modules', 'installed'))).toBe(true);
  });

  it('is installed by npm where its lockfile is another one, and says where npm fails', async () => {
    said.length = 0;
    await expect(otherBuildOf(commits[0]!, options())).rejects.toThrow(/^"npm ci" fails for commit \w{12} \(npm error/);
    expect(said.join()).toContain('Installing its packages by "npm ci"');
    expect(readdirSync(join(folder, 'builds'))).toEqual([]);
  });

  it('is refused where the clone does not have the commit, is shallow, or there is none', async () => {
    await expect(otherBuildOf('0'.repeat(40), options())).rejects.toThrow(
      'is not in this clone: run "git fetch" first',
    );
    const shallow = join(folder, 'shallow');
    git('clone', '--quiet', '--depth', '1', `file://${project}`, shallow);
    await expect(otherBuildOf(commits[0]!, { ...options(), project: shallow })).rejects.toThrow(
      'the clone is shallow: run "git fetch --unshallow" first',
    );
    await expect(otherBuildOf(commits[0]!, { ...options(), project: folder })).rejects.toThrow('is not a git checkout');
  });

  it('is a commit without further changes', () => {
    expect(commitOf(commits[0]!)).toBe(commits[0]);
    expect(() => commitOf(`${commits[0]!}+changes`)).toThrow('with uncommitted changes: no commit has that code');
    expect(() => commitOf('unknown')).toThrow('names no commit');
  });
});

it('gives another build Kafka and the registry alone', () => {
  const environment = environmentOfOthers({
    ...{ PATH: '/bin', NODE_COMPILE_CACHE: 'here', TAPEPROOF_KAFKA_BROKERS: 'k:1', TAPEPROOF_REGISTRY_URL: 'http://r' },
    ...{ TAPEPROOF_POSTGRES_URL: 'postgres://u:secret@p/x', TAPEPROOF_REDIS_URL: 'redis://:secret@r' },
    TAPEPROOF_POSTGRES_MIGRATOR_URL: 'postgres://m:secret@p/x',
  });
  expect(environment).toMatchObject({
    PATH: '/bin',
    TAPEPROOF_KAFKA_BROKERS: 'k:1',
    TAPEPROOF_REGISTRY_URL: 'http://r',
  });
  expect(JSON.stringify(environment)).not.toMatch(/secret|here/);
});

it('repeats what npm says without addresses', () => {
  const text =
    'npm error code E401\nnpm error on https://user:secret@registry.example/x\nnpm error A complete log of this run can be found in: /x\n';
  expect(lastLineOf(text)).toBe('npm error on …');
  expect(lastLineOf('')).toBe('it says nothing');
});
