import type { Command } from 'commander';
import type { WitnessCommandOptions } from '../actions/witness.ts';
import { parsePort } from './options.ts';

export function registerWitness(program: Command): void {
  program
    .command('witness')
    .description('run a witness until it is stopped: it cosigns checkpoints that continue what it saw before')
    .requiredOption('--key <file>', 'its private key, from "keygen --witness"')
    .requiredOption('--logs <file>', 'the verifier keys of the logs that it serves, one in each line')
    .requiredOption('--state <folder>', 'what it has cosigned; a witness without it would believe a rewritten log')
    .option('--port <port>', 'port to listen on; 0 takes a free one and logs it', parsePort, 0)
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .action(async (options: WitnessCommandOptions) => {
      const { runWitness } = await import('../actions/witness.ts');
      await runWitness(options);
    });
}
