import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildProgram } from './program.ts';

const REPOSITORY = join(import.meta.dirname, '..');
/** Imports that stay when the types are gone. */
const IMPORT = /^(?:import|export)\s+(?!type\s)(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;

/** Everything loaded with one of our modules, by following its imports: packages by name, our modules by path. */
function loadedWith(entry: string): { readonly packages: readonly string[]; readonly modules: readonly string[] } {
  const modules = new Set<string>([entry]);
  const packages = new Set<string>();
  for (const module of modules) {
    if (!module.endsWith('.ts')) continue;
    for (const [, name = ''] of readFileSync(module, 'utf8').matchAll(IMPORT)) {
      if (name.startsWith('.')) modules.add(join(dirname(module), name));
      else if (!name.startsWith('node:')) packages.add(name);
    }
  }
  return { packages: [...packages].sort(), modules: [...modules].map((module) => relative(REPOSITORY, module)) };
}

/** Every command with an action, with its words. */
function commandsOf(command: Command, words: readonly string[] = []): { words: string; command: Command }[] {
  if (command.commands.length === 0) return [{ words: words.join(' '), command }];
  return command.commands.flatMap((child) => commandsOf(child, [...words, child.name()]));
}

describe('the start of a command', () => {
  it('loads no library of a service until a command is called', () => {
    const { packages, modules } = loadedWith(join(REPOSITORY, 'bin', 'cli.ts'));
    // The names of the file formats are in the help, and are imported with their readers.
    expect(packages).toEqual(['commander', 'csv-parse/sync']);
    expect(modules).toContain('bin/commands/audit.ts');
    expect(modules.filter((module) => module.startsWith('bin/actions/'))).toEqual([]);
  });

  it('loads the reader of logs, whose library is slow to load, without that library', () => {
    const { packages, modules } = loadedWith(join(REPOSITORY, 'bin', 'actions', 'audit.ts'));
    expect(modules).toContain('platform/kafka/log-reader.ts');
    expect(packages).not.toContain('@platformatic/kafka');
  });
});

describe('the commands', () => {
  it('all can print JSON if they print anything except lines of JSON', () => {
    const without = commandsOf(buildProgram()).filter(
      ({ command }) => !command.options.some(({ long }) => long === '--json'),
    );
    // The first four print nothing, and derive prints events, a line of JSON each.
    expect(without.map(({ words }) => words)).toEqual([
      'engine run',
      'projector run',
      'checkpoints run',
      'witness',
      'derive',
    ]);
  });
});
