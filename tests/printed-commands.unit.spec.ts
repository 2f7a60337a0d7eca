import { CommanderError, type Command } from 'commander';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { buildProgram } from '../bin/program.ts';
import { commandsIn, wordsOf } from './support/printed-commands.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const MAKEFILE = readFileSync(join(REPOSITORY, 'Makefile'), 'utf8');
/** The texts that people read: pages, and sources with their messages and help texts. */
const READ = /\.(?:md|tsx?|js|yml|yaml)$|^Makefile$/;
const MISSING_OPTION = 'commander.missingMandatoryOptionValue';
const NOT_READ = /\.spec\.ts$|^tests\/|^contracts\/generated\/|^package-lock/;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: REPOSITORY,
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => READ.test(path) && !NOT_READ.test(path));

const printed = files.flatMap((path) =>
  commandsIn(readFileSync(join(REPOSITORY, path), 'utf8')).map(({ line, text }) => ({
    place: `${path}:${line}`,
    text,
  })),
);

/** The real program, in which nothing is run and nothing printed. */
function silenced(command: Command): Command {
  command.exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  // A group without its own action keeps none: then a word that is not one of its commands is detected.
  if (Reflect.get(command, '_actionHandler') !== null) command.action(() => undefined);
  for (const child of command.commands) silenced(child);
  return command;
}

/** A group's name alone (`tapeproof tape`) names it. */
function isGroup(words: readonly string[]): boolean {
  let command: Command | undefined = buildProgram();
  for (const word of words) command = command?.commands.find((child) => child.name() === word);
  return command !== undefined && command.commands.length > 0;
}

/** @returns the problem of a command; undefined where it would run. */
async function faultOf(text: string): Promise<string | undefined> {
  const [program = '', ...words] = wordsOf(text);
  if (program === 'make') {
    const missing = words.find((target) => !new RegExp(`^${target}:`, 'm').test(MAKEFILE));
    return missing === undefined ? undefined : `the Makefile has no target ${missing}`;
  }
  if (program === 'npm') {
    const script = words.slice(1).find((word) => !word.startsWith('-')) ?? '';
    return script in packageJson.scripts ? undefined : `package.json has no script ${script}`;
  }
  if (isGroup(words)) return undefined;
  try {
    await silenced(buildProgram()).parseAsync(words, { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return undefined;
    // Without any option it is a mere name: its help lists what it needs.
    const isName = !words.some((word) => word.startsWith('-'));
    if (isName && error instanceof CommanderError && error.code === MISSING_OPTION) return undefined;
    return (error as Error).message;
  }
}

describe('a command that is printed', () => {
  it('parses, in each message, page and help text', async () => {
    const faults: string[] = [];
    for (const { place, text } of printed) {
      const fault = await faultOf(text);
      if (fault !== undefined) faults.push(`${place}: ${text}: ${fault}`);
    }
    expect(faults).toEqual([]);
  });

  it('is found in pages, help texts and messages', () => {
    for (const path of [
      'README.md',
      'docs/add-a-projector.md',
      'docs/operations.md',
      'docs/alerts.md',
      'bin/commands/',
      'platform/kafka/',
      'evaluators/',
    ]) {
      expect(printed.filter(({ place }) => place.startsWith(path)).length).toBeGreaterThan(0);
    }
    expect(printed.length).toBeGreaterThan(100);
  });

  it('parses also where the operations book leaves its program out', async () => {
    const names = new Set(buildProgram().commands.map((command) => command.name()));
    const page = readFileSync(join(REPOSITORY, 'docs', 'operations.md'), 'utf8');
    const bare = [...page.matchAll(/`([a-z-]+(?: [^`]+)?)`/g)]
      .map(([, text = '']) => text)
      .filter((text) => names.has(text.split(' ')[0] ?? ''));
    expect(bare.length).toBeGreaterThan(5);
    for (const text of bare) expect(await faultOf(`tapeproof ${text}`), text).toBeUndefined();
  });

  it.each([
    ['npx tapeproof prophesy', 'unknown command'],
    ['npx tapeproof engine', undefined],
    ['npx tapeproof tape release', undefined],
    ['npx tapeproof tape release --trade 17', 'required option'],
    ['npx tapeproof engine walk', 'unknown command'],
    ['npx tapeproof projector rebuild', 'missing required argument'],
    ['npx tapeproof projector rebuild NAME --approve', 'unknown option'],
    ['npx tapeproof topics recreate raw.trades', 'Allowed choices'],
    ['npx tapeproof projector rebuild NAME --approve-difference', undefined],
    ['make coffee', 'no target coffee'],
    ['npm run nothing', 'no script nothing'],
  ])('%s: %s', async (text, fault) => {
    if (fault === undefined) expect(await faultOf(text)).toBeUndefined();
    else expect(await faultOf(text)).toContain(fault);
  });
});

it('takes commands from sentences, code and help texts', () => {
  const text = [
    'Run "npx tapeproof stack up", or `tapeproof audit ID --trades`.',
    '    npx tapeproof topics apply && npx tapeproof migrate',
    '  $ npx tapeproof tape cancel --trade 1 --reason "busted by it"`,',
    '    npx tapeproof engine run &  npx tapeproof projector run candles &',
    '    TAPEPROOF_KAFKA_BROKERS=… npx tapeproof topics check --durable',
    '    make demo     # everything',
    '`npm run bench`, and words that make no sense.',
  ].join('\n');
  expect(commandsIn(text).map((found) => found.text)).toEqual([
    'npx tapeproof stack up',
    'tapeproof audit ID --trades',
    'npx tapeproof topics apply',
    'npx tapeproof migrate',
    'npx tapeproof tape cancel --trade 1 --reason "busted by it"',
    'npx tapeproof engine run',
    'npx tapeproof projector run candles',
    'npx tapeproof topics check --durable',
    'make demo',
    'npm run bench',
  ]);
});
