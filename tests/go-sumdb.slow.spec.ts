import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isoTimeOf } from '../contracts/iso-time.ts';
import { parseConfiguration } from '../evaluators/configuration.ts';
import { activationOf } from '../evaluators/derive.ts';
import { syntheticTrades } from '../evaluators/fixtures/synthetic-market.ts';
import { activated, traded } from '../evaluators/fixtures/tape-contents.ts';
import { proveEvent } from '../proofs/checkpoints/event-proof.adapter.ts';
import { EventLog } from '../proofs/event-log.ts';
import { parseCheckpoint } from '../proofs/tlog/checkpoint.ts';
import { verifierKeyNamed, formatVerifierKey } from '../proofs/tlog/note-key.ts';
import { parseNote } from '../proofs/tlog/signed-note.ts';
import { eventHashOf, parseProof } from '../proofs/tlog/tlog-proof.ts';
import { CheckpointedLog, startTestWitness } from './support/checkpointed-log.ts';
import { derivedLog } from './support/derived-log.ts';
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

/** A proof as "audit --proof" makes it, from a log that was derived, signed and cosigned in steps. */
async function recordedCase(): Promise<Case> {
  const PARTITION = 0;
  const identity = { tapeId: 'tape-1', activationId: 'first', gitCommit: 'abc' };
  const trades = syntheticTrades({ seed: 7, count: 1_200 }).map((trade) => traded(trade));
  const contents = [activated(activationOf(parseConfiguration({}), identity)), ...trades];
  const log = new CheckpointedLog(derivedLog(PARTITION, contents, isoTimeOf).memory, PARTITION);
  const witness = await startTestWitness();
  try {
    for (let step = 1; step <= 5; step += 1) {
      log.grow(step / 5);
      witness.timeS = step;
      await log.checkpoint(step, witness);
    }
  } finally {
    await witness.close();
  }
  const { reader, registry } = log.access;
  const decisions = new EventLog(reader, registry);
  const decision = await decisions.newestDecision(PARTITION, ({ sequence }) => sequence % 100 === 42);
  if (decision === undefined) throw new RangeError('too few decisions');
  const keys = { logKeys: [LOG_KEY], witnessKeys: [WITNESS_KEY] };
  const { text, index, size } = await proveEvent(log.access, decision, identity.tapeId, keys);
  const { path, checkpoint } = parseProof(text);
  return {
    LogKey: formatVerifierKey(verifierKeyNamed(ORIGIN, LOG_KEY)),
    WitnessKey: formatVerifierKey(WITNESS_KEY),
    Checkpoint: checkpoint,
    Index: index,
    EventHash: Buffer.from(decision.hash, 'hex').toString('base64'),
    Inclusion: base64(path),
    // A tree continues itself.
    OldSize: size,
    OldRoot: parseCheckpoint(parseNote(checkpoint).text).root.toString('base64'),
    Consistency: [],
  };
}

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

  it('takes a proof of an event from the recorded checkpoints', async () => {
    expect(judge(await recordedCase())).toMatchObject({
      status: 0,
      said: expect.stringContaining('has leaf') as string,
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
