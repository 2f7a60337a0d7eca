import { ANCHORS_TOPIC } from '../contracts/topics.ts';
import type { EngineActivated } from '../contracts/generated/events.ts';
import { TapeproofError } from '../platform/errors.ts';
import { eventIn } from '../platform/kafka/framed-record.ts';
import type { LogReader } from '../platform/kafka/log-reader.ts';
import type { Registry } from '../platform/kafka/registry.ts';
import { isForeign } from './foreign-activation.ts';

/** The activations of one partition. */
export interface PartitionActivations {
  readonly partition: number;
  readonly found: readonly { readonly activation: EngineActivated }[];
}

/**
 * Passes where an activation can be revoked: it is on the tape, this engine version halts at it, and no engine has run
 * under it.
 *
 * @throws TapeproofError NOT_FOUND; CHECK_FAILED; UNREACHABLE
 */
export async function refuseRevocation(
  reader: LogReader,
  registry: Registry,
  scans: readonly PartitionActivations[],
  activationId: string,
): Promise<void> {
  const found = scans.flatMap(({ found: activations }) =>
    activations.filter(({ activation }) => activation.activationId === activationId),
  );
  const name = JSON.stringify(activationId);
  if (found.length === 0) {
    throw new TapeproofError(
      'NOT_FOUND',
      `There is no activation ${name} on the tape: "npx tapeproof report activations" lists them.`,
    );
  }
  if (found.some(({ activation }) => !isForeign(activation))) {
    throw new TapeproofError(
      'CHECK_FAILED',
      `The activation ${name} is of this engine version, so it took effect where it is, and what was derived under it stands: put another configuration in force from here on with "npx tapeproof activate --config FILE".`,
    );
  }
  for (const { partition } of scans) {
    const offset = await firstAnchorUnder(reader, registry, partition, activationId);
    if (offset === undefined) continue;
    throw new TapeproofError(
      'CHECK_FAILED',
      `An engine has run under the activation ${name}: partition ${partition} has an anchor of it at tape offset ${offset}, and what was derived stands. Put this engine in force from here on with "npx tapeproof activate", without --revoke.`,
    );
  }
}

/** Tape offset of the first anchor that an engine wrote under an activation. */
async function firstAnchorUnder(
  reader: LogReader,
  registry: Registry,
  partition: number,
  activationId: string,
): Promise<number | undefined> {
  const range = {
    topic: ANCHORS_TOPIC,
    partition,
    from: await reader.startOffset(ANCHORS_TOPIC, partition),
    to: await reader.endOffset(ANCHORS_TOPIC, partition),
  };
  for await (const records of reader.read(range)) {
    for (const { topic, value } of records) {
      const anchor = await eventIn(registry, { topic, value }, 'EngineAnchor');
      if (anchor?.activationId === activationId) return anchor.tape.offset;
    }
  }
  return undefined;
}
