import type { Command } from 'commander';
import type { KeygenOptions } from '../actions/keygen.ts';

export function registerKeygen(program: Command): void {
  program
    .command('keygen')
    .description('make a key: the private key goes to a new file, the verifier key is printed')
    .requiredOption('--name <name>', 'name of the key: a URL without its scheme, for example tapeproof.local')
    .option('--out <file>', 'the file of the private key; by default the name with .key, in this folder')
    .option('--witness', 'a key for a witness, which cosigns; without it, for a log')
    .option('--json', 'print as JSON')
    .action(async (options: KeygenOptions) => {
      const { runKeygen } = await import('../actions/keygen.ts');
      await runKeygen(options);
    });
}
