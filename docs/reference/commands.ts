import type { Argument, Command, Option } from 'commander';
import { join } from 'node:path';
import { buildProgram } from '../../bin/program.ts';
import { tableOf } from './table.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..', '/');
const MS_PER_MINUTE = 60_000;
/** Options whose default is parsed: as a person would write it. */
const WRITTEN_DEFAULTS: Readonly<Record<string, (value: unknown) => string>> = {
  '--min-horizon': (value) => `${Number(value) / MS_PER_MINUTE}m`,
};

/** docs/commands.md: every command of the program with its arguments, options, variables and examples. */
export function commandsPage(): string {
  const program = buildProgram();
  const groups = new Map<string, Command[]>();
  for (const command of program.commands) {
    const group = command.helpGroup().replace(/:$/, '');
    groups.set(group, [...(groups.get(group) ?? []), command]);
  }
  const sections = [...groups].map(
    ([group, commands]) => `## ${group}\n\n${commands.flatMap((each) => sectionsOf(each, each.name())).join('\n\n')}`,
  );
  return `# Commands

<!-- Generated from bin/program.ts by \`npm run generate\`. Do not edit. -->

Run each as \`npx tapeproof …\` in the project's folder; \`--help\` behind any of them says the same. The
[README](../README.md#commands) has a table of what they are for. An option with a variable takes its value from there where it is
not given; [variables](variables.md) lists all of them.

Exit codes, where a command does not list its own: 0 done, 1 the check failed, 2 bad usage or configuration, 3 a service is
unreachable. A command that is stopped by Ctrl-C ends with 130.

${sections.join('\n\n')}
`;
}

/** A command's section, and those of the commands in it. */
function sectionsOf(command: Command, words: string): string[] {
  const own = isRun(command) ? [sectionOf(command, words)] : [];
  return [...own, ...command.commands.flatMap((child) => sectionsOf(child, `${words} ${child.name()}`))];
}

/** A mere group of commands is not run. */
function isRun(command: Command): boolean {
  return command.commands.length === 0 || Reflect.get(command, '_actionHandler') !== null;
}

function sectionOf(command: Command, words: string): string {
  const { registeredArguments, options } = command;
  const usage = [
    `tapeproof ${words}`,
    ...(options.length === 0 ? [] : ['[options]']),
    ...registeredArguments.map(shown),
  ];
  const described = registeredArguments.filter(({ description }) => description !== '');
  const parts = [
    `### ${words}`,
    `    ${usage.join(' ')}`,
    sentence(command.description()),
    described.length === 0
      ? ''
      : tableOf(
          ['argument', 'meaning'],
          described.map((argument) => [`\`${argument.name()}\``, prose(argument.description)]),
        ),
    options.length === 0
      ? ''
      : tableOf(
          ['option', 'meaning', 'without it', 'variable'],
          options
            .filter(({ hidden }) => !hidden)
            .map((option) => [
              `\`${option.flags}\``,
              prose(option.description) + choicesOf(option),
              option.mandatory && option.defaultValue === undefined ? 'required' : defaultOf(option),
              option.envVar === undefined ? '' : `\`${option.envVar}\``,
            ]),
        ),
    afterText(command),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function shown(argument: Argument): string {
  const name = argument.name() + (argument.variadic ? '…' : '');
  return argument.required ? `<${name}>` : `[${name}]`;
}

function sentence(text: string): string {
  return `${prose(text.charAt(0).toUpperCase() + text.slice(1))}.`;
}

/** Help is plain text: what Markdown would take for markup is shown as it is. */
function prose(text: string): string {
  return text.replaceAll(/[<*]/g, '\\$&');
}

function choicesOf({ argChoices }: Option): string {
  return argChoices === undefined ? '' : ` (${argChoices.map((choice) => `\`${choice}\``).join(', ')})`;
}

function defaultOf({ long, defaultValue, defaultValueDescription, mandatory }: Option): string {
  if (mandatory) return 'required';
  if (defaultValueDescription !== undefined) return defaultValueDescription;
  if (defaultValue === undefined || (Array.isArray(defaultValue) && defaultValue.length === 0)) return '';
  const written = WRITTEN_DEFAULTS[long ?? '']?.(defaultValue) ?? String(defaultValue);
  return `\`${written}\``;
}

/** The examples and exit codes at the end of a command's help. */
function afterText(command: Command): string {
  let help = '';
  command.configureOutput({ writeOut: (text) => void (help += text) }).outputHelp();
  const after = help.slice(command.helpInformation().length);
  // Some defaults are folders of the project.
  const text = after.replaceAll(REPOSITORY, '').replaceAll(/^\n+|\s+$/g, '');
  return text === '' ? '' : `\`\`\`text\n${text}\n\`\`\``;
}
