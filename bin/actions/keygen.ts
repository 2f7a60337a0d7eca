import { createSignerKey } from '../../proofs/tlog/key-file.adapter.ts';
import { formatVerifierKey } from '../../proofs/tlog/note-key.ts';
import type { JsonOption } from '../commands/options.ts';
import { print } from '../context.ts';

export interface KeygenOptions extends JsonOption {
  readonly name: string;
  readonly out?: string;
  readonly witness?: true;
}

/** Prints the verifier key alone, so that it can be piped; the private key is only in its file. */
export async function runKeygen({ name, out, witness, json }: KeygenOptions): Promise<void> {
  const file = out ?? `${name.replace(/[^\w.-]+/g, '-').slice(0, 100)}.key`;
  const key = await createSignerKey(name, witness === true ? 'witness' : 'log', file);
  const verifierKey = formatVerifierKey(key);
  print(json, { name, type: key.type, verifierKey, file }, () => verifierKey);
  process.stderr.write(
    `The private key is in ${file}, for you alone: keep a copy where no one else reads it. The line above is public.\n`,
  );
}
