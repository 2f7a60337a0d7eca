import { InvalidArgumentError, type Command } from 'commander';
import type { CheckpointListOptions, CheckpointOptions, CheckpointVerifyOptions } from '../actions/checkpoints.ts';
import { registerCoverage } from './checkpoint-coverage.ts';
import type { CheckpointTimestampOptions } from '../actions/checkpoint-timestamp.ts';
import { withHttpOptions, type HttpOptions } from './options.ts';

interface Cadence {
  readonly every: number;
  readonly tsaEvery: number;
}

const EVERY_S_MAX = 86_400;

export function registerCheckpoints(program: Command): void {
  const checkpoints = program
    .command('checkpoints')
    .description('sign the heads of the logs, so that witnesses prove what there was and when');
  withHttpOptions(withSigners(checkpoints.command('run')))
    .description('sign the head of each log that has grown, until it is stopped')
    .option('--every <seconds>', 'from one round to the next', parseSeconds, 60)
    .option('--tsa-every <seconds>', 'from one round with time stamps to the next', parseSeconds, 600)
    .addHelpText('after', KEYS)
    .action(async (options: CheckpointOptions & HttpOptions & Cadence) => {
      const { runCheckpointProcess } = await import('../actions/checkpoints.ts');
      await runCheckpointProcess(options);
    });
  withSigners(checkpoints.command('now'))
    .description('sign the head of each log that has grown, once')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `${KEYS}\nExit codes: 0 done, 1 a log differs, a witness refuses or a time stamp must not be believed, 2 bad key, 3 a service is unreachable.`,
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
    .option('--tsa-ca <file>', 'verify the recorded time stamps too: authorities, certificates in PEM')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      '\nExit codes: 0 every log is what was signed, 1 one is not, 2 bad key, 3 a service is unreachable.',
    )
    .action(async (options: CheckpointVerifyOptions) => {
      const { verifyCheckpoints } = await import('../actions/checkpoints.ts');
      await verifyCheckpoints(options);
    });
  checkpoints
    .command('timestamp')
    .description('write the recorded time stamp of a head to a file, for any tool that knows RFC 3161')
    .requiredOption('--origin <origin>', 'the log, as `checkpoints list` names it')
    .requiredOption('--size <leaves>', 'of the head', parseSize)
    .requiredOption('--out <file>', 'a new file: the answer of the authority (.tsr)')
    .option('--tsa-ca <file>', 'authorities that the time stamp must lead to, certificates in PEM')
    .option('--json', 'print as JSON')
    .action(async (options: CheckpointTimestampOptions) => {
      const { exportTimestamp } = await import('../actions/checkpoint-timestamp.ts');
      await exportTimestamp(options);
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
    .option('--witnesses <file>', 'the witnesses, one in each line: verifier key and address')
    .option('--tsa <url>', 'time-stamping authority (RFC 3161) that stamps the heads too')
    .option('--tsa-ca <file>', 'authorities that its certificate must lead to, certificates in PEM');
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function parseSize(text: string): number {
  const size = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(size)) return size;
  throw new InvalidArgumentError('Give a whole number.');
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,5}$/.test(text) && seconds >= 1 && seconds <= EVERY_S_MAX) return seconds;
  throw new InvalidArgumentError(`Give whole seconds from 1 to ${EVERY_S_MAX}.`);
}
