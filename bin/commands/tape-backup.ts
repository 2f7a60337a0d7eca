import type { Command } from 'commander';
import type { BackupCommandOptions, RestoreCommandOptions } from '../actions/tape-backup.ts';

/** The commands that copy what nothing derives to files, and back. */
export function registerTapeBackup(tape: Command): void {
  tape
    .command('backup')
    .argument('<folder>', 'where; only what is new is written, and no file is changed later')
    .description('copy the tape and all else that is not derived from it to files, as Kafka stores them')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
It copies the tape, signed heads, trials and dead letters, and the topic of a registry that keeps its schemas in Kafka.
Everything else follows from these.

Example:
  $ npx tapeproof tape backup backups/tape`,
    )
    .action(async (folder: string, options: BackupCommandOptions) => {
      const { runBackup } = await import('../actions/tape-backup.ts');
      await runBackup(folder, options);
    });
  tape
    .command('restore')
    .argument('<folder>', 'that "tape backup" wrote')
    .description(
      'append a backup to empty topics: each record gets the offset, the time stamp and the bytes that it had',
    )
    .option('--dry-run', 'only read every file, and compare with what is there')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Run again after an interruption, it goes on where it stopped. docs/operations.md has the whole procedure.

Examples:
  $ npx tapeproof tape restore backups/tape --dry-run
  $ npx tapeproof tape restore backups/tape`,
    )
    .action(async (folder: string, options: RestoreCommandOptions) => {
      const { runRestore } = await import('../actions/tape-backup.ts');
      await runRestore(folder, options);
    });
}
