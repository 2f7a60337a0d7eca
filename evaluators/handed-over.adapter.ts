import { sha256Hex } from '../contracts/codec.ts';
import type { EngineActivated } from '../contracts/generated/events.ts';
import { TAPE_TOPIC } from '../contracts/topics.ts';
import { framedIn } from '../platform/kafka/framed-record.ts';
import type { LogAccess, StoredAnchor } from './anchor-log.adapter.ts';
import { isForeign } from './foreign-activation.ts';
import { isRevokedBy } from './revocation.ts';

/** Tape records read at once while searching backward; doubled each time up to the greatest. */
const FIRST_STEP_RECORDS = 1_000;
const STEP_RECORDS_MAX = 100_000;

interface Placed {
  readonly activation: EngineActivated;
  readonly offset: number;
}

/**
 * Whether another engine may have left an anchor for this one: right where it is, the tape has an activation that this
 * build accepts, and the activation before that is the one that the anchor names, of an engine that this build is not.
 */
export async function isHandedOver(access: LogAccess, { manifest }: StoredAnchor): Promise<boolean> {
  const { offset, partition } = manifest.tape;
  const isOfTape = ({ activation }: Placed): boolean =>
    activation.tapeId === manifest.tapeId && sha256Hex(activation.configuration) === activation.configHash;
  const [taking] = await activationsIn(access, partition, offset, offset + 1);
  if (taking === undefined || !isOfTape(taking) || isForeign(taking.activation)) return false;
  const later: Placed[] = [taking];
  let step = FIRST_STEP_RECORDS;
  for (let to = offset; to > 0; step = Math.min(2 * step, STEP_RECORDS_MAX)) {
    const from = Math.max(0, to - step);
    for (const placed of (await activationsIn(access, partition, from, to)).toReversed()) {
      const { activation } = placed;
      if (activation.activationId === manifest.activationId) return isOfTape(placed) && isForeign(activation);
      const isRevoked = later.some((one) => isRevokedBy(activation, one.activation, manifest.tapeId));
      if (isOfTape(placed) && !isRevoked) return false;
      later.push(placed);
    }
    to = from;
  }
  return false;
}

/** The activations of a range of the tape, in order. */
async function activationsIn(
  { reader, registry }: LogAccess,
  partition: number,
  from: number,
  to: number,
): Promise<Placed[]> {
  const found: Placed[] = [];
  const start = Math.max(from, await reader.startOffset(TAPE_TOPIC, partition));
  if (start >= to || to > (await reader.endOffset(TAPE_TOPIC, partition))) return found;
  for await (const records of reader.read({ topic: TAPE_TOPIC, partition, from: start, to })) {
    for (const record of records) {
      const answer = framedIn(registry, record);
      const framed = answer instanceof Promise ? await answer : answer;
      // Trades are passed without decoding them.
      const activation = 'reason' in framed ? undefined : framed.as('EngineActivated');
      if (activation !== undefined) found.push({ activation, offset: record.offset });
    }
  }
  return found;
}
