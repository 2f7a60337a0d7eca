import { createHash } from 'node:crypto';
import { isDerived } from '../../contracts/foreign-record.ts';
import { TAPE_TOPIC, type DerivedEvent } from '../../contracts/topics.ts';
import { anchorsBackward, type LogAccess } from '../../evaluators/anchor-log.adapter.ts';
import { recordHashOf } from '../../evaluators/anchor.ts';
import { MerkleTree } from '../../evaluators/merkle.ts';
import { framedIn } from '../../platform/kafka/framed-record.ts';
import type { StatedRange } from './statement.ts';

/**
 * Whether the log still has what a range of a certificate states, without deriving anything: the tape's last record, the
 * events by their number, digest and root, and the anchor at the end.
 *
 * @returns the faults, one sentence each.
 * @throws TapeproofError UNREACHABLE
 */
export async function logFaults(access: LogAccess, range: StatedRange): Promise<string[]> {
  const other = await otherTape(access, range);
  if (other !== undefined) return [other];
  const faults = [await tapeFault(access, range)];
  for (const output of range.outputs) faults.push(await outputFault(access, range.partition, output));
  faults.push(await anchorFault(access, range));
  return faults.flatMap((fault) => fault ?? []);
}

/** The newest anchor names the tape. */
async function otherTape(access: LogAccess, { partition, tapeId }: StatedRange): Promise<string | undefined> {
  for await (const { manifest } of anchorsBackward(access, partition)) {
    if (manifest.tapeId === tapeId) return undefined;
    return `The certificate is of the tape ${tapeId}, and partition ${partition} belongs to the tape ${manifest.tapeId}.`;
  }
  return undefined;
}

async function tapeFault(
  { reader, decode }: LogAccess,
  { partition, tape: { to, lastRecordHash } }: StatedRange,
): Promise<string | undefined> {
  const end = await reader.endOffset(TAPE_TOPIC, partition);
  const place = `${TAPE_TOPIC}-${partition}`;
  if (end < to)
    return `${place} ends at offset ${end}, and the certificate goes to ${to}: it is of another tape, or records were lost.`;
  if (lastRecordHash === null || to === 0) return undefined;
  const from = Math.max(to - 1, await reader.startOffset(TAPE_TOPIC, partition));
  for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from, to })) {
    for (const record of records) {
      if (recordHashOf(await decode(record)) === lastRecordHash) return undefined;
    }
  }
  return `${place} has another record at offset ${to - 1} than the certificate states.`;
}

async function outputFault(
  { reader, registry }: LogAccess,
  partition: number,
  { topic, log, sequences, duplicates, digest, tree }: StatedRange['outputs'][number],
): Promise<string | undefined> {
  const place = `${topic}-${partition}`;
  if (!isDerived(topic)) return `${place} is not an output of the engine.`;
  const end = await reader.endOffset(topic, partition);
  if (end < log.to) return `${place} ends at log offset ${end}, and the certificate goes to ${log.to}.`;
  const found = createHash('sha256');
  const grown = new MerkleTree();
  let next = sequences.from;
  let repeated = 0;
  if (log.from < log.to) {
    for await (const records of reader.read({ topic, partition, from: log.from, to: log.to })) {
      for (const record of records) {
        const framed = await framedIn(registry, record);
        const event = 'reason' in framed ? undefined : (framed.read() as DerivedEvent | undefined);
        if ('reason' in framed || event === undefined || event.sequence > next) {
          return `${place} holds a record at log offset ${record.offset} that the certificate does not state.`;
        }
        if (event.sequence < next) {
          repeated += 1;
          continue;
        }
        next += 1;
        const { hash } = framed;
        found.update(hash);
        if (tree !== null) grown.append(hash);
      }
    }
  }
  if (next !== sequences.to) return `${place} holds sequences to ${next}, and the certificate states ${sequences.to}.`;
  if (repeated !== duplicates)
    return `${place} holds ${repeated} repetitions, and the certificate states ${duplicates}.`;
  if (found.digest('hex') !== digest) return `${place} holds other events than the certificate states.`;
  if (tree !== null && (tree.size !== grown.count || tree.root !== grown.root())) {
    return `The tree of ${place} has another root than the certificate states.`;
  }
  return undefined;
}

async function anchorFault(access: LogAccess, { partition, tape, end }: StatedRange): Promise<string | undefined> {
  if (end.anchorHash === null) return undefined;
  for await (const { manifest, hash } of anchorsBackward(access, partition)) {
    if (manifest.tape.offset !== tape.to) continue;
    if (hash.toString('hex') === end.anchorHash && manifest.stateHash === end.stateHash) return undefined;
  }
  return `Partition ${partition} does not have the anchor at offset ${tape.to} that the certificate states.`;
}
