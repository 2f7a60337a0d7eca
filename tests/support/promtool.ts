import { spawnSync } from 'node:child_process';

/** Prometheus' own checker, of the Debian package `prometheus`; .ci/run fetches it. */
export const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
/** For the title of a suite that is skipped without it. */
export const PROMTOOL_NOTE = hasPromtool ? '' : ' (skipped: no promtool here)';

/** @returns its exit code, and all that it said. */
export function promtool(
  words: readonly string[],
  input = '',
): { readonly exitCode: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync('promtool', words, { input, encoding: 'utf8' });
  return { exitCode: status, said: `${stdout}${stderr}` };
}
