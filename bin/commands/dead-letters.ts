import { Option, type Command } from 'commander';
import { DEAD_LETTER_REASONS } from '../../platform/metrics/dead-letter-reasons.ts';
import type { ListDeadLettersOptions, RetryDeadLettersOptions } from '../actions/dead-letters.ts';
import { parseWholeNumber } from './options.ts';

export function registerDeadLetters(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description('list refused records and rows: where each came from, and why')
    .addOption(reasonOption())
    .option('--limit <n>', 'at most this many, newest last', parseWholeNumber, 100)
    .option('--json', 'print as JSON, payloads in base64')
    .action(async (options: ListDeadLettersOptions) => {
      const { listDeadLetters } = await import('../actions/dead-letters.ts');
      await listDeadLetters(options);
    });
  letters
    .command('retry')
    .description('take back records that were refused for their schema and can be read now; safe to run twice')
    .addOption(reasonOption())
    .option('--source <name>', 'only of this topic, or of one partition of it as in raw.trades-3')
    .option('--json', 'print as JSON')
    // Options of the same name belong to the command that they follow.
    .action(async (_: RetryDeadLettersOptions, command: Command) => {
      const { retryAllDeadLetters } = await import('../actions/dead-letters.ts');
      await retryAllDeadLetters(command.optsWithGlobals());
    });
}

function reasonOption(): Option {
  return new Option('--reason <code>', 'only this reason').choices(DEAD_LETTER_REASONS);
}
