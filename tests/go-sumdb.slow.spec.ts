import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifierKeyNamed, formatVerifierKey } from '../proofs/tlog/note-key.ts';
import { eventHashOf } from '../proofs/tlog/tlog-proof.ts';
import { bytesOfEvent, LOG_KEY, ORIGIN, proofOf, treeOf, WITNESS_KEY } from './support/signed-log.ts';

/** Our checkpoints and proofs, judged by the code that verifies Go's module checksum database. */

const MODULE = join(import.meta.dirname, 'go-sumdb');
const folder = mkdtempSync(join(tmpdir(), 'tapeproof-sumdb-'));
const program = join(folder, 'go-sumdb');
const hasGo = spawnSync('go', ['version']).status === 0;
const SIZE = 1_000;
const OLD_SIZE = 777;
const INDEX = 600;

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const base64 = (hashes: readonly Buffer[]) => hashes.map((hash) => hash.toString('base64'));

function sampleCase() {
  const tree = treeOf(SIZE);
  const { checkpoint, path } = proofOf(tree, INDEX);
  return {
    LogKey: formatVerifierKey(verifierKeyNamed(ORIGIN, LOG_KEY)),
    WitnessKey: formatVerifierKey(WITNESS_KEY),
    // The second witness is unknown there.
    Checkpoint: checkpoint,
    Index: INDEX,
    EventHash: eventHashOf(bytesOfEvent(INDEX)).toString('base64'),
    Inclusion: base64(path),
    OldSize: OLD_SIZE,
    OldRoot: tree.rootAt(OLD_SIZE).toString('base64'),
    Consistency: base64(tree.consistencyProof(OLD_SIZE, SIZE)),
  };
}
type Case = ReturnType<typeof sampleCase>;

function judge(sample: Case): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(program, { input: JSON.stringify(sample), encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

describe.skipIf(!hasGo)(`Go's sumdb${hasGo ? '' : ' (skipped: no Go here)'}`, () => {
  beforeAll(() => {
    execFileSync('go', ['build', '-mod=readonly', '-o', program, '.'], { cwd: MODULE, stdio: 'inherit' });
  }, 300_000);

  it('takes our checkpoint, cosignature, inclusion and consistency proofs', () => {
    expect(judge(sampleCase())).toEqual({
      status: 0,
      said: `${ORIGIN} at size ${SIZE}: signed, cosigned, has leaf ${INDEX}, continues size ${OLD_SIZE}\n`,
    });
  });

  const other = eventHashOf(Buffer.from('other')).toString('base64');
  it.each<[string, (sample: Case) => Partial<Case>, string]>([
    ['inclusion proof', ({ Inclusion }) => ({ Inclusion: Inclusion.with(3, other) }), 'inclusion: '],
    ['event', () => ({ EventHash: other }), 'inclusion: '],
    ['index', () => ({ Index: INDEX + 1 }), 'inclusion: '],
    ['consistency proof', ({ Consistency }) => ({ Consistency: Consistency.with(2, other) }), 'consistency: '],
    ['older root', () => ({ OldRoot: other }), 'consistency: '],
    ['size', ({ Checkpoint }) => ({ Checkpoint: Checkpoint.replace(`\n${SIZE}\n`, '\n1001\n') }), 'note: '],
    ['time of the cosignature', ({ Checkpoint }) => ({ Checkpoint: laterIn(Checkpoint) }), 'note: '],
  ])('refuses a changed %s', (_what, change, reason) => {
    const sample = sampleCase();
    const { status, said } = judge({ ...sample, ...change(sample) });
    expect([status, said]).toEqual([1, expect.stringContaining(reason)]);
  });
});

/** The checkpoint with the first witness's time moved by a second. */
function laterIn(checkpoint: string): string {
  return checkpoint.replace(/(?<=— witness\.example )\S+/, (base64Text) => {
    const bytes = Buffer.from(base64Text, 'base64');
    bytes.writeUInt8(bytes.readUInt8(11) ^ 1, 11);
    return bytes.toString('base64');
  });
}
