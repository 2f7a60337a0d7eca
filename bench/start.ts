import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { figureOf, type Figure } from './figure.ts';

const LAUNCHER = join(import.meta.dirname, '..', 'bin', 'tapeproof.js');
const SECONDS_PER_MINUTE = 60;
const HELP_SECONDS_BELOW = 0.3;
const COMMAND_SECONDS_BELOW = 0.6;
const HELP = [['--help'], ['--version'], ['audit', '--help']] as const;
/** Each ends as soon as it finds no service, or nothing to read. */
const COMMANDS: readonly (readonly string[])[] = [
  ['ingest', 'venues'],
  ['stack', 'status'],
  ['projector', 'list'],
  ['migrate'],
  ['scoreboard'],
  ['audit', 'decision-0-1-0'],
  ['activate'],
  ['derive', '--trades', 'missing.csv'],
  ['backtest', '--trades', 'missing.csv'],
];
const NOBODY = {
  TAPEPROOF_KAFKA_BROKERS: '127.0.0.1:1',
  TAPEPROOF_REGISTRY_URL: 'http://127.0.0.1:1',
  TAPEPROOF_POSTGRES_URL: 'postgres://nobody@127.0.0.1:1/nothing',
  TAPEPROOF_REDIS_URL: 'redis://127.0.0.1:1',
};

/** CPU time that commands take to start, including the launcher but not npx. Needs no services. */
export function measureStart(runs: number): Figure[] {
  const how = 'user and system time of the launcher and its child, with the sources compiled by an earlier run';
  const figure = (words: readonly string[], below: number): Figure => {
    cpuSecondsOf(words);
    const values = Array.from({ length: runs }, () => cpuSecondsOf(words));
    return figureOf(`start: ${words.join(' ')}`, 's of CPU', values, how, { below });
  };
  return [
    ...HELP.map((words) => figure(words, HELP_SECONDS_BELOW)),
    ...COMMANDS.map((words) => figure(words, COMMAND_SECONDS_BELOW)),
  ];
}

/** A shell reports its children's CPU time: Node does not. */
function cpuSecondsOf(words: readonly string[]): number {
  const script = 'node "$0" "$@" >/dev/null 2>&1; times';
  const { stdout } = spawnSync('sh', ['-c', script, LAUNCHER, ...words], {
    encoding: 'utf8',
    env: { ...process.env, ...NOBODY },
  });
  const ofChildren = stdout.trim().split('\n')[1] ?? '';
  return [...ofChildren.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * SECONDS_PER_MINUTE + Number(seconds),
    0,
  );
}
