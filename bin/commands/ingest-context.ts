import type { Command } from 'commander';
import type { ContextOptions, SectorOptions } from '../actions/ingest-context.ts';

export const DEFAULT_CONTEXT_FILE = 'config/context.yaml';

/** The commands that append context to the tape. */
export function registerContext(ingest: Command): void {
  ingest
    .command('context')
    .description('append news, the tone of the economy and calendar events from feeds, each once')
    .option('--config <file>', 'feeds, and the keywords of instruments', DEFAULT_CONTEXT_FILE)
    .option('--feed <name-or-address>', 'only this one: a name of the configuration, a URL, or a file')
    .option('--once', 'read each feed once, instead of again and again until it is stopped')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Reads RSS, RDF, Atom and JSON feeds, and calendars as iCalendar or JSON. A text is scored by a lexicon; its hash and link
go to the tape with the score, the text itself does not. What is already on the tape is not appended again. Strategies that
use context are off until the engine's configuration names them: docs/context.md.

Examples:
  $ npx tapeproof ingest context --once
  $ npx tapeproof ingest context --feed news.xml --once --json`,
    )
    .action(async (options: ContextOptions) => {
      const { ingestContextOfFeeds } = await import('../actions/ingest-context.ts');
      await ingestContextOfFeeds(options);
    });
}

/** The command that appends the strength of sectors. */
export function registerSectors(ingest: Command): void {
  ingest
    .command('sectors')
    .description('append the relative strength of sectors, computed from the snapshots of the engine')
    .option('--config <file>', 'the sector of each instrument, and the window', DEFAULT_CONTEXT_FILE)
    .option('--once', 'append the strengths that are due now, instead of each time that they are until it is stopped')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
At each multiple of sectors.everyMs of market time: the mean return of a sector's instruments over sectors.windowMs, by its
rank among the sectors. Each signal names the snapshots that it rests on: docs/context.md.

Example:
  $ npx tapeproof ingest sectors --once`,
    )
    .action(async (options: SectorOptions) => {
      const { ingestStrengthOfSectors } = await import('../actions/ingest-context.ts');
      await ingestStrengthOfSectors(options);
    });
}
