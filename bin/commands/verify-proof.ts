import type { Command } from 'commander';
import type { VerifyProofOptions } from '../actions/verify-proof.ts';
import { collect, parseWholeNumber } from './options.ts';

export function registerVerifyProof(program: Command): void {
  program
    .command('verify-proof')
    .argument('[file]', 'a proof, as "audit --proof" writes it (c2sp.org/tlog-proof@v1)')
    .description('verify with the keys alone, and no service, that a log has an event and who witnessed it')
    .option('--event <file>', "the event's bytes: the SHA-256 of its schema, then its Avro body")
    .option('--event-hash <hash>', 'the SHA-256 of those bytes, hex; without either, the event in the proof is taken')
    .option('--log <key>', "the log's verifier key; again for one that replaced it", collect, [])
    .option('--witness <key>', "a witness's verifier key; again for each", collect, [])
    .option('--witnesses <count>', 'how many of these witnesses are needed; by default all', parseWholeNumber)
    .option('--page <file>', 'write the page instead that checks proofs in a browser, with no server')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
Exit codes: 0 proven, 1 not proven, 2 not usable: the proof is truncated or of another format, or the key is not this log's.

Examples:
  $ npx tapeproof verify-proof decision.tlog-proof --log tapeproof.local+5902283c+AahqX79Dc3Klcy7jrBvwGZXp7DABA4NQx35i5r28XYTD
  $ npx tapeproof verify-proof --page check-a-proof.html`,
    )
    .action(async (file: string | undefined, options: VerifyProofOptions) => {
      const { runVerifyProof } = await import('../actions/verify-proof.ts');
      await runVerifyProof(file, options);
    });
}
