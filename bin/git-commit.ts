import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The running commit, with `+changes` where the work tree differs; 'unknown' outside a git checkout. */
export async function gitCommit(): Promise<string> {
  const git = async (...words: string[]) =>
    (await promisify(execFile)('git', ['-C', import.meta.dirname, ...words], { encoding: 'utf8' })).stdout.trim();
  try {
    const commit = await git('rev-parse', 'HEAD');
    return (await git('status', '--porcelain', '--untracked-files=no')) === '' ? commit : `${commit}+changes`;
  } catch {
    return 'unknown';
  }
}
