import type { Command } from 'commander';
import type { PublishOptions } from '../actions/publish.ts';
import { collect } from './options.ts';

export function registerPublish(program: Command): void {
  program
    .command('publish')
    .description('write each log as static files (C2SP tlog-tiles) that anyone can mirror, up to its newest checkpoint')
    .option('--dir <folder>', 'where; only what is new is written, and a checkpoint only after its tiles')
    .option('--verify <folder>', 'check every file of such a folder instead, with no services')
    .option('--log-key <key>', "the log's verifier key, or a file of such keys, to hold checkpoints to", collect, [])
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
A log is in FOLDER/<topic>/<partition>/. docs/proofs.md says what its files are.

Examples:
  $ npx tapeproof publish --dir public
  $ npx tapeproof publish --verify public --log-key log.pub`,
    )
    .action(async (options: PublishOptions) => {
      const { runPublish } = await import('../actions/publish.ts');
      await runPublish(options);
    });
}
