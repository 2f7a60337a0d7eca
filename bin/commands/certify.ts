import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CertifyOptions } from '../actions/certify.ts';
import type { VerifyOptions } from '../actions/verify.ts';

const OFFSET_DIGITS_MAX = 15;

/** The command that derives the log again, and the one that checks what it wrote. */
export function registerCertify(program: Command): void {
  program
    .command('certify')
    .description('derive the whole log again, compare it byte for byte, and write a signed certificate of that')
    .option('--partition <n...>', 'these partitions of the tape; all by default', collectPartition)
    .option(
      '--from <offset>',
      'begin at the anchor of this tape offset, trusting it unless --after vouches',
      parseOffset,
    )
    .option('--to <offset>', 'the first tape offset not included; "anchor": the last anchor', parseEnd)
    .option('--after <file>', 'go on where this certificate ends; it must end at an anchor')
    .option('--key <file>', 'the Ed25519 key that signs: PEM, or as "keygen" writes it')
    .option('--out <file>', 'write the certificate there; - is standard output')
    .addOption(
      new Option(
        '--other-versions <how>',
        'ranges of another engine version: "list" their commits, or "run" the builds of these commits, which executes their code',
      )
        .choices(['list', 'run'])
        .default('list'),
    )
    .option('--allow-not-derived', 'exit 0 even where another engine version must derive a range')
    .option('--repair', 'say what to do about a difference; nothing is changed')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
A difference ends with exit code 1 and is shown field by field; a range that another engine version derived is named
with its commit, or derived by the build of that commit, checked out into a git worktree for the time it runs.
docs/certify.md describes the certificate.

Examples:
  $ npx tapeproof certify --to anchor --key operator.pem --out monday.json
  $ npx tapeproof certify --after monday.json --to anchor --key operator.pem --out tuesday.json
  $ npx tapeproof certify --other-versions run --key operator.pem --out whole.json
  $ npx tapeproof verify monday.json tuesday.json --key operator.pub.pem`,
    )
    .action(async (options: CertifyOptions) => {
      const { runCertify } = await import('../actions/certify.ts');
      await runCertify(options);
    });
  program
    .command('verify')
    .argument('<file...>', 'certificates of "certify", in the order in which they continue each other')
    .description('check the signature and form of certificates, and that they continue each other, with no services')
    .option('--key <file>', 'the public key of whoever signed them')
    .option('--against-log', 'check that the log still has what they state; nothing is derived')
    .option('--allow-not-derived', 'exit 0 even where a range was not derived')
    .option('--json', 'print as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ npx tapeproof verify monday.json --key operator.pub.pem
  $ npx tapeproof verify monday.json tuesday.json --against-log`,
    )
    .action(async (files: readonly string[], options: VerifyOptions) => {
      const { runVerify } = await import('../actions/verify.ts');
      await runVerify(files, options);
    });
}

function parseOffset(text: string): number {
  const offset = Number(text);
  if (/^\d+$/.test(text) && text.length <= OFFSET_DIGITS_MAX) return offset;
  throw new InvalidArgumentError('Give a whole number from 0 on.');
}

function parseEnd(text: string): number | 'anchor' {
  if (text === 'anchor') return text;
  try {
    return parseOffset(text);
  } catch {
    throw new InvalidArgumentError('Give a whole number from 0 on, or "anchor".');
  }
}

function collectPartition(text: string, before: readonly number[] | undefined): readonly number[] {
  return [...(before ?? []), parseOffset(text)];
}
