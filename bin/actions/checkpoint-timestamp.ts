import type { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { TapeproofError } from '../../platform/errors.ts';
import { recordedTimestamp } from '../../proofs/checkpoints/recorded-timestamp.adapter.ts';
import { parseRoots } from '../../proofs/timestamps/certificate-path.ts';
import { readBounded } from '../../proofs/tlog/key-file.adapter.ts';
import type { JsonOption } from '../commands/options.ts';
import { print } from '../context.ts';
import { withEvents } from '../with-events.ts';

export interface CheckpointTimestampOptions extends JsonOption {
  readonly origin: string;
  readonly size: number;
  readonly out: string;
  readonly tsaCa?: string;
}

const ROOTS_BYTES_MAX = 4 * 1_048_576;
const US_PER_MS = 1_000;

export async function exportTimestamp({ origin, size, out, tsaCa, json }: CheckpointTimestampOptions): Promise<void> {
  const roots = await rootsFrom(tsaCa);
  await withEvents('checkpoints', async ({ reader, registry }) => {
    const { answer, timeUs, ...found } = await recordedTimestamp({ reader, registry }, { origin, size }, roots);
    await writeNew(out, answer);
    const time = new Date(timeUs / US_PER_MS).toISOString();
    print(json, { ...found, time: timeUs, isTrusted: roots !== undefined, file: out }, () =>
      [
        `${out} has the time stamp ${time} by ${found.signer}${roots === undefined ? ', not verified against an authority' : ''}.`,
        `Verify it with: openssl ts -verify -digest ${found.digest} -in ${out} -CAfile ROOTS.pem`,
        'The digest is the SHA-256 of these lines, each with its newline:',
        found.text.trimEnd(),
      ].join('\n'),
    );
  });
}

/**
 * The authorities of a PEM file.
 *
 * @throws TapeproofError CONFIGURATION when it cannot be read; NOT_USABLE when it has none.
 */
export async function rootsFrom(path: string | undefined): Promise<readonly X509Certificate[] | undefined> {
  return path === undefined ? undefined : parseRoots(await readBounded(path, ROOTS_BYTES_MAX, 'file of authorities'));
}

async function writeNew(path: string, bytes: Buffer): Promise<void> {
  try {
    await writeFile(path, bytes, { flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' ? 'it exists already' : message;
    throw new TapeproofError(
      'USAGE',
      `The time stamp cannot be written to ${path} (${reason}): name another file with --out.`,
      { cause: error },
    );
  }
}
