import { Option, type Command } from 'commander';
import type { ActivateOptions } from '../actions/activate.ts';
import { DEFAULT_CONFIGURATION_FILE, parseOptionalStatement, parseRevoked } from './options.ts';

export function registerActivate(program: Command): void {
  program
    .command('activate')
    .description('put this engine version and a configuration in force, from the end of the tape on')
    .option('--config <file>', 'engine configuration', DEFAULT_CONFIGURATION_FILE)
    .addOption(
      new Option('--actor <name>', 'who activates it')
        .env('TAPEPROOF_ACTOR')
        .default('', 'you, as git knows you')
        .argParser(parseOptionalStatement),
    )
    .addOption(
      new Option('--reason <text>', 'why, for people')
        .env('TAPEPROOF_REASON')
        .default('', 'nothing')
        .argParser(parseOptionalStatement),
    )
    .addOption(
      new Option('--approver <name>', 'who approved it')
        .env('TAPEPROOF_APPROVER')
        .default('', 'nothing')
        .argParser(parseOptionalStatement),
    )
    .option('--allow-dirty', 'also with uncommitted changes of the code: the activation records them')
    .addOption(
      new Option(
        '--revoke <activation>',
        'pass over an activation of another engine version that nobody ordered; may be repeated',
      )
        .default([], 'none')
        .argParser(parseRevoked),
    )
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
The activation stays on the tape with who activated it and why: "npx tapeproof report activations" lists all. Code that
differs from its commit is refused unless --allow-dirty is given, or TAPEPROOF_ALLOW_DIRTY is 1.

Examples:
  $ npx tapeproof activate --reason "shorter horizon" --approver "Jo Doe"
  $ npx tapeproof activate --revoke 0b9e7c52-6c0e-4a58-9d0b-1f6a2f0f8f11 --reason "nobody ordered engine 999"`,
    )
    .action(async (options: ActivateOptions) => {
      const { activateEngine } = await import('../actions/activate.ts');
      await activateEngine(options);
    });
}
