import { InvalidArgumentError, type Command } from 'commander';
import type { CheckpointListOptions, CheckpointOptions, CheckpointVerifyOptions } from '../actions/checkpoints.ts';
import { registerCoverage } from './checkpoint-coverage.ts';
import { withHttpOptions, type HttpOptions } from './options.ts';

const EVERY_S_MAX = 86_400;

export function registerCheckpoints(program: Command): void {
  const checkpoints = program
    .command('checkpoints')
    .description('sign the heads of the logs, so that witnesses prove what there was and when');
  withHttpOptions(withSigners(checkpoints.command('run')))
    .description('sign the head of each log that has grown, until it is stopped')
    .option('--every <seconds>', 'from one round to the next', parseSeconds, 60)
    .addHelpText('after', KEYS)
    .action(async (options: CheckpointOptions & HttpOptions & { readonly every: number }) => {
      const { runCheckpointProcess } = await import('../actions/checkpoints.ts');
      await runCheckpointProcess(options);
    });
  withSigners(checkpoints.command('now'))
    .description('sign the head of each log that has grown, once')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `${KEYS}\nExit codes: 0 done, 1 a log differs or a witness refuses, 2 bad key, 3 a service is unreachable.`,
    )
    .action(async (options: CheckpointOptions) => {
      const { signNow } = await import('../actions/checkpoints.ts');
      await signNow(options);
    });
  checkpoints
    .command('list')
    .description('the newest recorded head of each log, with who cosigned it and when')
    .option('--json', 'print as JSON')
    .action(async (options: CheckpointListOptions) => {
      const { listCheckpoints } = await import('../actions/checkpoints.ts');
      await listCheckpoints(options);
    });
  checkpoints
    .command('verify')
    .description('read every log from its beginning and hold it to every head that was ever recorded')
    .requiredOption('--log-key <key>', 'verifier key of the logs; several times where keys were replaced', collect, [])
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 every log is what was signed, 1 one is not, 2 bad key, 3 a service is unreachable.',
    )
    .action(async (options: CheckpointVerifyOptions) => {
      const { verifyCheckpoints } = await import('../actions/checkpoints.ts');
      await verifyCheckpoints(options);
    });
  registerCoverage(checkpoints);
}

const KEYS = `
The key is --key, or TAPEPROOF_CHECKPOINT_KEY, or the file that TAPEPROOF_CHECKPOINT_KEY_FILE names; make one with "npx tapeproof keygen --name NAME".
To replace a key: run with both for a time (--key twice), give the new verifier key to witnesses and verifiers, then run with the new one and --former-key.`;

function withSigners(command: Command): Command {
  return command
    .option('--key <file>', 'private key of the logs; twice while one replaces the other', collect, [])
    .option('--former-key <key>', 'verifier key that signed earlier heads', collect, [])
    .option('--witness <witness>', "a witness: its verifier key and its address, 'KEY URL'", collect, [])
    .option('--witnesses <file>', 'the witnesses, one in each line: verifier key and address');
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,5}$/.test(text) && seconds >= 1 && seconds <= EVERY_S_MAX) return seconds;
  throw new InvalidArgumentError(`Give whole seconds from 1 to ${EVERY_S_MAX}.`);
}
