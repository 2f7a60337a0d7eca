import { hash } from 'node:crypto';
import { signCheckpoint, type Checkpoint } from '../../proofs/tlog/checkpoint.ts';
import { signerKey } from '../../proofs/tlog/note-key.ts';
import { signatureLine } from '../../proofs/tlog/signed-note.ts';
import { eventHashOf, type TlogProof } from '../../proofs/tlog/tlog-proof.ts';
import { TreeWindow } from '../../proofs/tlog/tree-window.ts';

/** A log with its keys, its witness, and an event for each leaf, the same at each run. */

export const ORIGIN = 'tapeproof.local/tape-1/probability.decisions/0';

const keyOf = (name: string, type: 'log' | 'witness', seed = name) =>
  signerKey(name, type, hash('sha256', seed, 'buffer'));

export const LOG_KEY = keyOf('tapeproof.local', 'log');
/** Another key under the log's name. */
export const OTHER_LOG_KEY = keyOf('tapeproof.local', 'log', 'other');
export const WITNESS_KEY = keyOf('witness.example', 'witness');
export const SECOND_WITNESS_KEY = keyOf('second.example', 'witness');
export const COSIGNED_S = 1_764_150_000;

/** Of the event of a leaf, in place of a fingerprint and a body. @param history - another one is a rewritten log. */
export function bytesOfEvent(index: number, history = 'true'): Buffer {
  return Buffer.from(`${history} event ${index}`);
}

/** The log's tree from its beginning. */
export function treeOf(size: number, history = 'true'): TreeWindow {
  return new TreeWindow(
    0,
    [],
    Array.from({ length: size }, (_, index) => eventHashOf(bytesOfEvent(index, history))),
  );
}

export function checkpointOf(tree: TreeWindow, size = tree.size): Checkpoint {
  return { origin: ORIGIN, size, root: tree.rootAt(size), extensions: [] };
}

/** A proof of a leaf in a signed and cosigned checkpoint. */
export function proofOf(tree: TreeWindow, index: number): TlogProof {
  const note = signCheckpoint(checkpointOf(tree), [LOG_KEY]);
  const [text = ''] = note.split('\n\n');
  const cosignatures = [WITNESS_KEY, SECOND_WITNESS_KEY].map((key) => signatureLine(`${text}\n`, key, COSIGNED_S));
  return {
    extra: bytesOfEvent(index),
    index,
    path: tree.inclusionProof(index, tree.size),
    checkpoint: note + cosignatures.join(''),
  };
}
